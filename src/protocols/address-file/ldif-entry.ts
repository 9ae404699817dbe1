import { LIMITS } from '../../core/limits.ts';
import type { EntryKind } from '../../directory/entry.ts';
import type { EntryFields } from './entry-fields.ts';
import { memberNamed } from './entry-fields.ts';
import { decodedText } from './ldif-value.ts';
import type { LdifRecord } from './ldif-value.ts';
import { sortProxyAddresses } from './proxy-addresses.ts';

const GROUP_CLASSES = ['group', 'groupofnames', 'groupofuniquenames', 'zimbradistributionlist', 'zimbragroup', 'nismailalias', 'mailgroup', 'rfc822mailgroup', 'msexchdynamicdistributionlist'];

/** msExchRecipientDisplayType of rooms and of equipment; the large ones are of mailboxes in another forest or in the cloud. */
const ROOM_TYPES = ['7', '-2147481850'];
const EQUIPMENT_TYPES = ['8', '-2147481594'];
/** Synchronized ones, remote mailboxes among them, and the mail user: none of them lives here. */
const ELSEWHERE = /^(?:-\d+|6)$/;

/** An entry of Active Directory, inetOrgPerson or Zimbra as one of ours. `mail` is the primary address; Zimbra's delivery address, `SMTP:` proxies and aliases follow. */
export function ldifFields({ dn, attributes }: LdifRecord): EntryFields {
  const all = (...names: readonly string[]): readonly string[] => names.flatMap((name) => (attributes.get(name) ?? []).flatMap((value) => decodedText(value) ?? []));
  const one = (...names: readonly string[]): string | undefined => all(...names).find((text) => text.trim() !== '');
  const isTrue = (name: string): boolean => one(name)?.toUpperCase() === 'TRUE';
  const classes = new Set(all('objectclass').map((name) => name.toLowerCase()));
  const display = one('msexchrecipientdisplaytype') ?? '';
  const proxies = sortProxyAddresses(all('proxyaddresses'));
  const principals = all('zimbraforeignprincipal').filter((text) => text.startsWith('ad:'));
  return {
    // objectGUID is octets: as base64 it is as good a name as any.
    id: one('entryuuid') ?? attributes.get('objectguid')?.[0]?.text ?? one('zimbraid') ?? dn.toLowerCase(),
    addresses: [...all('mail'), ...all('zimbramaildeliveryaddress'), ...proxies.primary, ...proxies.others, ...all('zimbramailalias', 'mailalternateaddress')],
    name: one('displayname', 'cn'),
    kind: kindOf(classes, display, all('msexchresourcesearchproperties', 'zimbracalrestype', 'msexchresourcemetadata')),
    standsForAnother: ELSEWHERE.test(display),
    isHidden: isTrue('msexchhidefromaddresslists') || isTrue('zimbrahideingal'),
    targetAddress: one('targetaddress'),
    legacyExchangeDn: one('legacyexchangedn'),
    formerDns: proxies.formerDns,
    foreignPrincipal: principals[0]?.slice(3),
    ref: dn.toLowerCase(),
    members: all('member', 'uniquemember', 'zimbramailforwardingaddress', 'rfc822mailmember').slice(0, LIMITS.groupMembers + 1).map(memberNamed),
    details: {
      givenName: one('givenname', 'gn'),
      surname: one('sn', 'surname'),
      initials: one('initials'),
      nickname: one('mailnickname', 'nickname'),
      phoneticName: one('msds-phoneticdisplayname', 'zimbraphoneticdisplayname') ?? both(one('msds-phoneticlastname', 'sn;lang-ja;phonetic'), one('msds-phoneticfirstname', 'givenname;lang-ja;phonetic')),
      title: one('title'),
      department: one('department', 'departmentnumber', 'ou'),
      company: one('company', 'o'),
      office: one('physicaldeliveryofficename', 'roomnumber', 'zimbracalreslocationdisplayname'),
      phone: one('telephonenumber'),
      mobile: one('mobile', 'mobiletelephonenumber'),
      fax: one('facsimiletelephonenumber', 'fax'),
      street: one('streetaddress', 'street'),
      city: one('l', 'localityname'),
      state: one('st', 'stateorprovincename'),
      postalCode: one('postalcode'),
      country: one('co', 'friendlycountryname', 'c'),
      capacity: one('msexchresourcecapacity', 'zimbracalrescapacity'),
    },
  };
}

function kindOf(classes: ReadonlySet<string>, display: string, resource: readonly string[]): EntryKind {
  if (GROUP_CLASSES.some((name) => classes.has(name))) return 'group';
  const words = resource.join(' ').toLowerCase();
  if (ROOM_TYPES.includes(display) || /\b(?:room|location)\b/.test(words)) return 'room';
  if (EQUIPMENT_TYPES.includes(display) || /\bequipment\b/.test(words)) return 'equipment';
  return classes.has('contact') ? 'contact' : 'person';
}

function both(surname: string | undefined, givenName: string | undefined): string | undefined {
  return [surname, givenName].filter((one) => one !== undefined).join(' ') || undefined;
}
