import { ENTRY_DETAILS } from '../../../directory/entry.ts';

/** Our names, as `attributes` of the configuration may map them. */
export const LDAP_ATTRIBUTE_NAMES = [
  'id',
  'address',
  'name',
  'aliases',
  'legacyExchangeDn',
  'targetAddress',
  'foreignPrincipal',
  'hidden',
  'members',
  'kind',
  ...ENTRY_DETAILS,
] as const;

export type LdapAttributeName = (typeof LDAP_ATTRIBUTE_NAMES)[number];

/** Of each of our names the attributes that it is read from, the strongest first. */
export type AttributeNames = Readonly<Record<LdapAttributeName, readonly string[]>>;

/**
 * Active Directory with Exchange, inetOrgPerson (RFC 2798) and Zimbra at once: an entry has what it has. How those of one line go together is decided where they are
 * read (entry-addresses.ts, entry-kind.ts).
 */
export const KNOWN_ATTRIBUTES: AttributeNames = {
  id: ['entryUUID', 'objectGUID', 'nsUniqueId', 'zimbraId'],
  address: ['proxyAddresses', 'zimbraMailDeliveryAddress', 'mail'],
  name: ['displayName', 'cn'],
  aliases: ['proxyAddresses', 'zimbraMailAlias', 'mail', 'zimbraMailDeliveryAddress', 'mailAlternateAddress', 'mailLocalAddress'],
  legacyExchangeDn: ['legacyExchangeDN'],
  targetAddress: ['targetAddress'],
  foreignPrincipal: ['zimbraForeignPrincipal'],
  hidden: ['msExchHideFromAddressLists', 'zimbraHideInGal', 'zimbraIsSystemResource', 'zimbraIsSystemAccount'],
  members: ['member', 'uniqueMember', 'zimbraMailForwardingAddress', 'rfc822MailMember'],
  kind: [],
  givenName: ['givenName'],
  surname: ['sn'],
  initials: ['initials'],
  nickname: ['mailNickname'],
  phoneticName: ['msDS-PhoneticDisplayName'],
  title: ['title'],
  department: ['department', 'ou'],
  company: ['company', 'o'],
  office: ['physicalDeliveryOfficeName', 'roomNumber'],
  phone: ['telephoneNumber'],
  mobile: ['mobile'],
  fax: ['facsimileTelephoneNumber'],
  street: ['streetAddress', 'street'],
  city: ['l'],
  state: ['st'],
  postalCode: ['postalCode'],
  country: ['co', 'c'],
  capacity: ['msExchResourceCapacity', 'zimbraCalResCapacity'],
};

/** Those that say what an entry is (entry-kind.ts), and when it changed. */
const ALWAYS_READ = [
  'objectClass',
  'homeMDB',
  'msExchRecipientDisplayType',
  'msExchRecipientTypeDetails',
  'msExchResourceMetaData',
  'msExchResourceSearchProperties',
  'zimbraCalResType',
  'zimbraMailTransport',
  'zimbraFreebusyLocalMailboxNotActive',
  'modifyTimestamp',
] as const;

/** Attributes that are no text, as they are asked for. */
export const BINARY_ATTRIBUTES = ['objectGUID'] as const;

/** @param overrides our names to theirs; an empty one: not read */
export function attributeNames(overrides: Readonly<Record<string, string>>): AttributeNames {
  const chosen = LDAP_ATTRIBUTE_NAMES.map((name) => [name, name in overrides ? [overrides[name]!].filter((one) => one !== '') : KNOWN_ATTRIBUTES[name]] as const);
  return Object.fromEntries(chosen) as unknown as AttributeNames;
}

/** What is asked for of an entry, each once. */
export function attributesToRead(names: AttributeNames): readonly string[] {
  return [...new Set([...ALWAYS_READ, ...Object.values(names).flat()])];
}

/**
 * Those of `filter` who may have an address, and nobody else: what has none is no entry, and what loses it must be missed.
 *
 * @param filter RFC 4515; its outer parentheses may be missing; undefined: everybody
 */
export function filterOf(filter: string | undefined, names: AttributeNames): string {
  const reachable = `(|${names.address.map((name) => `(${name}=*)`).join('')})`;
  const given = filter?.trim() ?? '';
  return given === '' ? reachable : `(&${given.startsWith('(') ? given : `(${given})`}${reachable})`;
}
