import { formatGeneralizedTime } from '../../../core/generalized-time.ts';
import type { DirectoryEntry, EntryDetails, EntryKind } from '../../../directory/entry.ts';
import type { AnswerElement, AnswerPair, AnswerValue } from './answer.ts';

/** `email` to `email16` (zimbra.md §6.3, zimbraMailDeliveryAddress,zimbraMailAlias,mail=email,email2…email16). */
const ADDRESSES = 16;

/** What we call it, and what a contact of Zimbra's does (zimbra.md §6.1). */
const DETAIL_NAMES: readonly (readonly [keyof EntryDetails, string])[] = [
  ['givenName', 'firstName'],
  ['surname', 'lastName'],
  ['initials', 'initials'],
  ['nickname', 'nickname'],
  ['company', 'company'],
  ['department', 'department'],
  ['title', 'jobTitle'],
  ['office', 'office'],
  ['phone', 'workPhone'],
  ['mobile', 'mobilePhone'],
  ['fax', 'workFax'],
  ['street', 'workStreet'],
  ['city', 'workCity'],
  ['state', 'workState'],
  ['postalCode', 'workPostalCode'],
  ['country', 'workCountry'],
];

const PERSON = ['person', 'organizationalPerson', 'inetOrgPerson'] as const;

/** The classes that clients know Zimbra's own kinds by. */
const OBJECT_CLASSES: Readonly<Record<EntryKind, readonly string[]>> = {
  person: PERSON,
  contact: PERSON,
  room: [...PERSON, 'zimbraCalendarResource'],
  equipment: [...PERSON, 'zimbraCalendarResource'],
  group: ['zimbraDistributionList'],
};

/** The stable name by which clients keep an entry and ask for it again (`ref`): to Zimbra's clients the DN of a GAL in LDAP. */
export function entryDn(id: string): string {
  return `cn=${id},dc=bridge`;
}

/** The id in a name that `entryDn` made; undefined for every other one. */
export function idOfDn(dn: string): string | undefined {
  return /^cn=([^,=]{1,64}),dc=bridge$/i.exec(dn.trim())?.[1];
}

/** An entry as the attributes of a contact, in one order: addresses, names, details, what kind of thing it is, times. */
export function contactAttributes(entry: DirectoryEntry, members: readonly DirectoryEntry[] = []): readonly AnswerPair[] {
  const { address, aliases, name, kind, capacity, modifiedAt, createdAt } = entry;
  const pairs: AnswerPair[] = [['email', address]];
  for (const [index, alias] of aliases.slice(0, ADDRESSES - 1).entries()) pairs.push([`email${index + 2}`, alias]);
  pairs.push(['fullName', name]);
  for (const [ours, theirs] of DETAIL_NAMES) {
    const value = entry[ours];
    if (value !== undefined) pairs.push([theirs, value]);
  }
  if (kind === 'group') pairs.push(['type', 'group']);
  if (kind === 'room' || kind === 'equipment') {
    pairs.push(['zimbraCalResType', kind === 'room' ? 'Location' : 'Equipment'], ['zimbraAccountCalendarUserType', 'RESOURCE']);
    if (kind === 'room') pairs.push(['zimbraCalResLocationDisplayName', name]);
    if (capacity !== undefined) pairs.push(['zimbraCalResCapacity', capacity]);
  }
  for (const objectClass of OBJECT_CLASSES[kind]) pairs.push(['objectClass', objectClass]);
  for (const member of members) pairs.push(['member', member.address]);
  pairs.push(['modifyTimeStamp', formatGeneralizedTime(modifiedAt)], ['createTimeStamp', formatGeneralizedTime(createdAt)]);
  return pairs;
}

/** An entry as `<cn id ref>` (zimbra.md §6.1). */
export function contactElement(entry: DirectoryEntry, pairs: readonly AnswerPair[], more: Readonly<Record<string, AnswerValue | undefined>> = {}): AnswerElement {
  const dn = entryDn(entry.id);
  return { name: 'cn', attributes: { id: dn, ref: dn, ...more }, pairs };
}

/** Characters of all the values: what an answer costs. */
export function charactersOf(pairs: readonly AnswerPair[]): number {
  return pairs.reduce((sum, [, value]) => sum + value.length, 0);
}
