import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { attribute } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { UTC } from './calendar-zone.ts';
import type { CalendarZone } from './calendar-zone.ts';

/** A date or a time of a calendar element: what the clock of its zone shows (soap-calendar.txt, DATETIME). */
export interface CalendarTime {
  readonly local: number;
  readonly zone: CalendarZone;
  /** A date only: midnight of an all-day appointment. */
  readonly isDate: boolean;
}

export function instantOf({ local, zone }: CalendarTime): Instant {
  return zone.utcFromLocal(local);
}

/** How a request's times are read: zones by id, and the zone of what names none. */
export interface TimeReader {
  readonly zone: (id: string) => CalendarZone;
  readonly fallback: CalendarZone;
}

/** `<s d="20261118T090000" tz="Europe/Paris"/>`, `…Z`, or a date. @throws BridgeError INVALID_REQUEST */
export function decodeCalendarTime(element: XmlElement, reader: TimeReader, outerZone?: string): CalendarTime {
  const id = attribute(element, 'tz') ?? outerZone;
  const zone = id === undefined || id === '' ? reader.fallback : reader.zone(id);
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/.exec(attribute(element, 'd') ?? '');
  if (match === null) throw invalidTime(element);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const midnight = Date.UTC(year, month - 1, day);
  const isReal = year >= 1000 && new Date(midnight).getUTCMonth() === month - 1 && new Date(midnight).getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw invalidTime(element);
  return { local: midnight + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS, zone: match[7] === 'Z' ? UTC : zone, isDate: match[4] === undefined };
}

const UNITS: readonly (readonly [string, number])[] = [['w', 7 * DAY_MS], ['d', DAY_MS], ['h', HOUR_MS], ['m', MINUTE_MS], ['s', SECOND_MS]];

/** `<dur [neg] [w] [d] [h] [m] [s]/>` in milliseconds; a negative one is refused: no appointment ends before it begins. */
export function decodeDuration(element: XmlElement): number {
  const negative = attribute(element, 'neg');
  if (negative === '1' || negative?.toLowerCase() === 'true') throw invalidTime(element);
  return UNITS.reduce((sum, [name, unit]) => {
    const text = attribute(element, name) ?? '0';
    if (!/^\d{1,7}$/.test(text)) throw invalidTime(element);
    return sum + Number(text) * unit;
  }, 0);
}

function invalidTime({ name }: XmlElement): BridgeError {
  return new BridgeError('INVALID_REQUEST', `invalid date, time or duration: ${name.slice(0, 20)}`);
}
