import { DAY_MS } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { attribute, child, childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { Frequency, RecurrenceRule } from '../../icalendar/recurrence.ts';
import type { CalendarTime, TimeReader } from './calendar-time.ts';
import { decodeCalendarTime } from './calendar-time.ts';
import { member } from './member.ts';

const FREQUENCIES: Readonly<Record<string, Frequency>> = {
  SEC: 'SECONDLY',
  MIN: 'MINUTELY',
  HOU: 'HOURLY',
  DAI: 'DAILY',
  WEE: 'WEEKLY',
  MON: 'MONTHLY',
  YEA: 'YEARLY',
};

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const LIST_ENTRIES = 400;

/**
 * `<rule freq="WEE">` with `interval`, `until` or `count`, and the `by…` lists (soap-calendar.txt).
 *
 * @param start of the series: `until` is a time of its zone
 * @throws BridgeError INVALID_REQUEST
 */
export function decodeRule(rule: XmlElement, start: CalendarTime, reader: TimeReader): RecurrenceRule {
  const frequency = FREQUENCIES[attribute(rule, 'freq')?.toUpperCase() ?? ''];
  if (frequency === undefined) throw invalid('freq');
  const count = optionalWhole(rule, 'count', 'num');
  const until = child(rule, 'until');
  return {
    frequency,
    interval: optionalWhole(rule, 'interval', 'ival') ?? 1,
    ...(count === undefined ? {} : { count }),
    ...(until === undefined ? {} : { until: lastMoment(decodeCalendarTime(until, reader), start) }),
    bySecond: numbers(rule, 'bysecond', 'seclist', 0, 59),
    byMinute: numbers(rule, 'byminute', 'minlist', 0, 59),
    byHour: numbers(rule, 'byhour', 'hrlist', 0, 23),
    byDay: weekdays(rule),
    byMonthDay: numbers(rule, 'bymonthday', 'modaylist', -31, 31),
    byYearDay: numbers(rule, 'byyearday', 'yrdaylist', -366, 366),
    byWeekNumber: numbers(rule, 'byweekno', 'wklist', -53, 53),
    byMonth: numbers(rule, 'bymonth', 'molist', 1, 12),
    bySetPosition: numbers(rule, 'bysetpos', 'poslist', -366, 366),
    weekStart: dayNumber(attribute(child(rule, 'wkst'), 'day') ?? 'MO'),
  };
}

/** A date is meant to its end; an instant is seen by the clock of the series. */
function lastMoment(until: CalendarTime, start: CalendarTime): number {
  return until.isDate ? until.local + DAY_MS - 1 : start.zone.localFromUtc(until.zone.utcFromLocal(until.local));
}

function weekdays(rule: XmlElement): RecurrenceRule['byDay'] {
  const elements = childrenNamed(child(rule, 'byday'), 'wkday');
  if (elements.length > LIST_ENTRIES) throw invalid('wkday');
  return [...new Map(elements.map(weekday).map((one) => [`${one.day}/${one.ordinal}`, one])).values()];
}

function weekday(element: XmlElement): { readonly day: number; readonly ordinal?: number } {
  const day = dayNumber(attribute(element, 'day') ?? '');
  const text = attribute(element, 'ordwk');
  if (text === undefined || text === '') return { day };
  const ordinal = wholeIn(text, -53, 53, 'ordwk');
  if (ordinal === 0) throw invalid('ordwk');
  return { day, ordinal };
}

function dayNumber(text: string): number {
  const day = WEEKDAYS.indexOf(text.toUpperCase());
  if (day < 0) throw invalid('day');
  return day;
}

function numbers(rule: XmlElement, name: string, list: string, least: number, most: number): readonly number[] {
  const text = attribute(child(rule, name), list);
  if (text === undefined) return [];
  const entries = text.split(',', LIST_ENTRIES + 1);
  if (entries.length > LIST_ENTRIES) throw invalid(list);
  const values = entries.map((one) => {
    const value = wholeIn(one.trim(), least, most, list);
    if (value === 0 && least < 0) throw invalid(list);
    return value;
  });
  // Every day that is looked at is looked for in them.
  return [...new Set(values)];
}

function wholeIn(text: string, least: number, most: number, name: string): number {
  const value = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name);
  return value;
}

/** A positive number of any size: 10⁹ instances are refused when they are counted, not when they are read. */
function optionalWhole(rule: XmlElement, name: string, attributeName: string): number | undefined {
  const element = child(rule, name);
  if (element === undefined) return undefined;
  const text = member(element, attributeName) ?? '';
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) throw invalid(attributeName);
  return Number(text);
}

function invalid(name: string): BridgeError {
  return new BridgeError('INVALID_REQUEST', `invalid value for attribute: ${name}`);
}
