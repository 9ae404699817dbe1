import { BridgeError } from '../../../core/errors.ts';
import { parseIsoTime } from '../../../core/iso-time.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { CalendarEvent, OwnReply } from '../../../freebusy/free-busy.ts';
import type { BusyType } from '../../../freebusy/busy-type.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el, writeXml } from '../../../platform/xml/write.ts';
import { isSuccess, propertiesIn, statusIn } from '../message-property.ts';
import { DAV } from '../names.ts';
import { APPOINTMENT, CALENDAR, EXCHANGE, RESPONSE_STATUS } from './names.ts';

/** What is asked for; no subject and no place, ever. */
const PROPERTIES = [
  ...['dtstart', 'dtend', 'busystatus', 'alldayevent', 'instancetype', 'meetingstatus', 'uid'].map((name) => CALENDAR + name),
  `${EXCHANGE}sensitivity`,
  APPOINTMENT + RESPONSE_STATUS,
];

/**
 * The SEARCH body for all that touches the window in a calendar folder (exchange.md §2.3; presence.md §B.4): begun before its end, over after its start. The server expands recurrences; masters are left out, items that do
 * not say what they are stay in. It asks for some hours more, because literals without a zone are UTC by Microsoft's samples only; whoever reads cuts the window out again.
 */
export function encodeCalendarSearch({ start, end }: Interval): string {
  const kind = `"${CALENDAR}instancetype"`;
  const sql = [
    `SELECT ${PROPERTIES.map((name) => `"${name}"`).join(', ')}`,
    `FROM Scope('SHALLOW TRAVERSAL OF ""')`,
    `WHERE "DAV:contentclass" = 'urn:content-classes:appointment'`,
    `AND (${kind} IS NULL OR NOT ${kind} = 1)`,
    `AND "${CALENDAR}dtstart" < '${literal(end + LIMITS.webdavSearchMarginMs)}'`,
    `AND "${CALENDAR}dtend" > '${literal(start - LIMITS.webdavSearchMarginMs)}'`,
  ];
  return writeXml(el('D:searchrequest', { 'xmlns:D': DAV }, el('D:sql', {}, sql.join(' '))));
}

/** A calendar as far as it was told. */
export interface FoundEvents {
  readonly events: readonly CalendarEvent[];
  /** Where something lies that cannot be read; an end that is not known is infinite. */
  readonly unreadable: readonly Interval[];
}

/**
 * Reads the 207 of a SEARCH, exact to the second. An item without a readable status, or of a kind that nobody knows, makes its time unreadable; one without readable times everything.
 *
 * @throws BridgeError BACKEND_MALFORMED for another document, BACKEND_TOO_LARGE beyond LIMITS.eventsPerMailbox
 */
export async function decodeCalendarSearch(root: XmlElement): Promise<FoundEvents> {
  if (root.name !== 'multistatus' || root.ns !== DAV) throw new BridgeError('BACKEND_MALFORMED', 'the answer is none of a search');
  const responses = childrenNamed(root, 'response');
  if (responses.length > LIMITS.eventsPerMailbox) throw new BridgeError('BACKEND_TOO_LARGE', 'the calendar has too many events', { details: { limit: LIMITS.eventsPerMailbox } });
  const events: CalendarEvent[] = [];
  const unreadable: Interval[] = [];
  const pace = new Pace(LIMITS.stretchesPerTurn);
  for (const response of responses) {
    const found = readItem(response);
    if (found !== undefined && 'busyType' in found) events.push(found);
    else if (found !== undefined) unreadable.push(found);
    if (pace.spend(1)) await pace.turn();
  }
  return { events, unreadable };
}

const EVERYTHING: Interval = { start: -Infinity, end: Infinity };

/** An event, a stretch that nobody can read, or (undefined) nothing that counts. */
function readItem(response: XmlElement): CalendarEvent | Interval | undefined {
  const overall = statusIn(response);
  // 507 among them: the answer was cut short (RFC 5323 §2.3.1).
  if (overall !== undefined && !isSuccess(overall)) return EVERYTHING;
  const text = textsOf(response);
  const kind = text(CALENDAR, 'instancetype') ?? '0';
  if (kind === '1') return undefined;
  const start = parseIsoTime(text(CALENDAR, 'dtstart') ?? '', 'zoned');
  const end = parseIsoTime(text(CALENDAR, 'dtend') ?? '', 'zoned');
  if (start === undefined || end === undefined || end < start) {
    return start !== undefined && end !== undefined ? EVERYTHING : { start: start ?? -Infinity, end: end ?? Infinity };
  }
  if (start === end) return undefined;
  const busyType = BUSY_TYPE_OF.get((text(CALENDAR, 'busystatus') ?? '').toUpperCase());
  if (busyType === undefined || !KINDS.has(kind)) return { start, end };
  const id = text(CALENDAR, 'uid');
  const ownReply = REPLY_OF.get(text(APPOINTMENT, RESPONSE_STATUS) ?? '');
  const sensitivity = text(EXCHANGE, 'sensitivity') ?? '0';
  return {
    start,
    end,
    busyType,
    isAllDay: /^(?:1|true)$/i.test(text(CALENDAR, 'alldayevent') ?? ''),
    isCancelled: /^cancell?ed$/i.test(text(CALENDAR, 'meetingstatus') ?? ''),
    isPrivate: sensitivity !== '0',
    isRecurring: kind === '2' || kind === '3',
    isException: kind === '3',
    ...(id === undefined ? {} : { id }),
    ...(ownReply === undefined ? {} : { ownReply }),
  };
}

/** Values by name of all that the server found; names that begin with a digit may have lost it. An empty value is none. */
function textsOf(response: XmlElement): (ns: string, name: string) => string | undefined {
  const values = new Map<string, string>();
  for (const propstat of childrenNamed(response, 'propstat')) {
    if (!isSuccess(statusIn(propstat) ?? 0)) continue;
    for (const { ns, name, text } of propertiesIn(propstat)) if (text.trim() !== '') values.set(key(ns, name), text.trim());
  }
  return (ns, name) => values.get(key(ns, name));
}

function key(ns: string, name: string): string {
  return `${ns} ${name.replace(/^0x/i, 'x')}`.toLowerCase();
}

/** presence.md §B.4; exchange.md §2.3. OWA of 2010 calls OOF away; here it is the same word on the wire. */
const BUSY_TYPE_OF: ReadonlyMap<string, BusyType> = new Map([
  ['FREE', 'free'],
  ['TENTATIVE', 'tentative'],
  ['BUSY', 'busy'],
  ['OOF', 'oof'],
  ['OUTOFOFFICE', 'oof'],
]);

/** Single, instance of a series, exception to one. */
const KINDS: ReadonlySet<string> = new Set(['0', '2', '3']);

/** [MS-OXOCAL] PidLidResponseStatus. */
const REPLY_OF: ReadonlyMap<string, OwnReply> = new Map([
  ['1', 'organizer'],
  ['2', 'tentative'],
  ['3', 'accepted'],
  ['4', 'declined'],
  ['5', 'none'],
]);

/** As Microsoft's samples write a time. */
function literal(instant: number): string {
  return new Date(instant).toISOString().replace(/^(\d+)-(\d+)-(\d+)T([\d:]+)\..*$/, '$1/$2/$3 $4');
}
