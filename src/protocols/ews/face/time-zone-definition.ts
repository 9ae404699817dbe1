import { xml, XmlText } from '../../../platform/xml/write.ts';
import { hasDaylight } from '../../../timezones/bias-rules.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../../timezones/serializable-time-zone.ts';

/** A zone under its Windows id. */
export interface NamedZone {
  readonly id: string;
  readonly zone: SerializableTimeZone;
}

/** Id and name alone. */
export function encodeTimeZoneName({ id, zone }: NamedZone): XmlText {
  return xml`<t:TimeZoneDefinition Id="${id}" Name="${nameOf(id, zone)}"/>`;
}

/** The whole definition (exchange.md §6.2): one or two periods, one group of yearly transitions that holds for ever. */
export function encodeTimeZoneDefinition({ id, zone }: NamedZone): XmlText {
  const isDaylit = hasDaylight(zone);
  const standardId = `trule:Microsoft/Registry/${id}-Standard`;
  const daylightId = `trule:Microsoft/Registry/${id}-Daylight`;
  const daylight = isDaylit ? xml`<t:Period Bias="${duration(zone.biasMinutes + zone.daylight.biasMinutes)}" Name="Daylight" Id="${daylightId}"/>` : NOTHING;
  const group = isDaylit
    ? xml`${yearly(zone.daylight, daylightId)}${yearly(zone.standard, standardId)}`
    : xml`<t:Transition><t:To Kind="Period">${standardId}</t:To></t:Transition>`;
  const periods = xml`<t:Periods><t:Period Bias="${duration(zone.biasMinutes)}" Name="Standard" Id="${standardId}"/>${daylight}</t:Periods>`;
  const groups = xml`<t:TransitionsGroups><t:TransitionsGroup Id="0">${group}</t:TransitionsGroup></t:TransitionsGroups>`;
  return xml`<t:TimeZoneDefinition Id="${id}" Name="${nameOf(id, zone)}">${periods}${groups}<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions></t:TimeZoneDefinition>`;
}

const NOTHING = new XmlText('');

function yearly(one: TimeZoneSwitch, to: string): XmlText {
  const occurrence = one.dayOrder === 5 ? -1 : one.dayOrder;
  const seconds = one.secondOfDay % 60 === 0 ? '' : `${one.secondOfDay % 60}S`;
  return xml`<t:RecurringDayTransition><t:To Kind="Period">${to}</t:To><t:TimeOffset>PT${Math.floor(one.secondOfDay / 60)}M${seconds}</t:TimeOffset><t:Month>${one.month}</t:Month><t:DayOfWeek>${one.dayOfWeek}</t:DayOfWeek><t:Occurrence>${occurrence}</t:Occurrence></t:RecurringDayTransition>`;
}

function duration(minutes: number): string {
  return `${minutes < 0 ? '-' : ''}PT${Math.abs(minutes)}M`;
}

function nameOf(id: string, { biasMinutes }: SerializableTimeZone): string {
  const minutes = Math.abs(biasMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `(UTC${biasMinutes > 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}) ${id}`;
}
