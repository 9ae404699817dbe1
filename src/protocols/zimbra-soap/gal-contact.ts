import { LIMITS } from '../../core/limits.ts';
import type { EntryDetails } from '../../directory/entry.ts';
import type { SourceEntry } from '../../directory/entry-source.ts';
import { isAtHome } from '../../directory/home-mailboxes.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { isAccountId } from './account.ts';

/** One `cn` of a Zimbra's address list. */
export interface GalContact {
  /** As it is remembered; see `decodeContact`. */
  readonly id: string;
  /** Of its account, where the list says so. */
  readonly zimbraId?: string;
  /** Undefined: without an address, no entry. */
  readonly entry?: SourceEntry;
}

/** What a contact of Zimbra's calls it (zimbra.md §6.1), and we. */
const DETAIL_NAMES: readonly (readonly [string, keyof EntryDetails])[] = [
  ['firstName', 'givenName'],
  ['lastName', 'surname'],
  ['initials', 'initials'],
  ['nickname', 'nickname'],
  ['jobTitle', 'title'],
  ['department', 'department'],
  ['company', 'company'],
  ['office', 'office'],
  ['workPhone', 'phone'],
  ['mobilePhone', 'mobile'],
  ['workFax', 'fax'],
  ['workStreet', 'street'],
  ['workCity', 'city'],
  ['workState', 'state'],
  ['workPostalCode', 'postalCode'],
  ['workCountry', 'country'],
  ['zimbraCalResCapacity', 'capacity'],
];

/** Of a mailbox in a GAL synchronisation account: `accountId:itemId`. */
const ITEM_ID = /^[\w.-]{1,64}:\d{1,15}$/;

type Values = ReadonlyMap<string, readonly string[]>;

/**
 * Reads `<cn id ref><a n="…">…</a></cn>` (zimbra.md §6.1). Its id is that by which `deleted` will name it, where there is such a one (a GAL synchronisation account's `accountId:itemId`), else
 * its zimbraId, which a rename does not change, else the DN.
 *
 * A list in mode `both` shows other directories' people too. An entry lives in this Zimbra where it has a zimbraId, or says nothing of its classes and has an address of the system's; what has a
 * class of another directory (or is a `contact`) and no zimbraId does not, whatever its address: with a shared name space it is the other side's.
 *
 * @returns undefined where it has no id at all
 */
export function decodeContact(element: XmlElement, rules: HomeMailboxes): GalContact | undefined {
  const values = valuesOf(element);
  const first = (name: string): string | undefined => values.get(name)?.[0];
  const said = attribute(element, 'id')?.trim() ?? '';
  const zimbraIdText = first('zimbraId') ?? '';
  const zimbraId = isAccountId(zimbraIdText) ? zimbraIdText : undefined;
  const id = ITEM_ID.test(said) ? said : (zimbraId ?? said);
  if (id === '' || id.length > LIMITS.entryIdCharacters) return undefined;
  const known = zimbraId === undefined ? { id } : { id, zimbraId };
  const address = parseMailboxAddress(first('email') ?? '');
  if (address === undefined) return known;
  const classes = (values.get('objectClass') ?? []).map((one) => one.toLowerCase());
  const isMailbox = livesHere(zimbraId !== undefined, classes, address, rules);
  const name = first('fullName')?.slice(0, LIMITS.entryNameCharacters);
  const phoneticName = [first('phoneticLastName'), first('phoneticFirstName')].filter((one) => one !== undefined).join(' ').slice(0, LIMITS.entryDetailCharacters);
  const ref = attribute(element, 'ref')?.trim().toLowerCase() ?? '';
  const kind = kindOf(values, classes, isMailbox);
  const aliases = aliasesOf(values, address);
  const members = kind === 'group' ? membersOf(values) : [];
  const entry: SourceEntry = {
    id,
    address,
    kind,
    isMailbox,
    ...(name === undefined ? {} : { name }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(ref === '' || ref.length > LIMITS.entryIdCharacters ? {} : { ref }),
    ...(members.length === 0 ? {} : { members }),
    ...detailsOf(values),
    ...(phoneticName === '' ? {} : { phoneticName }),
  };
  return { ...known, entry };
}

function livesHere(hasZimbraId: boolean, classes: readonly string[], address: MailboxAddress, home: HomeMailboxes): boolean {
  if (classes.includes('contact')) return false;
  if (hasZimbraId) return true;
  if (classes.length > 0 && !classes.some((one) => one.startsWith('zimbra'))) return false;
  return isAtHome(address, home);
}

function kindOf(values: Values, classes: readonly string[], isMailbox: boolean): SourceEntry['kind'] {
  const has = (name: string, wanted: RegExp): boolean => values.get(name)?.some((one) => wanted.test(one)) ?? false;
  if (has('type', /^group$/i) || classes.some((one) => one === 'zimbradistributionlist' || one === 'zimbragroup')) return 'group';
  // A room of Active Directory becomes a Location by Zimbra's value map, where that is as delivered (zimbra.md §6.3).
  if (has('zimbraCalResType', /^(?:location|room)$/i)) return 'room';
  if (has('zimbraCalResType', /^equipment$/i) || has('zimbraAccountCalendarUserType', /^resource$/i)) return 'equipment';
  return isMailbox ? 'person' : 'contact';
}

function aliasesOf(values: Values, address: MailboxAddress): readonly MailboxAddress[] {
  const found = new Set<MailboxAddress>();
  for (const [name, list] of values) {
    if (!/^(?:email\d{0,2}|zimbraMailAlias|zimbraMailDeliveryAddress)$/.test(name)) continue;
    for (const one of list) {
      const alias = parseMailboxAddress(one);
      if (alias !== undefined && alias !== address && found.size < LIMITS.entryAliases) found.add(alias);
    }
  }
  return [...found];
}

function membersOf(values: Values): readonly string[] {
  return (values.get('member') ?? []).slice(0, LIMITS.groupMembers).map((one) => one.toLowerCase());
}

function detailsOf(values: Values): EntryDetails {
  return Object.fromEntries(DETAIL_NAMES.flatMap(([theirs, ours]) => values.get(theirs)?.slice(0, 1).map((value) => [ours, value.slice(0, LIMITS.entryDetailCharacters)]) ?? []));
}

function valuesOf(element: XmlElement): Values {
  const values = new Map<string, string[]>();
  for (const one of element.children) {
    const name = one.name === 'a' ? (attribute(one, 'n') ?? '') : '';
    const text = one.text.trim();
    if (name === '' || text === '') continue;
    const list = values.get(name);
    if (list === undefined) values.set(name, [text]);
    else list.push(text);
  }
  return values;
}
