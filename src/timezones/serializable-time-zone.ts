/** English day names as EWS spells them, Sunday first: the position is what `Date.getUTCDay` gives. */
export const DAYS_OF_WEEK = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/**
 * One yearly switch. `secondOfDay` is the wall clock just before it; `dayOrder` 1–4 counts the weekday in its month, 5 means
 * the last; `month` 1–12, or 0 where the zone has no daylight time (a stock Zimbra sends that).
 */
export interface TimeZoneSwitch {
  readonly biasMinutes: number;
  /** Seconds since local midnight. */
  readonly secondOfDay: number;
  readonly dayOrder: number;
  readonly month: number;
  readonly dayOfWeek: DayOfWeek;
  /** Only where the rule holds for one year; `dayOrder` is then a day of the month. */
  readonly year?: number;
}

/**
 * EWS SerializableTimeZone: UTC = local + bias, in minutes (Berlin −60), plus the bias of the half of the year. `standard` is the
 * switch into standard time, `daylight` that into daylight time; in the south the latter comes later in the year.
 *
 * @see exchange-web-services TimeZone (Availability) element
 */
export interface SerializableTimeZone {
  readonly biasMinutes: number;
  readonly standard: TimeZoneSwitch;
  readonly daylight: TimeZoneSwitch;
}
