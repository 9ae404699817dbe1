import { createHash } from 'node:crypto';
import { DAY_MS } from '../core/clock.ts';
import { attribute, child, childrenNamed, childText, descend } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import type { CalendarStore, Entry, Reply, Sensitivity } from './calendar-store.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer, ServerGeneration } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';

const SOURCE = 'exchange.md §3.4, captures/ews-server/getfolder-public.xml, schemas/ews';
const CHANGE_KEY = 'AgAAAA==';
/** Exchange's default cap and widest view (exchange.md §3.4). */
const MOST_ITEMS = 1_000;
const WIDEST_MS = 2 * 366 * DAY_MS;

export interface CalendarFolders {
  readonly calendars: CalendarStore;
  /** What a folder's DisplayName says: the language of its owner. */
  readonly nameOf: (address: string) => string;
  readonly generation: ServerGeneration;
}

/** Whose calendar a folder id names: a mailbox, `elsewhere` for what is no calendar folder, `nobody` where the mailbox does not exist. */
export type FolderOwner = { readonly address: string; readonly isDelegated: boolean } | 'elsewhere' | 'nobody';

const opaque = (text: string): string => createHash('sha256').update(text).digest('base64');

export function folderIdOf(address: string): string {
  return opaque(`calendar of ${address.toLowerCase()}`);
}

export function itemIdOf(entryId: string): string {
  return opaque(`entry ${entryId}`);
}

/** @param asker whose calendar `calendar` is where the id names nobody: who is impersonated, else who has signed in */
export function ownerOfFolder(id: XmlElement, calendars: CalendarStore, asker: string | undefined): FolderOwner {
  if (id.name === 'FolderId') {
    const owner = calendars.mailboxes().find((one) => folderIdOf(one.address) === attribute(id, 'Id'));
    return owner === undefined ? 'elsewhere' : { address: owner.address, isDelegated: owner.address !== asker };
  }
  if (id.name !== 'DistinguishedFolderId' || attribute(id, 'Id') !== 'calendar') return 'elsewhere';
  const named = childText(child(id, 'Mailbox'), 'EmailAddress');
  const address = calendars.find(named ?? asker ?? '')?.address;
  return address === undefined ? 'nobody' : { address, isDelegated: address !== asker };
}

/** GetFolder and FindItem where they concern a calendar; undefined where they do not. */
export function answerAboutCalendar(operation: XmlElement, folders: CalendarFolders, asker: string | undefined): EwsAnswer | undefined {
  if (operation.name !== 'GetFolder' && operation.name !== 'FindItem') return undefined;
  const ids = child(operation, operation.name === 'GetFolder' ? 'FolderIds' : 'ParentFolderIds')?.children ?? [];
  const owners = ids.map((id) => ownerOfFolder(id, folders.calendars, asker));
  if (owners.every((one) => one === 'elsewhere')) return undefined;
  const make = operation.name === 'GetFolder' ? getFolder : findItem;
  const messages = owners.map((owner) => {
    if (owner === 'elsewhere') return failure(operation.name, 'ErrorFolderNotFound', 'The specified folder could not be found in the store.');
    if (owner === 'nobody') return failure(operation.name, 'ErrorNonExistentMailbox', 'The SMTP address has no mailbox associated with it.');
    return make(operation, owner.address, folders);
  });
  return {
    body: el(`m:${operation.name}Response`, { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, messages)),
    source: SOURCE,
    mailboxes: owners.length,
  };
}

function getFolder(operation: XmlElement, address: string, { calendars, nameOf }: CalendarFolders): XmlNode {
  const isIdOnly = childText(child(operation, 'FolderShape'), 'BaseShape') === 'IdOnly';
  return success('GetFolder', el(
    'm:Folders',
    {},
    el(
      't:CalendarFolder',
      {},
      el('t:FolderId', { Id: folderIdOf(address), ChangeKey: CHANGE_KEY }),
      !isIdOnly && [
        el('t:FolderClass', {}, 'IPF.Appointment'),
        el('t:DisplayName', {}, nameOf(address)),
        el('t:TotalCount', {}, calendars.list(address).length),
        el('t:ChildFolderCount', {}, 0),
      ],
    ),
  ));
}

function findItem(operation: XmlElement, address: string, { calendars, generation }: CalendarFolders): XmlNode {
  if (attribute(operation, 'Traversal') !== 'Shallow') return failure('FindItem', 'ErrorInvalidOperation', 'The operation is not valid for this folder.');
  const view = child(operation, 'CalendarView');
  const start = Date.parse(attribute(view, 'StartDate') ?? '');
  const end = Date.parse(attribute(view, 'EndDate') ?? '');
  const most = Number(attribute(view, 'MaxEntriesReturned') ?? MOST_ITEMS);
  if (view === undefined || Number.isNaN(start) || Number.isNaN(end) || !(most >= 1)) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: CalendarView.');
  if (end < start) return failure('FindItem', 'ErrorCalendarEndDateIsEarlierThanStartDate', 'EndDate is earlier than StartDate.');
  if (end - start > WIDEST_MS) return failure('FindItem', 'ErrorCalendarViewRangeTooBig', 'The specified view range exceeds the maximum range of two years.');
  const found = calendars.touching(address, start, end);
  const shown = found.slice(0, Math.min(most, MOST_ITEMS));
  const wanted = wantedFields(child(operation, 'ItemShape'));
  return success('FindItem', el(
    'm:RootFolder',
    { TotalItemsInView: String(found.length), IncludesLastItemInRange: String(shown.length === found.length) },
    el('t:Items', {}, shown.map((entry) => calendarItem(entry, address, wanted, generation))),
  ));
}

type FieldMaker = (entry: Entry, address: string, generation: ServerGeneration) => XmlNode | false;

const RESPONSE: Readonly<Record<Reply, string>> = { none: 'Unknown', organizer: 'Organizer', tentative: 'Tentative', accepted: 'Accept', declined: 'Decline', 'not-answered': 'NoResponseReceived' };
const SENSITIVITY: Readonly<Record<Sensitivity, string>> = { normal: 'Normal', personal: 'Personal', private: 'Private', confidential: 'Confidential' };
const STATUS = { free: 'Free', tentative: 'Tentative', busy: 'Busy', oof: 'OOF' } as const;

const time = (instant: number): string => new Date(instant).toISOString().replace('.000Z', 'Z');
const isMeeting = (entry: Entry): string => String(entry.reply !== 'none');

/** In the order of the schema. */
const FIELDS: readonly (readonly [uri: string, make: FieldMaker])[] = [
  ['item:ParentFolderId', (_, address) => el('t:ParentFolderId', { Id: folderIdOf(address), ChangeKey: CHANGE_KEY })],
  ['item:ItemClass', () => el('t:ItemClass', {}, 'IPM.Appointment')],
  ['item:Subject', (entry) => el('t:Subject', {}, entry.subject)],
  ['item:Sensitivity', (entry) => el('t:Sensitivity', {}, SENSITIVITY[entry.sensitivity])],
  ['calendar:UID', (entry) => el('t:UID', {}, entry.id)],
  ['calendar:Start', (entry) => el('t:Start', {}, time(entry.start))],
  ['calendar:End', (entry) => el('t:End', {}, time(entry.end))],
  ['calendar:IsAllDayEvent', (entry) => el('t:IsAllDayEvent', {}, String(entry.isAllDay))],
  ['calendar:LegacyFreeBusyStatus', (entry, _, generation) => el('t:LegacyFreeBusyStatus', {}, entry.type === 'working-elsewhere' ? (generation === 2013 ? 'WorkingElsewhere' : 'Free') : STATUS[entry.type])],
  ['calendar:Location', (entry) => entry.location !== '' && el('t:Location', {}, entry.location)],
  ['calendar:IsMeeting', (entry) => el('t:IsMeeting', {}, isMeeting(entry))],
  ['calendar:IsCancelled', (entry) => el('t:IsCancelled', {}, String(entry.isCancelled))],
  ['calendar:IsRecurring', () => el('t:IsRecurring', {}, 'false')],
  ['calendar:CalendarItemType', () => el('t:CalendarItemType', {}, 'Single')],
  ['calendar:MyResponseType', (entry) => el('t:MyResponseType', {}, RESPONSE[entry.reply])],
];
const DEFAULT_FIELDS = ['item:Subject', 'calendar:Start', 'calendar:End', 'calendar:LegacyFreeBusyStatus', 'calendar:Location', 'calendar:CalendarItemType'];

/** @throws EwsFault for a field that the stand-in does not have: what it left out could be taken for unset */
function wantedFields(shape: XmlElement | undefined): ReadonlySet<string> {
  const base = childText(shape, 'BaseShape');
  if (base !== 'IdOnly' && base !== 'Default' && base !== 'AllProperties') throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: ItemShape.');
  const added = childrenNamed(descend(shape, 'AdditionalProperties'), 'FieldURI').map((one) => attribute(one, 'FieldURI') ?? '');
  const known = FIELDS.map(([uri]) => uri);
  if (added.some((one) => !known.includes(one))) throw new EwsFault('ErrorInvalidPropertyRequest', 'The property is not known to this stand-in.');
  return new Set([...added, ...(base === 'IdOnly' ? [] : base === 'Default' ? DEFAULT_FIELDS : known)]);
}

function calendarItem(entry: Entry, address: string, wanted: ReadonlySet<string>, generation: ServerGeneration): XmlNode {
  const fields = FIELDS.filter(([uri]) => wanted.has(uri)).map(([, make]) => make(entry, address, generation));
  return el('t:CalendarItem', {}, el('t:ItemId', { Id: itemIdOf(entry.id), ChangeKey: CHANGE_KEY }), fields);
}

function success(operation: string, content: XmlNode): XmlNode {
  return el(`m:${operation}ResponseMessage`, { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError'), content);
}

function failure(operation: string, code: string, text: string): XmlNode {
  return el(
    `m:${operation}ResponseMessage`,
    { ResponseClass: 'Error' },
    el('m:MessageText', {}, text),
    el('m:ResponseCode', {}, code),
    el('m:DescriptiveLinkKey', {}, 0),
    // The schema asks for it in an answer about folders, even a failed one.
    operation === 'GetFolder' && el('m:Folders', {}),
  );
}
