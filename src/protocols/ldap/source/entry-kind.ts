import { ENTRY_KINDS } from '../../../directory/entry.ts';
import type { EntryKind } from '../../../directory/entry.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { AttributeNames } from './attribute-names.ts';
import type { RawEntry } from './raw-entry.ts';

export interface KindOfEntry {
  readonly kind: EntryKind;
  readonly isMailbox: boolean;
}

/**
 * What an entry is, and whether the mailbox is here. The tables are in README.md ("What an entry is").
 *
 * @param own its addresses
 * @param target where its mail goes on to
 * @returns undefined for what is nobody at all (zimbraAlias: its account has the address already)
 */
export function kindOf(raw: RawEntry, names: AttributeNames, own: ReadonlySet<MailboxAddress>, target: MailboxAddress | undefined): KindOfEntry | undefined {
  const classes = new Set(raw.text('objectClass').map((one) => one.toLowerCase()));
  if (classes.has('zimbraalias')) return undefined;
  const display = displayType(raw);
  const details = typeDetails(raw);
  const isContact = classes.has('contact') || details === MAIL_CONTACT || details === MAIL_USER || details === FOREST_CONTACT || display?.type === REMOTE_MAIL_USER;
  const goesElsewhere = target !== undefined && !(own.has(target) && isSaidToBeHere(raw));
  const isZimbraElsewhere = /^smtp:/i.test(raw.text('zimbraMailTransport')[0] ?? '') || isTrue(raw.text('zimbraFreebusyLocalMailboxNotActive')[0]);
  const isElsewhere = isContact || goesElsewhere || display?.isRemote === true || REMOTE_DETAILS.has(details ?? 0) || isZimbraElsewhere;

  const said = saidKind(raw, names);
  if (said !== undefined) return { kind: said, isMailbox: said !== 'contact' && !isElsewhere };
  if (GROUP_CLASSES.some((one) => classes.has(one)) || GROUP_TYPES.has(display?.type ?? 0)) return { kind: 'group', isMailbox: !isElsewhere };
  const resource = resourceKind(raw, classes, display?.type, details);
  if (resource !== undefined) return { kind: resource, isMailbox: !isElsewhere };
  if (isContact || classes.has('publicfolder') || display?.type === PUBLIC_FOLDER) return { kind: 'contact', isMailbox: false };
  // A remote mailbox is somebody's mailbox, only not here; mail that merely goes on to another address stands for who has that one.
  if (goesElsewhere && display?.isRemote !== true && !REMOTE_DETAILS.has(details ?? 0)) return { kind: 'contact', isMailbox: false };
  return { kind: 'person', isMailbox: !isElsewhere };
}

/**
 * Whether something but its addresses says that there is a mailbox here. Exchange writes the external address of a mail user among its own too (Enable-MailUser), and in a shared
 * namespace it is the primary one: of an entry without these, as Exchange 2003 has them, any targetAddress says that the mailbox is elsewhere. The display type of a mail user is looked at before.
 */
function isSaidToBeHere(raw: RawEntry): boolean {
  return ['homeMDB', 'msExchRecipientDisplayType', 'msExchRecipientTypeDetails'].some((attribute) => raw.text(attribute).length > 0);
}

/** TRUE, as LDAP writes a boolean; `1` and `yes` of other schemas. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(?:true|1|yes|y)$/i.test(value);
}

const GROUP_CLASSES = ['group', 'groupofnames', 'groupofuniquenames', 'groupofmembers', 'groupofurls', 'posixgroup', 'zimbradistributionlist', 'zimbragroup', 'msexchdynamicdistributionlist', 'nismailalias'];

/** PidTagDisplayTypeEx, [MS-OXOABK] 2.2.3.4: distribution list, dynamic one, security group; and Exchange's list of rooms. */
const GROUP_TYPES = new Set([1, 3, 9, 15]);
const PUBLIC_FOLDER = 2;
const REMOTE_MAIL_USER = 6;
const ROOM = 7;
const EQUIPMENT = 8;

/**
 * msExchRecipientDisplayType is a signed PidTagDisplayTypeEx: bit 31 (a negative number) says that the mailbox is elsewhere, and bits 8 to 15 what it is there; bit 30 that it can be
 * on an access list; bits 0 to 7 what it is here.
 */
function displayType(raw: RawEntry): { readonly type: number; readonly isRemote: boolean } | undefined {
  const value = integer(raw.text('msExchRecipientDisplayType')[0]);
  if (value === undefined) return undefined;
  const bits = value | 0;
  const isRemote = bits < 0;
  // Exchange writes 0x80000006 for a remote mailbox: nothing in bits 8 to 15, a person.
  return { type: isRemote ? (bits >> 8) & 0xff : bits & 0xff, isRemote };
}

const MAIL_CONTACT = 64;
const MAIL_USER = 128;
const FOREST_CONTACT = 32_768;
const ROOM_DETAILS = new Set([16, 2 ** 33, 2 ** 41]);
const EQUIPMENT_DETAILS = new Set([32, 2 ** 34]);
/** Remote mailbox of a user, room, equipment, shared, team, group. */
const REMOTE_DETAILS = new Set([2 ** 31, 2 ** 33, 2 ** 34, 2 ** 35, 2 ** 38, 2 ** 43]);

function typeDetails(raw: RawEntry): number | undefined {
  return integer(raw.text('msExchRecipientTypeDetails')[0]);
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function resourceKind(raw: RawEntry, classes: ReadonlySet<string>, display: number | undefined, details: number | undefined): EntryKind | undefined {
  const said = [...raw.text('msExchResourceSearchProperties'), ...raw.text('msExchResourceMetaData').map((one) => one.replace(/^ResourceType:/i, '')), ...raw.text('zimbraCalResType')].map((one) => one.toLowerCase());
  if (display === ROOM || ROOM_DETAILS.has(details ?? 0) || said.includes('room') || said.includes('location')) return 'room';
  if (display === EQUIPMENT || EQUIPMENT_DETAILS.has(details ?? 0) || said.includes('equipment') || classes.has('zimbracalendarresource')) return 'equipment';
  return undefined;
}

/** By the attribute that the configuration names for it. */
function saidKind(raw: RawEntry, names: AttributeNames): EntryKind | undefined {
  const said = names.kind.flatMap((attribute) => raw.text(attribute)).map((one) => one.toLowerCase());
  return ENTRY_KINDS.find((kind) => said.includes(kind));
}
