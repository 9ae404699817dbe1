import { DAY_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { localFromUtc, utcFromLocal } from '../../../timezones/bias-rules.ts';
import { offsetsOfIana } from '../../../timezones/iana-offsets.ts';
import { DAYS_OF_WEEK } from '../../../timezones/serializable-time-zone.ts';
import type { TimeZoneSwitch } from '../../../timezones/serializable-time-zone.ts';
import { ianaFromWindows } from '../../../timezones/windows-zones.ts';
import { attribute, child, childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';

/** A zone's wall clock, in milliseconds as `Date.UTC` gives them for what it shows. Where in doubt, standard time, as in Java. */
export interface CalendarZone {
  utcFromLocal(local: number): Instant;
  localFromUtc(instant: Instant): number;
}

export const UTC: CalendarZone = { utcFromLocal: (local) => local, localFromUtc: (instant) => instant };

const ZONE_NAME_CHARACTERS = 100;

/**
 * The zones of a request (zimbra.md §7, soap-calendar.txt): IANA names, definitions that came along as `<tz id stdoff dayoff>`, Windows
 * names. A name that is known wins over a definition, which holds for every year alike.
 *
 * @returns by id; throws BridgeError INVALID_REQUEST for an unknown one, where Zimbra would take the account's own zone and find other conflicts
 */
export function zonesOf(request: XmlElement): (id: string) => CalendarZone {
  const definitions = new Map(childrenNamed(request, 'tz').map((tz) => [attribute(tz, 'id') ?? '', tz]));
  const known = new Map<string, CalendarZone>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    if (known.size >= LIMITS.recurrenceZones) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.recurrenceZones} time zones in one request`);
    const zone = zoneNamed(id, definitions.get(id));
    known.set(id, zone);
    return zone;
  };
}

function zoneNamed(id: string, definition: XmlElement | undefined): CalendarZone {
  if (id.length > ZONE_NAME_CHARACTERS) throw unknownZone();
  const iana = ianaZone(id);
  if (iana !== undefined) return iana;
  if (definition !== undefined) return definedZone(definition);
  const windows = ianaFromWindows(id);
  const zone = windows === undefined ? undefined : ianaZone(windows);
  if (zone === undefined) throw unknownZone();
  return zone;
}

function knownOffsets(name: string): ((instant: Instant) => number) | undefined {
  try {
    return offsetsOfIana(name);
  } catch (error) {
    if (error instanceof BridgeError) return undefined;
    throw error;
  }
}

function ianaZone(name: string): CalendarZone | undefined {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return undefined;
  const offsetAt = knownOffsets(name);
  if (offsetAt === undefined) return undefined;
  return {
    localFromUtc: (instant) => instant + offsetAt(instant),
    utcFromLocal: (local) => {
      const [before, after] = [offsetAt(local - DAY_MS), offsetAt(local + DAY_MS)];
      const candidates = [local - before, local - after].filter((instant) => instant + offsetAt(instant) === local);
      // An hour that comes twice is the later one; one that does not exist is counted on from before it.
      return candidates.length === 0 ? local - before : Math.max(...candidates);
    },
  };
}

/** `stdoff` and `dayoff` are local minus UTC in minutes; without `<standard>` and `<daylight>` the clock never changes. */
function definedZone(tz: XmlElement): CalendarZone {
  const standardOffset = whole(tz, 'stdoff', -1_440, 1_440);
  const standard = child(tz, 'standard');
  const daylight = child(tz, 'daylight');
  if (standard === undefined || daylight === undefined) {
    const offset = standardOffset * 60_000;
    return { utcFromLocal: (local) => local - offset, localFromUtc: (instant) => instant + offset };
  }
  const zone = {
    biasMinutes: -standardOffset,
    standard: switchOf(standard, 0),
    daylight: switchOf(daylight, standardOffset - whole(tz, 'dayoff', -1_440, 1_440)),
  };
  return { utcFromLocal: (local) => utcFromLocal(zone, local), localFromUtc: (instant) => localFromUtc(zone, instant) };
}

/** A switch by week and weekday; one on a day of the month (`mday`) has no form here. */
function switchOf(one: XmlElement, biasMinutes: number): TimeZoneSwitch {
  const week = whole(one, 'week', -1, 4);
  if (week === 0) throw unknownZone();
  const secondOfDay = whole(one, 'hour', 0, 23) * 3_600 + whole(one, 'min', 0, 59, 0) * 60 + whole(one, 'sec', 0, 59, 0);
  return { biasMinutes, secondOfDay, dayOrder: week === -1 ? 5 : week, month: whole(one, 'mon', 1, 12), dayOfWeek: DAYS_OF_WEEK[whole(one, 'wkday', 1, 7) - 1]! };
}

function whole(element: XmlElement, name: string, least: number, most: number, fallback?: number): number {
  const text = attribute(element, name);
  if (text === undefined && fallback !== undefined) return fallback;
  const value = /^[+-]?\d{1,4}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw unknownZone();
  return value;
}

function unknownZone(): BridgeError {
  return new BridgeError('INVALID_REQUEST', 'unknown time zone');
}
