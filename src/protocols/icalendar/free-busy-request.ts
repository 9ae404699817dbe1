import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { readContentLine } from './content-line.ts';
import type { ContentLine } from './content-line.ts';
import { durationMs } from './date-time.ts';
import { requestedInstant } from './requested-time.ts';
import { unfold } from './unfold.ts';
import { unfoldOctets } from './unfold-octets.ts';
import type { Observance } from './vtimezone.ts';

/** A question for other people's time (RFC 5546 §3.3.2): VFREEBUSY with METHOD:REQUEST. */
export interface FreeBusyRequest {
  /** As text, unescaped. */
  readonly uid: string;
  /** The value of ORGANIZER as sent; undefined where there is none. */
  readonly organizer: string | undefined;
  /** The values of ATTENDEE as sent (`mailto:…` mostly), in order, repetitions and all; may be empty. */
  readonly attendees: readonly string[];
  readonly window: Interval;
}

/** Which rule of an outbox a message breaks, by the name of its precondition (RFC 6638 §5, RFC 4791 §5.3.2.1); stands in `details.precondition` of the error. */
export type SchedulingPrecondition = 'valid-calendar-data' | 'valid-scheduling-message' | 'supported-calendar-component' | 'max-attendees-per-instance';

/**
 * Reads a question for free/busy. DTSTART and DTEND may be written in any form of RFC 5545; DURATION in place of DTEND (RFC 2445) is read.
 * Long messages are read in slices with a turn of the event loop between them.
 *
 * @param charset of the Content-Type; a byte order mark is stronger; default UTF-8
 * @throws BridgeError INVALID_REQUEST, or TOO_MANY_MAILBOXES beyond LIMITS.outboxAttendees, with the broken rule in `details.precondition`
 */
export async function decodeFreeBusyRequest(body: Uint8Array, charset?: string): Promise<FreeBusyRequest> {
  const pace = new Pace(LIMITS.icalendarSliceCharacters);
  const reading = new RequestReading();
  const open: string[] = [];
  let calendars = 0;
  for await (const raw of unfold(decodeBytes(body, charset), pace)) {
    if (open.length === 0 && !/^BEGIN:VCALENDAR\s*$/i.test(raw)) throw invalid('what was sent is no calendar');
    const name = /^[\w-]+(?=[;:])/.exec(raw)?.[0]?.toUpperCase();
    if (name === undefined || !raw.includes(':')) throw invalid('a line is none');
    if (name === 'BEGIN') {
      if (open.length >= LIMITS.icalendarDepth) throw invalid('components are nested too deep');
      if (open.length === 0 && ++calendars > 1) throw invalid('there is more than one calendar');
      open.push(componentOf(raw));
      reading.begin(open);
    } else if (name === 'END') {
      if (open.pop() !== componentOf(raw)) throw invalid('components do not end in order');
      reading.end(open);
    } else if (reading.wants(open, name)) {
      const line = readContentLine(raw);
      if (line === undefined) throw invalid(`${name} cannot be read`);
      reading.property(open, line);
    }
  }
  if (calendars === 0 || open.length > 0) throw invalid('the calendar ends early');
  return reading.result();
}

function componentOf(raw: string): string {
  return raw.slice(raw.indexOf(':') + 1).trim().toUpperCase();
}

/** What somebody sends to be stored or delivered; none of it is here. */
const DELIVERED: ReadonlySet<string> = new Set(['VEVENT', 'VTODO', 'VJOURNAL', 'VPOLL', 'VAVAILABILITY']);
const ONCE: ReadonlySet<string> = new Set(['UID', 'ORGANIZER', 'DTSTART', 'DTEND', 'DURATION']);
/** RFC 5545 §3.6.4: not permitted within VFREEBUSY. */
const RECURRENCE: ReadonlySet<string> = new Set(['RRULE', 'RDATE', 'EXDATE', 'EXRULE', 'RECURRENCE-ID']);
const OF_ZONE: ReadonlySet<string> = new Set(['DTSTART', 'TZOFFSETTO', 'TZOFFSETFROM', 'RRULE']);

/** Gathers what the question is made of; zones may stand behind the VFREEBUSY. */
class RequestReading {
  readonly #once = new Map<string, ContentLine>();
  readonly #attendees: string[] = [];
  readonly #zones = new Map<string, readonly Observance[]>();
  #method: string | undefined;
  #questions = 0;
  #tzid: string | undefined;
  #observances: { kind: Observance['kind']; values: Map<string, string> }[] = [];

  begin(open: readonly string[]): void {
    const component = open.at(-1)!;
    if (open.length === 2 && DELIVERED.has(component)) throw refused('supported-calendar-component', 'nothing but questions for free/busy is taken here');
    if (open.length === 2 && component === 'VFREEBUSY' && ++this.#questions > 1) throw refused('valid-scheduling-message', 'there is more than one VFREEBUSY');
    if (open.length === 2 && component === 'VTIMEZONE') [this.#tzid, this.#observances] = [undefined, []];
    if (isObservance(open)) {
      if (this.#observances.length >= LIMITS.icalendarObservances) throw invalid('a time zone has too many parts');
      this.#observances.push({ kind: component as Observance['kind'], values: new Map() });
    }
  }

  /** @param open without the component that has ended */
  end(open: readonly string[]): void {
    if (open.length !== 1 || this.#tzid === undefined) return;
    if (this.#zones.size < LIMITS.icalendarZones) this.#zones.set(this.#tzid, this.#observances);
    this.#tzid = undefined;
  }

  wants(open: readonly string[], name: string): boolean {
    if (open.length === 1) return name === 'METHOD';
    if (isObservance(open)) return OF_ZONE.has(name);
    if (open.length !== 2) return false;
    return open[1] === 'VFREEBUSY' ? name === 'ATTENDEE' || ONCE.has(name) || RECURRENCE.has(name) : open[1] === 'VTIMEZONE' && name === 'TZID';
  }

  property(open: readonly string[], line: ContentLine): void {
    if (open.length === 1) this.#method = line.value.trim().toUpperCase();
    else if (isObservance(open)) this.#observances.at(-1)!.values.set(line.name, line.value.trim());
    else if (line.name === 'TZID') this.#tzid = line.value.trim();
    else if (line.name === 'ATTENDEE') this.#attendee(line.value.trim());
    else if (RECURRENCE.has(line.name)) throw invalid('a VFREEBUSY does not recur');
    else if (this.#once.has(line.name)) throw invalid(`${line.name} stands there twice`);
    else this.#once.set(line.name, line);
  }

  #attendee(value: string): void {
    this.#attendees.push(value);
    if (this.#attendees.length > LIMITS.outboxAttendees) {
      throw refused('max-attendees-per-instance', `more than ${LIMITS.outboxAttendees} attendees in one question`, 'TOO_MANY_MAILBOXES');
    }
  }

  result(): FreeBusyRequest {
    if (this.#questions === 0) throw refused('valid-scheduling-message', 'there is no VFREEBUSY');
    if (this.#method !== 'REQUEST') throw refused('valid-scheduling-message', 'METHOD is not REQUEST');
    const uid = unescapeText(this.#once.get('UID')?.value.trim() ?? '');
    if (uid === '') throw refused('valid-scheduling-message', 'there is no UID');
    return { uid, organizer: this.#once.get('ORGANIZER')?.value.trim(), attendees: this.#attendees, window: this.#window() };
  }

  #window(): Interval {
    const first = this.#once.get('DTSTART');
    const last = this.#once.get('DTEND');
    const duration = this.#once.get('DURATION');
    if (first === undefined || (last === undefined && duration === undefined)) throw refused('valid-scheduling-message', 'DTSTART or DTEND is missing');
    const start = requestedInstant(first, this.#zones);
    const lasts = last === undefined ? durationMs(duration!.value.trim()) : undefined;
    const end = last === undefined ? start! + (lasts ?? Number.NaN) : requestedInstant(last, this.#zones);
    if (start === undefined || end === undefined || Number.isNaN(end)) throw invalid('DTSTART or DTEND cannot be read');
    if (start >= end) throw invalid('DTEND is not after DTSTART');
    return { start, end };
  }
}

function isObservance(open: readonly string[]): boolean {
  return open.length === 3 && open[1] === 'VTIMEZONE' && (open[2] === 'STANDARD' || open[2] === 'DAYLIGHT');
}

function unescapeText(text: string): string {
  return text.replace(/\\([\\;,nN])/g, (_, escaped: string) => (escaped.toLowerCase() === 'n' ? '\n' : escaped));
}

function decodeBytes(body: Uint8Array, charset: string | undefined): string {
  const mark = body[0] === 0xfe && body[1] === 0xff ? 'utf-16be' : body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : undefined;
  const text = textOf(body, mark ?? charset ?? 'utf-8') ?? textOf(unfoldOctets(body), charset ?? 'utf-8');
  if (text === undefined) throw invalid('the text cannot be decoded');
  return text;
}

function textOf(body: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    // RangeError for a charset that nobody knows, TypeError for octets that are none of it: either way no text.
    return undefined;
  }
}

function invalid(message: string): BridgeError {
  return refused('valid-calendar-data', message);
}

function refused(precondition: SchedulingPrecondition, message: string, code: ErrorCode = 'INVALID_REQUEST'): BridgeError {
  return new BridgeError(code, message, { details: { precondition } });
}
