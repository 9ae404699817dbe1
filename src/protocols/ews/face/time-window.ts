import { DAY_MS } from '../../../core/clock.ts';
import { parseIsoTime } from '../../../core/iso-time.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { EwsFault, schemaFault } from './faults.ts';
import type { ZoneClock } from './zone-clock.ts';

/** A time as it was sent: an instant, or a reading of a wall clock nobody has named yet (`at` as Date.UTC gives it). */
export interface SentTime {
  readonly at: number;
  readonly isNaive: boolean;
}

/** StartTime and EndTime of a TimeWindow, before the zone is known. */
export interface SentWindow {
  readonly start: SentTime;
  readonly end: SentTime;
}

/** @throws EwsFault ErrorSchemaValidation, ErrorInvalidTimeInterval (a year that no calendar reaches) */
export function decodeSentWindow(window: XmlElement): SentWindow {
  return { start: decodeTime(window, 'StartTime'), end: decodeTime(window, 'EndTime') };
}

function decodeTime(window: XmlElement, name: string): SentTime {
  const text = childText(window, name) ?? '';
  const at = parseIsoTime(text, 'date-time');
  if (at !== undefined) return { at, isNaive: !/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) };
  // .NET's DateTime.MinValue, which an unset time of a client becomes.
  if (/^0\d{3}-\d{2}-\d{2}T/.test(text)) throw invalidInterval();
  throw schemaFault(`The '${name}' element is invalid - The value '${text.slice(0, 40)}' is invalid according to its datatype 'dateTime'.`);
}

/**
 * The window as instants. What has an offset is an instant whatever the zone.
 *
 * @throws EwsFault ErrorInvalidTimeInterval, ErrorTimeIntervalTooBig
 */
export function windowOf({ start, end }: SentWindow, clock: ZoneClock): Interval {
  const window = { start: instantOf(start, clock), end: instantOf(end, clock) };
  if (window.end <= window.start) throw invalidInterval();
  // 62 days on the wall clock have an hour more in autumn.
  const onTheClock = start.isNaive && end.isNaive ? end.at - start.at : window.end - window.start;
  const days = Math.min(onTheClock, window.end - window.start) / DAY_MS;
  if (days > LIMITS.ewsWindowDays) {
    const message = `The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long. The allowed limit = ${LIMITS.ewsWindowDays} days; the actual limit = ${Math.ceil(days)} days.`;
    throw new EwsFault('ErrorTimeIntervalTooBig', message);
  }
  return window;
}

function instantOf(time: SentTime, clock: ZoneClock): number {
  return time.isNaive ? clock.instantOf(time.at) : time.at;
}

function invalidInterval(): EwsFault {
  return new EwsFault('ErrorInvalidTimeInterval', 'The time duration specified for FreeBusyViewOptions.TimeWindow is invalid.');
}
