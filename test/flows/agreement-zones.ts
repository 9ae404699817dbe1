/** A zone as a client of EWS sends it: its rules of 2026 by the table of exchange.md §6.1, its wall clock by this machine's tzdata. */
export interface AskingZone {
  readonly iana: string;
  /** SerializableTimeZone, or the Windows id of a TimeZoneContext. */
  readonly element: { readonly rules: string } | { readonly windowsId: string };
}

const change = (bias: number, time: string, order: number, month: number, day = 'Sunday'): string => `<t:Bias>${bias}</t:Bias><t:Time>${time}</t:Time><t:DayOrder>${order}</t:DayOrder><t:Month>${month}</t:Month><t:DayOfWeek>${day}</t:DayOfWeek>`;
const rules = (bias: number, standard: string, daylight: string): { rules: string } => ({ rules: `<t:TimeZone><t:Bias>${bias}</t:Bias><t:StandardTime>${standard}</t:StandardTime><t:DaylightTime>${daylight}</t:DaylightTime></t:TimeZone>` });
/** What a stock Zimbra sends. */
const NEVER = change(0, '00:00:00', 1, 0);

export const ASKING_ZONES: readonly AskingZone[] = [
  { iana: 'UTC', element: rules(0, NEVER, NEVER) },
  { iana: 'Europe/Berlin', element: rules(-60, change(0, '03:00:00', 5, 10), change(-60, '02:00:00', 5, 3)) },
  { iana: 'Europe/Berlin', element: { windowsId: 'W. Europe Standard Time' } },
  { iana: 'America/New_York', element: rules(300, change(0, '02:00:00', 1, 11), change(-60, '02:00:00', 2, 3)) },
  { iana: 'Australia/Lord_Howe', element: rules(-630, change(0, '02:00:00', 1, 4), change(-30, '02:00:00', 1, 10)) },
  { iana: 'Asia/Kathmandu', element: rules(-345, NEVER, NEVER) },
  { iana: 'Asia/Kolkata', element: { windowsId: 'India Standard Time' } },
];

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-03-29T03:00:00`: what the wall clock shows. */
export function localTime(zone: string, instant: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
    formats.set(zone, format);
  }
  return format.format(instant).replace(' ', 'T');
}

/** The instant of a wall clock time that comes once. */
export function instantOf(zone: string, local: string): number {
  const seeming = Date.parse(`${local}Z`);
  const offsetAt = (instant: number): number => Date.parse(`${localTime(zone, instant)}Z`) - instant;
  return seeming - offsetAt(seeming - offsetAt(seeming));
}
