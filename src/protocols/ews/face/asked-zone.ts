import { MINUTE_MS } from '../../../core/clock.ts';
import { attribute, child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { biasMinutesAt } from '../../../timezones/bias-rules.ts';
import { ianaFromWindows } from '../../../timezones/windows-zones.ts';
import { TYPES_NS } from '../names.ts';
import { decodeTimeZone, encodeTimeZoneText } from '../time-zone.ts';
import { EwsFault } from './faults.ts';
import { offsetsOfIana } from '../../../timezones/iana-offsets.ts';
import { isAtLeast } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';
import { typesHeader } from './soap-frame.ts';
import { offsetsOfDefinition } from './definition-offsets.ts';
import type { ZoneClock, ZoneClocks } from './zone-clock.ts';

/** Where a request may say in which zone it speaks. */
export interface ZoneSources {
  /** `t:TimeZone` of the request, its children checked. */
  readonly timeZone: XmlElement | undefined;
  readonly header: XmlElement | undefined;
  readonly version: SchemaVersion;
  /** A time of the request is without offset and needs the zone. */
  readonly isNaive: boolean;
}

/**
 * The clock of the request: its TimeZone, else its TimeZoneContext, else UTC. Exchange 2007 has no such default, so a naive time without any zone
 * is ErrorTimeZone to its schema: a guess would move somebody's meetings.
 *
 * A TimeZoneContext is taken by its Windows id (exact rules of every year), else by the definition sent along; one that is neither is refused.
 *
 * @throws EwsFault ErrorTimeZone
 */
export function askedZone({ timeZone, header, version, isNaive }: ZoneSources, clocks: ZoneClocks): ZoneClock {
  if (timeZone !== undefined) return serializableClock(timeZone, clocks);
  const context = typesHeader(header, 'TimeZoneContext');
  const definition = context?.children.find((one) => one.name === 'TimeZoneDefinition' && one.ns === TYPES_NS);
  if (definition !== undefined) return definedClock(definition, clocks);
  if (context !== undefined || (isNaive && !isAtLeast(version, 'Exchange2010'))) throw timeZoneFault();
  return clocks.get('UTC', () => () => 0);
}

function serializableClock(timeZone: XmlElement, clocks: ZoneClocks): ZoneClock {
  const zone = decodeTimeZone(timeZone);
  if (zone === undefined) throw timeZoneFault();
  // By what it says, however it was spelled: some indent it, and a long spelling fills nobody's memory.
  return clocks.get(encodeTimeZoneText(zone), () => (instant) => 0 - biasMinutesAt(zone, instant) * MINUTE_MS);
}

function definedClock(definition: XmlElement, clocks: ZoneClocks): ZoneClock {
  const iana = ianaFromWindows(attribute(definition, 'Id') ?? '');
  if (iana !== undefined) return clocks.get(iana, () => offsetsOfIana(iana));
  const offsets = child(definition, 'Periods') === undefined ? undefined : offsetsOfDefinition(definition);
  if (offsets === undefined) throw timeZoneFault();
  // Made anew for each request: what it is made of may be long.
  return clocks.once(offsets);
}

function timeZoneFault(): EwsFault {
  return new EwsFault('ErrorTimeZone', 'The time zone of the request is missing or not valid.');
}
