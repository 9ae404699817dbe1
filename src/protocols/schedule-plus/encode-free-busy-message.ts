import { MINUTE_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { BusyType } from '../../freebusy/busy-type.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import { ceilTo, floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { locateMessage } from './legacy-exchange-dn.ts';
import { encodeMonthBlocks } from './month-blocks.ts';
import { decodeMonth, encodeMonth } from './months.ts';
import { PAIR_TYPES, WRITTEN_TAGS } from './properties.ts';
import type { PairType } from './properties.ts';
import { encodePublishMinutes } from './publish-range.ts';

/** One property to be written. */
export interface MessageProperty {
  /** 32 bits: id ‖ MAPI type. */
  readonly tag: number;
  /** One value, or several of a multi-value: text, integers decimal, booleans `1` or `0`, binaries base64, times ISO 8601 with milliseconds and Z. */
  readonly values: readonly string[];
}

/** A SCHEDULE+ FREE BUSY message as it is written over WebDAV and EWS alike. */
export interface EncodedMessage {
  /** `USER-/CN=RECIPIENTS/CN=…`; also among `set`. */
  readonly subject: string;
  /** In the order of exchange.md §2.2. */
  readonly set: readonly MessageProperty[];
  /** Tags of the types that have nothing in the window, months and blocks: left alone, they would keep their old values. */
  readonly removed: readonly number[];
  /** What the message speaks about: whole minutes. */
  readonly window: Interval;
}

/**
 * Writes what is known of one mailbox as the message that Exchange 2000–2010 reads: exchange.md §1.2–§1.4, [MS-OXOPFFB] 2.2.1.2.
 *
 * The publish range is the window's whole minutes: a part of a minute at either end is left out, because outside the range is no
 * data and inside it would be free. Within it a started minute counts as taken.
 * Merged is busy and out of office, never tentative. Free and working elsewhere are not written (what working elsewhere means to this
 * site is decided by the caller). Only the properties that calendar-connectors wrote to real servers; 0x66A1 is not among them: it is the
 * store's logon property ([MS-OXCSTOR]), not the message's, and one refused property fails the whole publication.
 *
 * @param legacyExchangeDn the identity, as `legacyExchangeDnOf` gives it
 * @param now the range timestamp
 * @throws BridgeError NO_DATA where `freeBusy` has time that nobody knows (it would be read as free) or the DN names no message,
 *   INVALID_WINDOW where the window has no whole minute or lies outside MAPI's years, BACKEND_TOO_LARGE for more than LIMITS.publishedStretches
 */
export function encodeFreeBusyMessage(legacyExchangeDn: string, freeBusy: FreeBusy, now: Instant): EncodedMessage {
  const { subject } = locateMessage(legacyExchangeDn);
  const window = wholeMinutesOf(freeBusy.window);
  const stretches = stretchesByPair(freeBusy);
  const set: MessageProperty[] = [
    { tag: WRITTEN_TAGS.subject, values: [subject] },
    { tag: WRITTEN_TAGS.normalizedSubject, values: [subject] },
    { tag: WRITTEN_TAGS.legacyExchangeDn, values: [legacyExchangeDn] },
    { tag: WRITTEN_TAGS.publishStart, values: [String(encodePublishMinutes(window.start))] },
    { tag: WRITTEN_TAGS.publishEnd, values: [String(encodePublishMinutes(window.end))] },
    { tag: WRITTEN_TAGS.rangeTimestamp, values: [new Date(now).toISOString()] },
    { tag: WRITTEN_TAGS.resourceType, values: ['0'] },
    { tag: WRITTEN_TAGS.disableFullFidelity, values: ['1'] },
    { tag: WRITTEN_TAGS.messageLocaleId, values: [ENGLISH] },
  ];
  const removed: number[] = [];
  for (const type of PAIR_TYPES_AS_WRITTEN) {
    const { months, blocks, pairs } = encodeMonthBlocks(stretches[type], window);
    if (pairs > LIMITS.publishedStretches) throw tooMany();
    const tags = WRITTEN_TAGS[type];
    if (pairs === 0) removed.push(tags.months, tags.blocks);
    else set.push({ tag: tags.months, values: months }, { tag: tags.blocks, values: blocks });
  }
  return { subject, set, removed, window };
}

/** en-US; with 0 readers have trouble (calendar-connectors). */
const ENGLISH = '1033';

/** By ascending tag, as in exchange.md §2.2. */
const PAIR_TYPES_AS_WRITTEN: readonly PairType[] = [...PAIR_TYPES].sort((a, b) => WRITTEN_TAGS[a].months - WRITTEN_TAGS[b].months);

const PAIRS_OF: Readonly<Record<Exclude<BusyType, 'no-data'>, readonly PairType[]>> = {
  free: [],
  'working-elsewhere': [],
  tentative: ['tentative'],
  busy: ['busy', 'merged'],
  oof: ['away', 'merged'],
};

function stretchesByPair(freeBusy: FreeBusy): Readonly<Record<PairType, readonly Interval[]>> {
  if (freeBusy.busy.length > LIMITS.publishedStretches) throw tooMany();
  const stretches: Record<PairType, Interval[]> = { merged: [], tentative: [], busy: [], away: [] };
  for (const { start, end, busyType } of freeBusy.busy) {
    if (busyType === 'no-data') throw new BridgeError('NO_DATA', 'a part of the window is unknown, and would be published as free');
    for (const type of PAIRS_OF[busyType]) stretches[type].push({ start, end });
  }
  return stretches;
}

function wholeMinutesOf(window: Interval): Interval {
  const whole = { start: ceilTo(window.start, MINUTE_MS), end: floorTo(window.end, MINUTE_MS) };
  const isMonth = (instant: Instant): boolean => decodeMonth(encodeMonth(instant)) !== undefined;
  // Written so that NaN fails as well.
  if (whole.start < whole.end && isMonth(whole.start) && isMonth(whole.end)) return whole;
  throw new BridgeError('INVALID_WINDOW', 'the publication window cannot be written');
}

function tooMany(): BridgeError {
  return new BridgeError('BACKEND_TOO_LARGE', 'the calendar has too many stretches for one message', { details: { limit: LIMITS.publishedStretches } });
}
