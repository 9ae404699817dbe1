import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { UTC_ZONE, utcFromLocal } from '../../timezones/bias-rules.ts';
import { serializableTimeZoneFor } from '../../timezones/iana-rules.ts';
import type { SerializableTimeZone } from '../../timezones/serializable-time-zone.ts';
import { ianaFromWindows } from '../../timezones/windows-zones.ts';
import type { ContentLine } from './content-line.ts';
import { utcDateTime } from './date-time.ts';
import { zoneOfObservances } from './vtimezone.ts';
import type { Observance } from './vtimezone.ts';

/**
 * DTSTART or DTEND of a question, in any form that RFC 5545 has: UTC, with a TZID, a date, floating. VFREEBUSY asks for UTC (§3.6.4), and what python-caldav is
 * given without a zone it sends without one; such a time is taken as UTC, and the answer says in UTC what it covers.
 *
 * @param zones the message's own VTIMEZONEs, by TZID
 * @returns undefined where it is no time, or its zone is one that nobody knows and the message does not define
 */
export function requestedInstant(line: ContentLine, zones: ReadonlyMap<string, readonly Observance[]>): Instant | undefined {
  const value = line.value.trim();
  const utc = utcDateTime(value);
  if (utc !== undefined) return utc;
  const local = utcDateTime(/^\d{8}$/.test(value) ? `${value}T000000` : value, true);
  const tzid = line.parameters.get('TZID');
  if (local === undefined || tzid === undefined || /^(?:Etc\/)?(?:UTC|GMT|Z)$/i.test(tzid)) return local;
  const zone = knownZone(tzid, local) ?? zoneOfObservances(zones.get(tzid) ?? [], local);
  return zone === undefined ? undefined : utcFromLocal(zone, local);
}

/** Of the rules that we know by name; `/freeassociation.sourceforge.net/Europe/Berlin` (Evolution) and `/mozilla.org/20050126_1/Europe/Berlin` name one at their end. */
function knownZone(tzid: string, local: number): SerializableTimeZone | undefined {
  const year = new Date(local).getUTCFullYear();
  const path = tzid.split('/').filter((piece) => piece !== '');
  const names = path.length > 5 ? [] : [ianaFromWindows(tzid), path.slice(-3).join('/'), path.slice(-2).join('/'), path.at(-1)];
  for (const name of names) {
    const zone = name === undefined || !/^[A-Za-z][\w+/-]{1,60}$/.test(name) ? undefined : zoneOfIana(name, year);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

function zoneOfIana(name: string, year: number): SerializableTimeZone | undefined {
  try {
    const zone = serializableTimeZoneFor(name, year);
    // UTC in place of rules that follow the moon (Morocco) would be an hour off.
    return zone === UTC_ZONE ? undefined : zone;
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'INVALID_REQUEST') return undefined;
    throw error;
  }
}
