import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { BusyInterval } from '../../freebusy/free-busy.ts';
import { clip } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { busyTypeOfFbType } from './busy-type.ts';
import { readContentLine } from './content-line.ts';
import type { ContentLine } from './content-line.ts';
import { utcDateTime, utcPeriod } from './date-time.ts';
import { NO_DATA_PARAMETER } from './names.ts';
import { unfold } from './unfold.ts';

/** What a VFREEBUSY says: about `window` only, in any order, overlapping or not; what `busy` does not cover inside it is free. */
export interface FreeBusyReply {
  readonly window: Interval;
  readonly busy: readonly BusyInterval[];
}

/**
 * Reads an answer that holds one VFREEBUSY (RFC 5545 §3.6.4) beside whatever else, strictly: END:VFREEBUSY and END:VCALENDAR must be
 * there, every period must be readable, all times in UTC. Periods are clipped to DTSTART and DTEND.
 * Long answers are read in slices with a turn of the event loop between them.
 *
 * @throws BridgeError NO_DATA where there is no VFREEBUSY or it does not say what it covers; BACKEND_MALFORMED where it is cut off,
 * holds what cannot be read or more than one VFREEBUSY (whose would it be?); BACKEND_TOO_LARGE
 */
export async function decodeFreeBusyReply(text: string): Promise<FreeBusyReply> {
  if (text.length > LIMITS.icalendarCharacters) throw tooLarge(`more than ${LIMITS.icalendarCharacters} characters`);
  const pace = new Pace(LIMITS.icalendarSliceCharacters);
  const reading = new VFreeBusyReading(pace);
  const open: string[] = [];
  let calendars = 0;
  for await (const raw of unfold(text.replace(/^\uFEFF/, ''), pace)) {
    if (open.length === 0 && !/^BEGIN:VCALENDAR\s*$/i.test(raw)) throw calendars === 0 ? noFreeBusy() : malformed('something follows the end');
    if (open.length === 1 && ZIMBRA_PRODUCT.test(raw)) reading.fromZimbra();
    if (open.length > 0 && !isOurs(open) && !/^(?:BEGIN|END):/i.test(raw)) continue;
    const line = readContentLine(raw);
    if (line === undefined) throw malformed('a line that is none');
    if (line.name === 'BEGIN') {
      const component = line.value.trim().toUpperCase();
      if (open.length >= LIMITS.icalendarDepth) throw malformed('components nested too deep');
      if (open.length === 0 && ++calendars > 1) throw malformed('more than one calendar');
      open.push(component);
      if (isOurs(open)) reading.begin();
    } else if (line.name === 'END') {
      if (open.at(-1) !== line.value.trim().toUpperCase()) throw malformed('components that do not end in order');
      open.pop();
    } else if (isOurs(open)) {
      await reading.property(line);
    }
  }
  if (calendars === 0) throw noFreeBusy();
  if (open.length > 0) throw malformed('the answer ends early');
  return await reading.result();
}

/** Zimbra answers a whole VFREEBUSY without periods for people it does not know (zimbra.md §3.1). */
const ZIMBRA_PRODUCT = /^PRODID:Zimbra-Calendar-Provider\s*$/i;

function isOurs(open: readonly string[]): boolean {
  return open.length === 2 && open[1] === 'VFREEBUSY';
}

/** Gathers the properties of the one VFREEBUSY. */
class VFreeBusyReading {
  readonly #pace: Pace;
  readonly #busy: BusyInterval[] = [];
  #isZimbra = false;
  #seen = 0;
  #periods = 0;
  #start: number | undefined;
  #end: number | undefined;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** An answer without periods says nothing then: it may be about nobody. */
  fromZimbra(): void {
    this.#isZimbra = true;
  }

  begin(): void {
    if (++this.#seen > 1) throw malformed('more than one VFREEBUSY');
  }

  async property(line: ContentLine): Promise<void> {
    if (line.name === 'FREEBUSY') return this.#freeBusy(line);
    if (line.name === 'DTSTART') this.#start = bound(line, this.#start);
    if (line.name === 'DTEND') this.#end = bound(line, this.#end);
  }

  async #freeBusy(line: ContentLine): Promise<void> {
    const isNoData = line.parameters.get(NO_DATA_PARAMETER)?.toUpperCase() === 'TRUE';
    const busyType = isNoData ? 'no-data' : busyTypeOfFbType(line.parameters.get('FBTYPE'));
    const zoneIsUtc = isUtc(line);
    const { value } = line;
    for (let at = 0; at <= value.length; ) {
      const comma = value.indexOf(',', at);
      const end = comma === -1 ? value.length : comma;
      const period = end - at > 64 ? undefined : utcPeriod(value.slice(at, end).trim(), zoneIsUtc);
      if (period === undefined) throw malformed('a period that cannot be read');
      if (++this.#periods > LIMITS.eventsPerMailbox) throw tooLarge(`more than ${LIMITS.eventsPerMailbox} periods`);
      if (busyType !== 'free' && period.start < period.end) this.#busy.push({ ...period, busyType });
      if (this.#pace.spend(end - at + 1)) await this.#pace.turn();
      at = end + 1;
    }
  }

  async result(): Promise<FreeBusyReply> {
    if (this.#seen === 0) throw noFreeBusy();
    if (this.#start === undefined || this.#end === undefined) throw new BridgeError('NO_DATA', 'the answer does not say what time it covers');
    if (this.#start >= this.#end) throw malformed('an answer that covers no time');
    if (this.#isZimbra && this.#periods === 0) throw new BridgeError('NO_DATA', 'a Zimbra answers like this for people it does not know');
    const window = { start: this.#start, end: this.#end };
    const busy: BusyInterval[] = [];
    for (const { busyType, ...period } of this.#busy) {
      const inside = clip(period, window);
      if (inside !== undefined) busy.push({ ...inside, busyType });
      if (this.#pace.spend(16)) await this.#pace.turn();
    }
    return { window, busy };
  }
}

function bound(line: ContentLine, before: number | undefined): number {
  const instant = utcDateTime(line.value.trim(), isUtc(line));
  if (instant === undefined || before !== undefined) throw malformed(`a ${line.name} that cannot be read`);
  return instant;
}

function isUtc(line: ContentLine): boolean {
  return /^(?:Etc\/)?(?:UTC|GMT|Z)$/i.test(line.parameters.get('TZID') ?? '');
}

function noFreeBusy(): BridgeError {
  return new BridgeError('NO_DATA', 'the answer holds no free/busy');
}

function malformed(reason: string): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the free/busy answer cannot be read', { details: { reason } });
}

function tooLarge(reason: string): BridgeError {
  return new BridgeError('BACKEND_TOO_LARGE', 'the free/busy answer is too large', { details: { reason } });
}
