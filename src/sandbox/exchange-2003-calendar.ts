import { childrenNamed } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { CalendarStore, Entry, EntryType, Reply, Sensitivity } from './calendar-store.ts';
import { calendarUrl } from './exchange-2003-mailbox.ts';
import type { CalendarNames, MailboxPath } from './exchange-2003-mailbox.ts';
import { multistatusOf, propertyResponse } from './exchange-2003-multistatus.ts';
import type { PropertyName } from './exchange-2003-multistatus.ts';
import { badRequest, notFound } from './exchange-2003-public-folder.ts';
import { readQuery } from './exchange-2003-sql.ts';
import type { Query, Value } from './exchange-2003-sql.ts';
import { percentDecoded } from './raw-query.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

const SOURCE = 'captures/exchange-webdav/AppointmentResponse.xml';

/** SEARCH of a calendar folder: appointments one by one, as a real Exchange 2003 was captured to answer. */
export async function answerCalendarSearch(request: StandInRequest, path: MailboxPath, calendars: CalendarStore, names: CalendarNames): Promise<StandInAnswer> {
  if (path.folder !== 'calendar') return notFound();
  const query = await queryOf(request.body);
  if (query === undefined) return badRequest('exchange.md §2.3: the rules of the SQL');
  if (!isSameFolder(query.scope, request)) return notFound();
  const url = calendarUrl(request, path.mailbox, names);
  const found = calendars.list(path.mailbox.address).map((entry) => ({ entry, value: valuesOf(entry, url) })).filter(({ value }) => query.matches((name) => value(name)?.value));
  const sorted = [...found].sort((one, other) => {
    for (const { property, isDescending } of query.orderBy) {
      const [left, right] = [one.value(property.toLowerCase())?.value ?? '', other.value(property.toLowerCase())?.value ?? ''];
      if (left !== right) return (left < right ? -1 : 1) * (isDescending ? -1 : 1);
    }
    return 0;
  });
  const answer = multistatusOf(query.properties, (prefixOf) => sorted.map(({ entry, value }) => propertyResponse(hrefOfEntry(entry, url), query.properties, (name, element) => shown(name, element, value), prefixOf)), SOURCE);
  return { ...answer, mailboxes: 1 };
}

async function queryOf(body: Buffer): Promise<Query | undefined> {
  try {
    const root = await readXml(body);
    const sql = root.ns === 'DAV:' && root.name === 'searchrequest' ? childrenNamed(root, 'sql')[0]?.text : undefined;
    return sql === undefined ? undefined : readQuery(sql);
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

/** The scope is empty, or names the folder that the request names, as a path or as a whole URL. */
function isSameFolder(scope: string, request: StandInRequest): boolean {
  const plain = (path: string): string => percentDecoded(path).replace(/\/$/, '').toLowerCase();
  return scope === '' || plain(URL.canParse(scope) ? new URL(scope).pathname : scope) === plain(request.path);
}

function hrefOfEntry({ id }: Entry, url: string): string {
  return `${url}/{${id.toUpperCase()}}.EML`;
}

/** A value, and how it is written; `dt`: the type that is written beside it. */
interface TypedValue {
  readonly value: Value;
  readonly text: string;
  readonly dt?: string;
}

/** exchange.md §2.3, presence.md §B.4. A 2003 knows no working elsewhere: it is free. */
const BUSY_STATUS: Readonly<Record<EntryType, string>> = { free: 'FREE', tentative: 'TENTATIVE', busy: 'BUSY', oof: 'OUTOFOFFICE', 'working-elsewhere': 'FREE' };
const BUSY_NUMBER: Readonly<Record<EntryType, number>> = { free: 0, tentative: 1, busy: 2, oof: 3, 'working-elsewhere': 0 };
const SENSITIVITY: Readonly<Record<Sensitivity, number>> = { normal: 0, personal: 1, private: 2, confidential: 3 };
/** PidLidResponseStatus; the capture has 0 for an own appointment. */
const RESPONSE: Readonly<Record<Reply, number>> = { none: 0, organizer: 1, tentative: 2, accepted: 3, declined: 4, 'not-answered': 5 };
/** PidLidAppointmentStateFlags: a meeting, received, called off. */
const STATE = { meeting: 1, received: 2, cancelled: 4 } as const;

const CALENDAR = 'urn:schemas:calendar:';
const APPOINTMENT = 'http://schemas.microsoft.com/mapi/id/{00062002-0000-0000-c000-000000000046}/';

/** By the property's whole name in lower case; undefined: the item does not have it. */
function valuesOf(entry: Entry, url: string): (name: string) => TypedValue | undefined {
  const values = new Map<string, TypedValue>([
    ['dav:href', text(hrefOfEntry(entry, url))],
    ['dav:contentclass', text('urn:content-classes:appointment')],
    ['dav:creationdate', time(entry.start)],
    ['dav:displayname', text(`${entry.subject}.EML`)],
    ['dav:isfolder', flag(false)],
    ['dav:ishidden', flag(false)],
    [`${CALENDAR}dtstart`, time(entry.start)],
    [`${CALENDAR}dtend`, time(entry.end)],
    [`${CALENDAR}alldayevent`, flag(entry.isAllDay)],
    [`${CALENDAR}busystatus`, text(BUSY_STATUS[entry.type])],
    [`${CALENDAR}instancetype`, number(0)],
    [`${CALENDAR}location`, text(entry.location)],
    // The capture has TENTATIVE for appointments of one's own.
    [`${CALENDAR}meetingstatus`, text(entry.isCancelled ? 'CANCELLED' : entry.reply === 'none' ? 'TENTATIVE' : 'CONFIRMED')],
    [`${CALENDAR}uid`, text(entry.id)],
    ['urn:schemas:mailheader:subject', text(entry.subject)],
    ['urn:schemas:httpmail:subject', text(entry.subject)],
    ['http://schemas.microsoft.com/exchange/sensitivity', number(SENSITIVITY[entry.sensitivity])],
    [`${APPOINTMENT}0x8205`, number(BUSY_NUMBER[entry.type])],
    [`${APPOINTMENT}0x8217`, number((entry.reply === 'none' ? 0 : STATE.meeting) + (['none', 'organizer'].includes(entry.reply) ? 0 : STATE.received) + (entry.isCancelled ? STATE.cancelled : 0))],
    [`${APPOINTMENT}0x8218`, number(RESPONSE[entry.reply])],
    ['http://schemas.microsoft.com/mapi/proptag/x1000001e', text('')],
  ]);
  return (name) => values.get(name);
}

function shown({ ns, name }: PropertyName, element: string, valueOf: (name: string) => TypedValue | undefined): XmlText | undefined {
  const found = valueOf((ns + name).toLowerCase());
  if (found === undefined) return undefined;
  return found.dt === undefined ? xml`<${element}>${found.text}</${element}>` : xml`<${element} b:dt="${found.dt}">${found.text}</${element}>`;
}

function text(value: string): TypedValue {
  return { value, text: value };
}

function number(value: number): TypedValue {
  return { value, text: String(value), dt: 'int' };
}

function flag(value: boolean): TypedValue {
  return { value, text: value ? '1' : '0', dt: 'boolean' };
}

function time(value: number): TypedValue {
  return { value, text: new Date(value).toISOString(), dt: 'dateTime.tz' };
}
