/**
 * How values are compared (RFC 4517): `text` without case and diacritics, blanks in a row as one; `phone` like it, without blanks and hyphens; `time` as an instant; `name` as
 * distinguished names; `category` like text, also by Active Directory's long form (`CN=Person,CN=Schema,…`); `words` by the beginnings of words, as ambiguous name resolution does.
 */
export type Matching = 'text' | 'phone' | 'time' | 'name' | 'category' | 'words';

/** One attribute of a kind of entry. */
export interface Attribute<Subject> {
  /** As it is spelled in answers. */
  readonly name: string;
  /** Further names by which it may be asked for, spelled likewise. */
  readonly alsoCalled?: readonly string[];
  /** Where it has a registered one. */
  readonly oid?: string;
  readonly matching: Matching;
  /** Shown only where it is asked for by name or by `+` (RFC 4511 §4.5.1.8). */
  readonly isOperational?: true;
  /** For filters only. */
  readonly isNeverShown?: true;
  values(subject: Subject): readonly string[];
  /** Equality by other means than comparing values; called once a filter. */
  equals?(value: string): (subject: Subject) => boolean;
}

/** By a name as clients write it, in any case and with its options; undefined for what is not known. */
export type FindAttribute<Found> = (description: string) => Found | undefined;

/**
 * Finds attributes by name, further name or OID, in any case. `;binary` is no difference for values that are texts; any other option asks for what nobody here has.
 */
export function attributeFinder<Found extends Attribute<never>>(attributes: readonly Found[]): FindAttribute<Found> {
  const byName = new Map(attributes.flatMap((one) => [one.name, ...(one.alsoCalled ?? []), ...(one.oid === undefined ? [] : [one.oid])].map((name) => [name.toLowerCase(), one] as const)));
  return (description) => byName.get(description.toLowerCase().replace(/;binary$/, ''));
}
