import type { DayOfWeek, SerializableTimeZone, TimeZoneSwitch } from '../../src/timezones/serializable-time-zone.ts';

/** The table of exchange.md §6.1, rules of 2026: zone, bias, and (time, order, month, day) of the switches. */
export const SHEET_ZONES: readonly { readonly name: string; readonly zone: SerializableTimeZone }[] = [
  row('Europe/Berlin', -60, ['03:00:00', 5, 10, 'Sunday'], ['02:00:00', 5, 3, 'Sunday']),
  row('Europe/London', 0, ['02:00:00', 5, 10, 'Sunday'], ['01:00:00', 5, 3, 'Sunday']),
  row('America/New_York', 300, ['02:00:00', 1, 11, 'Sunday'], ['02:00:00', 2, 3, 'Sunday']),
  row('America/Los_Angeles', 480, ['02:00:00', 1, 11, 'Sunday'], ['02:00:00', 2, 3, 'Sunday']),
  row('Australia/Sydney', -600, ['03:00:00', 1, 4, 'Sunday'], ['02:00:00', 1, 10, 'Sunday']),
  row('Pacific/Auckland', -720, ['03:00:00', 1, 4, 'Sunday'], ['02:00:00', 5, 9, 'Sunday']),
  row('Asia/Jerusalem', -120, ['02:00:00', 5, 10, 'Sunday'], ['02:00:00', 4, 3, 'Friday']),
  row('Africa/Cairo', -120, ['23:59:59', 5, 10, 'Thursday'], ['00:00:00', 5, 4, 'Friday']),
  row('Australia/Lord_Howe', -630, ['02:00:00', 1, 4, 'Sunday'], ['02:00:00', 1, 10, 'Sunday'], -30),
];

type Row = readonly [time: string, order: number, month: number, day: DayOfWeek];

function row(name: string, biasMinutes: number, standard: Row, daylight: Row, delta = -60): { name: string; zone: SerializableTimeZone } {
  return { name, zone: { biasMinutes, standard: switchOf(0, standard), daylight: switchOf(delta, daylight) } };
}

function switchOf(biasMinutes: number, [time, dayOrder, month, dayOfWeek]: Row): TimeZoneSwitch {
  const [hours, minutes, seconds] = time.split(':').map(Number) as [number, number, number];
  return { biasMinutes, secondOfDay: hours * 3600 + minutes * 60 + seconds, dayOrder, month, dayOfWeek };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** What Intl shows on the zone's wall clock, as milliseconds of that naive time: the outside oracle. */
export function localByIntl(name: string, instant: number): number {
  let formatter = formatters.get(name);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
    formatters.set(name, formatter);
  }
  return Date.parse(`${formatter.format(instant).replace(' ', 'T')}Z`);
}
