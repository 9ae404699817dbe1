import { DAY_MS } from '../../../core/clock.ts';
import type { Clock, Instant } from '../../../core/clock.ts';
import { Pace } from '../../../core/pace.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { UTC_ZONE, zoneWithoutDaylight } from '../../../timezones/bias-rules.ts';
import { serializableTimeZoneFor } from '../../../timezones/iana-rules.ts';
import type { SerializableTimeZone } from '../../../timezones/serializable-time-zone.ts';
import { ianaFromWindows, windowsFromIana } from '../../../timezones/windows-zones.ts';
import { encodeServerTimeZone, encodeServerTimeZoneName } from './server-time-zone.ts';

/** A zone of this server, written. */
export interface ServerTimeZone {
  readonly id: string;
  readonly full: XmlText;
  readonly nameOnly: XmlText;
}

/** The list and its year. */
interface ListOfYear {
  readonly year: number;
  readonly zones: Promise<readonly ServerTimeZone[]>;
}

let latest: ListOfYear | undefined;

/**
 * All Windows zones with the rules of this year, west to east. Made once a year of use, when somebody asks: a third of a second of work, ten
 * milliseconds at a time. Whoever asks meanwhile waits for the same list.
 */
export function serverTimeZones(clock: Clock): Promise<readonly ServerTimeZone[]> {
  const now = clock.now();
  const year = new Date(now).getUTCFullYear();
  if (latest?.year !== year) latest = { year, zones: makeAll(now, year) };
  return latest.zones;
}

async function makeAll(now: Instant, year: number): Promise<readonly ServerTimeZone[]> {
  const pace = new Pace(1);
  const made: { readonly biasMinutes: number; readonly zone: ServerTimeZone }[] = [];
  for (const id of await windowsIds()) {
    if (pace.spend(1)) await pace.turn();
    const zone = rulesOf(ianaFromWindows(id)!, now, year);
    made.push({ biasMinutes: zone.biasMinutes, zone: { id, full: encodeServerTimeZone({ id, zone }), nameOnly: encodeServerTimeZoneName({ id, zone }) } });
  }
  return made.sort((a, b) => b.biasMinutes - a.biasMinutes || (a.zone.id < b.zone.id ? -1 : 1)).map(({ zone }) => zone);
}

/** Every id that some IANA zone has, those of the open sea among them. To look up one name costs a tenth of a millisecond, all 440 of them at once would hold everybody up. */
async function windowsIds(): Promise<ReadonlySet<string>> {
  const atSea = [...Array.from({ length: 12 }, (_, hour) => `Etc/GMT+${hour + 1}`), ...Array.from({ length: 14 }, (_, hour) => `Etc/GMT-${hour + 1}`)];
  const pace = new Pace(50);
  const ids = new Set<string>();
  for (const name of [...Intl.supportedValuesOf('timeZone'), ...atSea, 'Etc/UTC']) {
    const id = windowsFromIana(name);
    if (id !== undefined && ianaFromWindows(id) !== undefined) ids.add(id);
    if (pace.spend(1)) await pace.turn();
  }
  return ids;
}

/** Where the yearly form cannot say a zone's rules (iana-rules.ts gives UTC then), it has the offset that it keeps for most of the year. */
function rulesOf(iana: string, now: Instant, year: number): SerializableTimeZone {
  const zone = serializableTimeZoneFor(iana, year);
  return zone === UTC_ZONE ? zoneWithoutDaylight(usualBias(iana, now)) : zone;
}

function usualBias(iana: string, now: Instant): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: iana, timeZoneName: 'longOffset' });
  const months = Array.from({ length: 12 }, (_, month) => biasOf(format, now + month * 30 * DAY_MS));
  const counted = months.map((bias) => ({ bias, count: months.filter((other) => other === bias).length }));
  return counted.sort((a, b) => b.count - a.count)[0]!.bias;
}

/** From `GMT+01:00`, or `GMT` alone. */
function biasOf(format: Intl.DateTimeFormat, instant: Instant): number {
  const text = format.formatToParts(instant).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  return sign === undefined ? 0 : (sign === '+' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
