import { el, xmlFragment } from '../../../platform/xml/write.ts';
import type { XmlNode, XmlText } from '../../../platform/xml/write.ts';
import { hasDaylight } from '../../../timezones/bias-rules.ts';
import type { SerializableTimeZone, TimeZoneSwitch } from '../../../timezones/serializable-time-zone.ts';

/** A zone under its Windows id. */
export interface NamedTimeZone {
  /** `W. Europe Standard Time` */
  readonly id: string;
  readonly zone: SerializableTimeZone;
}

/** `t:TimeZoneDefinition` with its rules, as Exchange writes them for Windows' own zones ([MS-OXWSGTZ] 2.2.4.12): two periods, one group that comes back every year. */
export function encodeServerTimeZone({ id, zone }: NamedTimeZone): XmlText {
  const standard = `trule:Microsoft/Registry/${id}/1-Standard`;
  const daylight = `trule:Microsoft/Registry/${id}/1-Daylight`;
  const isSwitching = hasDaylight(zone);
  const standardBias = zone.biasMinutes + (isSwitching ? zone.standard.biasMinutes : 0);
  const rules = isSwitching ? [yearly(zone.daylight, daylight), yearly(zone.standard, standard)] : [el('t:Transition', undefined, target('Period', standard))];
  return xmlFragment(
    el(
      't:TimeZoneDefinition',
      { Id: id, Name: nameOf({ id, zone }) },
      el(
        't:Periods',
        undefined,
        el('t:Period', { Bias: durationOf(standardBias), Name: 'Standard', Id: standard }),
        isSwitching && el('t:Period', { Bias: durationOf(zone.biasMinutes + zone.daylight.biasMinutes), Name: 'Daylight', Id: daylight }),
      ),
      el('t:TransitionsGroups', undefined, el('t:TransitionsGroup', { Id: '0' }, rules)),
      el('t:Transitions', undefined, el('t:Transition', undefined, target('Group', '0'))),
    ),
  );
}

/** `t:TimeZoneDefinition` of which only id and name are wanted. */
export function encodeServerTimeZoneName(zone: NamedTimeZone): XmlText {
  return xmlFragment(el('t:TimeZoneDefinition', { Id: zone.id, Name: nameOf(zone) }));
}

/** `(UTC+05:30) India Standard Time`; Exchange names cities there, in the server's language. */
function nameOf({ id, zone }: NamedTimeZone): string {
  const minutes = Math.abs(zone.biasMinutes);
  const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return minutes === 0 ? `(UTC) ${id}` : `(UTC${zone.biasMinutes > 0 ? '-' : '+'}${clock}) ${id}`;
}

function yearly(one: TimeZoneSwitch, period: string): XmlNode {
  const isWholeMinute = one.secondOfDay % 60 === 0;
  return el(
    't:RecurringDayTransition',
    undefined,
    target('Period', period),
    el('t:TimeOffset', undefined, isWholeMinute ? `PT${one.secondOfDay / 60}M` : `PT${one.secondOfDay}S`),
    el('t:Month', undefined, one.month),
    el('t:DayOfWeek', undefined, one.dayOfWeek),
    // −1 is the last one of the month.
    el('t:Occurrence', undefined, one.dayOrder === 5 ? -1 : one.dayOrder),
  );
}

function target(kind: 'Period' | 'Group', id: string): XmlNode {
  return el('t:To', { Kind: kind }, id);
}

/** UTC = local + bias, as an xs:duration: Berlin's standard time is `-PT60M`. */
function durationOf(biasMinutes: number): string {
  return `${biasMinutes < 0 ? '-' : ''}PT${Math.abs(biasMinutes)}M`;
}
