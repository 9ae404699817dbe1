import type { CalendarStore } from './calendar-store.ts';

/** A row of a stand-in's address list. */
export interface ListedPerson {
  readonly address: string;
  readonly displayName: string;
  /** mailNickname; default: what stands before the `@`. */
  readonly alias?: string;
  readonly givenName?: string;
  readonly surname?: string;
  /** Further addresses. */
  readonly proxies?: readonly string[];
  readonly mailboxType?: 'Mailbox' | 'PublicDL' | 'Contact';
  readonly isRoom?: boolean;
  readonly title?: string;
  readonly department?: string;
  readonly company?: string;
  readonly office?: string;
  readonly phone?: string;
  /** The stand-in shows it in place of the address (RoutingType EX), until it is asked about it. */
  readonly legacyExchangeDn?: string;
}

/** Its own mailboxes, and whoever else is listed. */
export function addressList(calendars: CalendarStore, others: readonly ListedPerson[] = []): readonly ListedRow[] {
  return [...calendars.mailboxes(), ...others].map((one: ListedPerson) => ({ ...one, alias: one.alias ?? one.address.slice(0, one.address.indexOf('@')), proxies: one.proxies ?? [], mailboxType: one.mailboxType ?? 'Mailbox', isRoom: one.isRoom ?? one.displayName.startsWith('Room ') }));
}

export type ListedRow = ListedPerson & Required<Pick<ListedPerson, 'alias' | 'proxies' | 'mailboxType'>>;

/** Given name and surname, where nothing else is said the first and the last word of the name. */
export function namesOf({ displayName, givenName, surname }: ListedPerson): { readonly first: string; readonly last: string } {
  const words = displayName.split(' ');
  return { first: givenName ?? words[0] ?? '', last: surname ?? (words.length > 1 ? words.at(-1)! : '') };
}

/** Whether every word begins a name, the alias or an address (ambiguous name resolution, exchange.md §3.3); `=` before it: exactly one of them. */
export function isAmbiguouslyNamed(row: ListedRow, entry: string): boolean {
  const { first, last } = namesOf(row);
  const values = [row.displayName, first, last, row.alias, row.address, ...row.proxies, ...row.displayName.split(' ')].map((one) => one.toLowerCase());
  const wanted = entry.toLowerCase();
  if (wanted.startsWith('=')) return values.includes(wanted.slice(1));
  return values.some((one) => one.startsWith(wanted)) || wanted.split(' ').every((word) => word !== '' && values.some((one) => one.startsWith(word)));
}
