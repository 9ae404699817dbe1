import { formatGeneralizedTime } from '../../../core/generalized-time.ts';
import type { DirectoryEntry, EntryDetails, EntryKind } from '../../../directory/entry.ts';
import { tokensOf } from '../../../directory/words.ts';
import { attributeFinder } from './attribute.ts';
import type { Attribute, FindAttribute } from './attribute.ts';
import { entryDn, entryNamed } from './shown-entry.ts';
import type { ShownEntry, View } from './shown-entry.ts';

/** An attribute of the address book's entries. */
export interface EntryAttribute extends Attribute<ShownEntry> {
  /** Directory.search finds whoever has a value that begins like this by the text that is given here; undefined where it finds them by none. */
  foundBy?(begin: string): string | undefined;
  /** So many have the same value that it narrows nothing. */
  readonly isCommon?: true;
  /** With those whom `foundBy` finds, where there is one: all who can have exactly this value. */
  whoHas?(value: string, view: View): readonly DirectoryEntry[];
}

const NOTHING: readonly string[] = [];
const oneOf = (value: string | undefined): readonly string[] => (value === undefined ? NOTHING : [value]);

const byWords = (begin: string): string | undefined => (tokensOf(begin).length > 0 ? begin : undefined);
/** No address has a blank, comma or semicolon. */
const byAddress = (begin: string): string | undefined => (/^[^\s,;]+$/.test(begin.trim()) ? begin.trim() : undefined);
const byProxy = (begin: string): string | undefined => (/^smtp:/i.test(begin) ? byAddress(begin.slice(5)) : undefined);

type Rest = Omit<EntryAttribute, 'name' | 'oid' | 'matching' | 'values'>;

function text(name: string, oid: string | undefined, values: (entry: DirectoryEntry, view: View) => readonly string[], rest: Rest = {}): EntryAttribute {
  return { name, ...(oid === undefined ? {} : { oid }), matching: 'text', values: ({ entry, view }) => values(entry, view), ...rest };
}

function detail(name: string, oid: string | undefined, key: keyof EntryDetails, rest: Rest = {}): EntryAttribute {
  return text(name, oid, (entry) => oneOf(entry[key]), rest);
}

/** What people of Exchange call the alias: something everybody has, because filters ask for `mailNickname=*`. */
const nicknameOf = ({ nickname, address }: DirectoryEntry): string => nickname ?? address.slice(0, address.indexOf('@'));
const isPlace = ({ kind }: DirectoryEntry): boolean => kind === 'room' || kind === 'equipment';
const uuidOf = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

const CLASS_OF: Readonly<Record<EntryKind, string>> = { person: 'user', room: 'user', equipment: 'user', contact: 'contact', group: 'group' };
const CLASSES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(Object.values(CLASS_OF).map((last) => [last, ['top', 'person', 'organizationalPerson', 'inetOrgPerson', last]]));

const byId = (id: string, { directory, requester }: View): readonly DirectoryEntry[] => {
  const found = directory.byId(id, requester);
  return found === undefined ? [] : [found];
};

const membersOf = (entry: DirectoryEntry, { directory, requester }: View): readonly DirectoryEntry[] => (entry.kind === 'group' ? directory.membersOf(entry, requester) : []);

/** Active Directory's `(memberOf=…)`, by which Zimbra's ADGroupHandler asks for members; the other way round nothing is shown, because nobody keeps it. */
const MEMBER_OF: EntryAttribute = {
  name: 'memberOf',
  oid: '1.2.840.113556.1.2.102',
  matching: 'name',
  isNeverShown: true,
  values: () => NOTHING,
  whoHas: (group, view) => {
    const entry = entryNamed(group, view);
    return entry === undefined ? [] : membersOf(entry, view);
  },
};

const TIMES = { modified: ({ entry }: ShownEntry) => [formatGeneralizedTime(entry.modifiedAt)], created: ({ entry }: ShownEntry) => [formatGeneralizedTime(entry.createdAt)] };

/** Everything that an entry shows, in the order in which it is shown. */
const SHOWN: readonly EntryAttribute[] = [
  text('objectClass', '2.5.4.0', ({ kind }) => CLASSES[CLASS_OF[kind]]!, { isCommon: true }),
  { name: 'objectCategory', oid: '1.2.840.113556.1.4.782', matching: 'category', isCommon: true, values: ({ entry }) => [entry.kind === 'group' ? 'group' : 'person'] },
  text('cn', '2.5.4.3', ({ name }) => [name], { alsoCalled: ['commonName', 'name'], foundBy: byWords }),
  text('displayName', '2.16.840.1.113730.3.1.241', ({ name }) => [name], { foundBy: byWords }),
  detail('givenName', '2.5.4.42', 'givenName', { alsoCalled: ['gn'], foundBy: byWords }),
  // The class person demands one.
  text('sn', '2.5.4.4', ({ surname, name }) => [surname ?? name], { alsoCalled: ['surname'], foundBy: byWords }),
  detail('initials', '2.5.4.43', 'initials'),
  detail('msDS-PhoneticDisplayName', '1.2.840.113556.1.4.1946', 'phoneticName', { foundBy: byWords }),
  // Aliases stand in proxyAddresses alone: of every further address that it is shown Zimbra makes a suggestion (zimbra.md §6.2).
  text('mail', '0.9.2342.19200300.100.1.3', ({ address }) => [address], { alsoCalled: ['rfc822Mailbox'], foundBy: byAddress }),
  text('proxyAddresses', '1.2.840.113556.1.2.210', ({ address, aliases }) => [`SMTP:${address}`, ...aliases.map((one) => `smtp:${one}`)], { foundBy: byProxy }),
  text('mailNickname', '1.2.840.113556.1.2.447', (entry) => [nicknameOf(entry)], { foundBy: byWords }),
  text('uid', '0.9.2342.19200300.100.1.1', (entry) => [nicknameOf(entry), entry.id], { alsoCalled: ['userid'], whoHas: (value, view) => [...byId(value.toLowerCase(), view)], foundBy: byWords }),
  text('legacyExchangeDN', '1.2.840.113556.1.4.655', (entry, { directory }) => oneOf(directory.legacyExchangeDnOf(entry)), {
    whoHas: (value, { directory, requester }) => {
      const found = directory.byLegacyExchangeDn(value, requester);
      return found === undefined ? [] : [found];
    },
  }),
  detail('title', '2.5.4.12', 'title'),
  detail('department', '1.2.840.113556.1.2.141', 'department'),
  // Zimbra reads the department here.
  detail('ou', '2.5.4.11', 'department', { alsoCalled: ['organizationalUnitName'] }),
  detail('company', '1.2.840.113556.1.2.146', 'company'),
  detail('o', '2.5.4.10', 'company', { alsoCalled: ['organizationName'] }),
  detail('physicalDeliveryOfficeName', '2.5.4.19', 'office'),
  { ...detail('telephoneNumber', '2.5.4.20', 'phone'), matching: 'phone' },
  { ...detail('mobile', '0.9.2342.19200300.100.1.41', 'mobile', { alsoCalled: ['mobileTelephoneNumber'] }), matching: 'phone' },
  { ...detail('facsimileTelephoneNumber', '2.5.4.23', 'fax', { alsoCalled: ['fax'] }), matching: 'phone' },
  detail('street', '2.5.4.9', 'street'),
  detail('streetAddress', '1.2.840.113556.1.2.256', 'street'),
  detail('l', '2.5.4.7', 'city', { alsoCalled: ['localityName'] }),
  detail('st', '2.5.4.8', 'state', { alsoCalled: ['stateOrProvinceName'] }),
  detail('postalCode', '2.5.4.17', 'postalCode'),
  detail('co', '1.2.840.113556.1.2.131', 'country', { alsoCalled: ['friendlyCountryName'] }),
  // Two letters or nothing (RFC 4519 §2.2).
  text('c', '2.5.4.6', ({ country = '' }) => (/^[A-Za-z]{2}$/.test(country) ? [country.toUpperCase()] : NOTHING), { alsoCalled: ['countryName'], isCommon: true }),
  text('msExchResourceSearchProperties', undefined, ({ kind }) => (kind === 'room' ? ['Room'] : kind === 'equipment' ? ['Equipment'] : NOTHING), { isCommon: true }),
  text('msExchResourceCapacity', undefined, (entry) => (isPlace(entry) ? oneOf(entry.capacity) : NOTHING)),
  {
    name: 'member',
    oid: '2.5.4.31',
    matching: 'name',
    values: ({ entry, view }) => membersOf(entry, view).map(({ id }) => entryDn(id, view.base)),
  },
  { name: 'whenChanged', oid: '1.2.840.113556.1.2.3', matching: 'time', values: TIMES.modified },
  { name: 'whenCreated', oid: '1.2.840.113556.1.2.2', matching: 'time', values: TIMES.created },
  { name: 'modifyTimestamp', oid: '2.5.18.2', matching: 'time', isOperational: true, values: TIMES.modified },
  { name: 'createTimestamp', oid: '2.5.18.1', matching: 'time', isOperational: true, values: TIMES.created },
  text('entryUUID', '1.3.6.1.1.16.4', ({ id }) => [uuidOf(id)], { isOperational: true, whoHas: (value, view) => byId(value.replaceAll('-', '').toLowerCase(), view) }),
  { name: 'entryDN', oid: '1.3.6.1.1.20', matching: 'name', isOperational: true, values: ({ entry, view }) => [entryDn(entry.id, view.base)], whoHas: (dn, view) => oneEntry(entryNamed(dn, view)) },
  text('structuralObjectClass', '2.5.21.9', () => ['inetOrgPerson'], { isOperational: true, isCommon: true }),
  text('hasSubordinates', '2.5.18.9', () => ['FALSE'], { isOperational: true, isCommon: true }),
];

function oneEntry(entry: DirectoryEntry | undefined): readonly DirectoryEntry[] {
  return entry === undefined ? [] : [entry];
}

/** Ambiguous name resolution, which Outlook asks Active Directory for. */
const ANR: EntryAttribute = {
  name: 'anr',
  oid: '1.2.840.113556.1.4.1208',
  matching: 'words',
  isNeverShown: true,
  foundBy: byWords,
  values: ({ entry }) => [entry.name, entry.givenName, entry.surname, entry.phoneticName, nicknameOf(entry), entry.address, ...entry.aliases].filter((one) => one !== undefined),
};

/**
 * Known, and nobody here has them. An item about an attribute that is not known is Undefined, and `(!(msExchHideFromAddressLists=TRUE))`, which Zimbra's filter `ad`
 * has, must be true.
 */
const NOBODYS = [
  'msExchHideFromAddressLists', 'msExchHomeServerName', 'homeMDB', 'msExchRecipientDisplayType', 'msExchRecipientTypeDetails', 'showInAddressBook', 'targetAddress', 'userAccountControl', 'groupType', 'sAMAccountName',
  'sAMAccountType', 'userPrincipalName', 'zimbraHideInGal', 'zimbraId', 'zimbraMailDeliveryAddress', 'zimbraMailAlias', 'zimbraCalResType', 'zimbraCalResCapacity', 'zimbraAccountCalendarUserType', 'description', 'info', 'homePhone', 'pager',
  'postOfficeBox', 'postalAddress', 'labeledURI', 'manager', 'employeeType', 'employeeNumber', 'userCertificate', 'userSMIMECertificate', 'thumbnailPhoto', 'jpegPhoto', 'seeAlso', 'xmozillanickname', 'mozillaNickname', 'otherMailbox',
].map((name): EntryAttribute => text(name, undefined, () => NOTHING, { isNeverShown: true, whoHas: () => [] }));

/** What may be asked for; in the order in which it is shown. */
export const ENTRY_ATTRIBUTES: readonly EntryAttribute[] = SHOWN;

const find = attributeFinder([...SHOWN, ANR, MEMBER_OF, ...NOBODYS]);

/** The attributes of entries, in this view. */
export function entryAttributeFinder(view: View): FindAttribute<EntryAttribute> {
  // Who is in a group is looked up once a filter.
  const memberOf: EntryAttribute = {
    ...MEMBER_OF,
    equals: (group) => {
      const ids = new Set(MEMBER_OF.whoHas!(group, view).map(({ id }) => id));
      return ({ entry }) => ids.has(entry.id);
    },
  };
  return (description) => {
    const found = find(description);
    return found === MEMBER_OF ? memberOf : found;
  };
}
