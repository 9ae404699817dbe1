import { LIMITS } from '../../core/limits.ts';
import type { SourceEntry } from '../../directory/entry-source.ts';
import { ENTRY_DETAILS } from '../../directory/entry.ts';
import type { EntryDetails, EntryKind } from '../../directory/entry.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** What a file says of one entry, in its own spelling; the first address that can be one is the primary one. */
export interface EntryFields {
  /** Where the file has nothing that stays the same, its address does. */
  readonly id?: string | undefined;
  readonly addresses: readonly string[];
  readonly name?: string | undefined;
  readonly kind: EntryKind;
  /** Mail contact, mail user, remote mailbox: it stands for somebody elsewhere. */
  readonly standsForAnother: boolean;
  readonly isHidden: boolean;
  readonly targetAddress?: string | undefined;
  readonly legacyExchangeDn?: string | undefined;
  readonly formerDns?: readonly string[];
  readonly foreignPrincipal?: string | undefined;
  readonly ref?: string | undefined;
  readonly members?: readonly string[];
  readonly details: Readonly<Partial<Record<keyof EntryDetails, string | undefined>>>;
}

/**
 * Makes the entry of what a file says: white space and control characters become one blank, what is empty is left out, what is longer or more than the
 * address book keeps is cut and `cut` called.
 *
 * @returns undefined where no address is among the fields
 */
export function entryFrom(fields: EntryFields, cut: () => void): SourceEntry | undefined {
  const text = (value: string | undefined, most: number): string | undefined => (value === undefined || value === '' ? undefined : shortened(cleaned(value), most, cut));
  const some = <T>(list: readonly T[], most: number): readonly T[] | undefined => {
    if (list.length > most) cut();
    return list.length === 0 ? undefined : list.slice(0, most);
  };
  const target = parseMailboxAddress(fields.targetAddress ?? '');
  // Twice as many as are kept: some are no addresses, some stand there twice.
  const given = fields.addresses.slice(0, 2 * LIMITS.entryAliases);
  if (given.length < fields.addresses.length) cut();
  const addresses = [...new Set(given.flatMap((one) => parseMailboxAddress(one) ?? []))].map(ownCopy);
  // A contact without an address of its own is known by the one it stands for.
  const address = addresses[0] ?? target;
  if (address === undefined) return undefined;
  const found: Growing<SourceEntry> = {
    id: shortened(fields.id?.trim() ?? '', LIMITS.entryIdCharacters, cut) ?? address,
    address,
    kind: fields.kind,
    isMailbox: fields.kind !== 'contact' && !fields.standsForAnother && (target === undefined || target === address),
  };
  for (const key of ENTRY_DETAILS) {
    const value = text(fields.details[key], LIMITS.entryDetailCharacters);
    if (value !== undefined && (key !== 'capacity' || /^\d+$/.test(value))) found[key] = value;
  }
  add(found, 'name', text(fields.name, LIMITS.entryNameCharacters) ?? composedName(found));
  add(found, 'isHidden', fields.isHidden ? true : undefined);
  add(found, 'aliases', some(addresses.slice(1), LIMITS.entryAliases));
  add(found, 'targetAddress', target);
  add(found, 'legacyExchangeDn', text(fields.legacyExchangeDn, LIMITS.entryIdCharacters));
  if (fields.formerDns !== undefined) add(found, 'formerDns', some(fields.formerDns.flatMap((one) => text(one, LIMITS.entryIdCharacters) ?? []), LIMITS.entryAliases));
  add(found, 'foreignPrincipal', text(fields.foreignPrincipal, LIMITS.entryIdCharacters));
  add(found, 'ref', text(fields.ref, LIMITS.entryIdCharacters));
  if (fields.kind === 'group') add(found, 'members', some([...new Set(fields.members)], LIMITS.groupMembers));
  return found;
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** A property is absent, not undefined. One object that grows, because files have a hundred thousand of them: pieces put together cost four times as much (measured). */
function add<K extends keyof SourceEntry>(entry: Growing<SourceEntry>, key: K, value: SourceEntry[K] | undefined): void {
  if (value !== undefined) entry[key] = value;
}

/** A member as a group names it: an address, or what is no address as it is. */
export function memberNamed(text: string): MailboxAddress | string {
  return ownCopy(parseMailboxAddress(text) ?? text.trim().toLowerCase());
}

/** A name that a file does not give, from its parts; in Chinese, Japanese and Korean the surname is first. */
function composedName({ givenName, surname }: EntryDetails): string | undefined {
  const parts = [givenName, surname].filter((one) => one !== undefined);
  if (parts.length === 0) return undefined;
  return (/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(parts.join('')) ? parts.reverse() : parts).join(' ');
}

function cleaned(text: string): string {
  // Most texts are clean: looking is cheaper than replacing.
  return (/[^\S ]| {2}|\p{Cc}/u.test(text) ? text.replace(/[\s\p{Cc}]+/gu, ' ') : text).trim();
}

/** At most so many characters, never half of a surrogate pair; undefined where nothing is left. */
function shortened(text: string, most: number, cut: () => void): string | undefined {
  if (text === '') return undefined;
  if (text.length <= most) return ownCopy(text);
  cut();
  return ownCopy(text.slice(0, most).replace(/[\ud800-\udbff]$/, ''));
}

/** A text by itself: what is cut out of a longer one keeps all of that in memory, here a piece of the file (V8's sliced strings). */
function ownCopy<T extends string>(text: T): T {
  return text.length < 13 ? text : (Buffer.from(text).toString() as T);
}
