import { attributeFinder } from './attribute.ts';
import type { Attribute, FindAttribute } from './attribute.ts';

type Values = Readonly<Record<string, readonly string[]>>;

/** An entry that is nobody's: the root DSE, the base, the subschema. */
export interface StaticEntry {
  readonly dn: string;
  readonly attributes: readonly Attribute<unknown>[];
  readonly find: FindAttribute<Attribute<unknown>>;
}

/**
 * @param shown by name: what every search shows
 * @param operational what is shown on demand
 * @param known names that filters know though this entry has none of them
 */
export function staticEntry(dn: string, shown: Values, operational: Values, known: FindAttribute<unknown> = () => undefined): StaticEntry {
  const attributes = [
    ...Object.entries(shown).map(([name, values]): Attribute<unknown> => ({ name, matching: 'text', values: () => values })),
    ...Object.entries(operational).map(([name, values]): Attribute<unknown> => ({ name, matching: 'text', isOperational: true, values: () => values })),
  ];
  const own = attributeFinder(attributes);
  return { dn, attributes, find: (description) => own(description) ?? (known(description) === undefined ? undefined : NONE) };
}

const NONE: Attribute<unknown> = { name: '', matching: 'text', isNeverShown: true, values: () => [] };
