import { LIMITS } from '../../core/limits.ts';
import { ENTRY_KINDS } from '../../directory/entry.ts';
import type { EntryKind } from '../../directory/entry.ts';
import type { CsvColumn, CsvColumns } from './csv-columns.ts';
import { memberNamed } from './entry-fields.ts';
import type { EntryFields } from './entry-fields.ts';
import { sortProxyAddresses } from './proxy-addresses.ts';

/** Our own words, and those of Exchange's RecipientTypeDetails, of LDAP's objectClass and of zimbraCalResType. */
const KIND_WORDS: readonly (readonly [word: RegExp, kind: EntryKind])[] = [
  [/room|^location$/, 'room'],
  [/equipment/, 'equipment'],
  [/group|distributionlist/, 'group'],
  [/contact/, 'contact'],
];

/** One row as one of our entries. */
export function csvFields({ of }: CsvColumns, row: readonly string[]): EntryFields {
  const all = (column: CsvColumn): readonly string[] => of[column].flatMap((index) => row[index]?.trim() || []);
  const one = (column: CsvColumn): string | undefined => all(column)[0];
  // Exchange Management Shell prints `{SMTP:a@b, smtp:c@d}`; scripts join with blanks or semicolons. A DN may hold all of these, so it ends where the next prefix begins.
  const proxies = sortProxyAddresses(all('proxies').flatMap((text) => text.replace(/^\{|\}$/g, '').split(/[\s,;]+(?=[A-Za-z0-9]+:)|[;|]\s*/, 4 * LIMITS.entryAliases)));
  const kindWord = (one('kind') ?? '').toLowerCase();
  const kind = ENTRY_KINDS.find((name) => name === kindWord) ?? KIND_WORDS.find(([word]) => word.test(kindWord))?.[1] ?? 'person';
  const nickname = one('nickname');
  return {
    id: one('id'),
    addresses: [...all('address').flatMap(listed), ...proxies.primary, ...all('moreAddresses').flatMap(listed), ...(nickname?.includes('@') === true ? [nickname] : []), ...proxies.others],
    name: one('name'),
    kind,
    standsForAnother: /^(?:remote|mailuser|guest)/.test(kindWord),
    isHidden: /^(?:true|yes|1)$/i.test(one('hidden') ?? ''),
    targetAddress: one('targetAddress'),
    legacyExchangeDn: one('legacyExchangeDn'),
    formerDns: proxies.formerDns,
    members: all('members').flatMap(listed).map(memberNamed),
    details: {
      givenName: one('givenName'),
      surname: one('surname'),
      initials: one('initials'),
      nickname: nickname?.includes('@') === true ? undefined : nickname,
      phoneticName: [one('phoneticName'), one('phoneticGivenName')].filter((part) => part !== undefined).join(' '),
      title: one('title'),
      department: one('department'),
      company: one('company'),
      office: one('office'),
      phone: one('phone'),
      mobile: one('mobile'),
      fax: one('fax'),
      street: one('street'),
      city: one('city'),
      state: one('state'),
      postalCode: one('postalCode'),
      country: one('country'),
      capacity: one('capacity'),
    },
  };
}

/** Several addresses in one cell: `;` between them, Google writes ` ::: `. One more than is kept is enough to know that there are too many. */
function listed(text: string): readonly string[] {
  return text.split(/;|:::/, LIMITS.groupMembers + 1);
}
