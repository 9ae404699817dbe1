import { child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { DAYS_OF_WEEK } from '../../timezones/serializable-time-zone.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../timezones/serializable-time-zone.ts';

/** A SerializableTimeZone under the given name (`t:TimeZone`), in the schema's order. */
export function encodeTimeZone(name: string, zone: SerializableTimeZone): XmlNode {
  return el(
    name,
    undefined,
    el('t:Bias', undefined, zone.biasMinutes),
    encodeSwitch('t:StandardTime', zone.standard),
    encodeSwitch('t:DaylightTime', zone.daylight),
  );
}

/** The same as `t:TimeZone`, as text, for answers that hold a hundred of them; there is nothing in it to escape. */
export function encodeTimeZoneText({ biasMinutes, standard, daylight }: SerializableTimeZone): string {
  return `<t:TimeZone><t:Bias>${biasMinutes}</t:Bias><t:StandardTime>${switchText(standard)}</t:StandardTime><t:DaylightTime>${switchText(daylight)}</t:DaylightTime></t:TimeZone>`;
}

function switchText(one: TimeZoneSwitch): string {
  const year = one.year === undefined ? '' : `<t:Year>${one.year}</t:Year>`;
  return `<t:Bias>${one.biasMinutes}</t:Bias><t:Time>${timeOfDay(one.secondOfDay)}</t:Time><t:DayOrder>${one.dayOrder}</t:DayOrder><t:Month>${one.month}</t:Month><t:DayOfWeek>${one.dayOfWeek}</t:DayOfWeek>${year}`;
}

function timeOfDay(secondOfDay: number): string {
  const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
  return `${two(Math.floor(secondOfDay / 3_600))}:${two(Math.floor(secondOfDay / 60) % 60)}:${two(secondOfDay % 60)}`;
}

/**
 * Reads a SerializableTimeZone. Undefined where it is none: a part is missing, a number is out of range. Month 0 (Zimbra's)
 * and DayOrder 0 are taken, they say that there is no daylight time.
 */
export function decodeTimeZone(element: XmlElement | undefined): SerializableTimeZone | undefined {
  const biasMinutes = integer(childText(element, 'Bias'), -MAX_BIAS_MINUTES, MAX_BIAS_MINUTES);
  const standard = decodeSwitch(child(element, 'StandardTime'));
  const daylight = decodeSwitch(child(element, 'DaylightTime'));
  if (biasMinutes === undefined || standard === undefined || daylight === undefined) return undefined;
  return { biasMinutes, standard, daylight };
}

/** 24 hours: beyond what any zone has, below what would leave the range of dates. */
const MAX_BIAS_MINUTES = 1_440;

function encodeSwitch(name: string, one: TimeZoneSwitch): XmlNode {
  return el(
    name,
    undefined,
    el('t:Bias', undefined, one.biasMinutes),
    el('t:Time', undefined, timeOfDay(one.secondOfDay)),
    el('t:DayOrder', undefined, one.dayOrder),
    el('t:Month', undefined, one.month),
    el('t:DayOfWeek', undefined, one.dayOfWeek),
    one.year !== undefined && el('t:Year', undefined, one.year),
  );
}

function decodeSwitch(element: XmlElement | undefined): TimeZoneSwitch | undefined {
  const biasMinutes = integer(childText(element, 'Bias'), -MAX_BIAS_MINUTES, MAX_BIAS_MINUTES);
  const time = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d+)?$/.exec(childText(element, 'Time') ?? '');
  const month = integer(childText(element, 'Month'), 0, 12);
  const dayOfWeek = DAYS_OF_WEEK.find((day) => day === childText(element, 'DayOfWeek'));
  const year = integer(childText(element, 'Year') ?? '0', 0, 9999);
  const isYearly = year === 0;
  const dayOrder = integer(childText(element, 'DayOrder'), 0, isYearly ? 5 : 31);
  if (biasMinutes === undefined || time === null || month === undefined) return undefined;
  if (dayOfWeek === undefined || year === undefined || dayOrder === undefined) return undefined;
  // 31 February would move on into March, and the zone with it.
  if (!isYearly && month > 0 && dayOrder > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const secondOfDay = Number(time[1]) * 3600 + Number(time[2]) * 60 + Number(time[3]);
  return { biasMinutes, secondOfDay, dayOrder, month, dayOfWeek, ...(isYearly ? {} : { year }) };
}

/** A decimal integer within bounds, both included. */
export function integer(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^[+-]?\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
