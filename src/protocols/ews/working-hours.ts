import type { WorkingHours } from '../../freebusy/free-busy.ts';
import { child, childText, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { DAYS_OF_WEEK } from '../../timezones/serializable-time-zone.ts';
import type { DayOfWeek } from '../../timezones/serializable-time-zone.ts';
import { decodeTimeZone, encodeTimeZoneText, integer } from './time-zone.ts';

const DAY_GROUPS: ReadonlyMap<string, readonly DayOfWeek[]> = new Map<string, readonly DayOfWeek[]>([
  ['Day', DAYS_OF_WEEK],
  ['Weekday', DAYS_OF_WEEK.slice(1, 6)],
  ['WeekendDay', ['Sunday', 'Saturday']],
]);

/**
 * Reads WorkingHours of a FreeBusyView. Undefined where any part is unreadable: half a working week would show somebody as
 * away who is not, and nothing depends on it.
 */
export function decodeWorkingHours(element: XmlElement | undefined): WorkingHours | undefined {
  const timeZone = decodeTimeZone(child(element, 'TimeZone'));
  const array = child(element, 'WorkingPeriodArray');
  if (timeZone === undefined || array === undefined) return undefined;
  const periods: { days: readonly DayOfWeek[]; startMinute: number; endMinute: number }[] = [];
  for (const period of childrenNamed(array, 'WorkingPeriod')) {
    const days = decodeDays(childText(period, 'DayOfWeek') ?? '');
    const startMinute = integer(childText(period, 'StartTimeInMinutes'), 0, 1_440);
    const endMinute = integer(childText(period, 'EndTimeInMinutes'), 0, 1_440);
    if (days === undefined || startMinute === undefined || endMinute === undefined) return undefined;
    periods.push({ days, startMinute, endMinute });
  }
  return { timeZone, periods };
}

/** DaysOfWeekType: a list, in which the schema also has Day, Weekday and WeekendDay. */
function decodeDays(text: string): readonly DayOfWeek[] | undefined {
  const days = new Set<DayOfWeek>();
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const meant = DAY_GROUPS.get(word) ?? DAYS_OF_WEEK.filter((day) => day === word);
    if (meant.length === 0) return undefined;
    for (const day of meant) days.add(day);
  }
  return DAYS_OF_WEEK.filter((day) => days.has(day));
}

/** WorkingHours as text, in the zone of the mailbox's owner; there is nothing in it to escape. A period without days is none. */
export function encodeWorkingHours({ timeZone, periods }: WorkingHours): string {
  let written = '';
  for (const { days, startMinute, endMinute } of periods) {
    if (days.length === 0) continue;
    written += `<t:WorkingPeriod><t:DayOfWeek>${days.join(' ')}</t:DayOfWeek><t:StartTimeInMinutes>${startMinute}</t:StartTimeInMinutes><t:EndTimeInMinutes>${endMinute}</t:EndTimeInMinutes></t:WorkingPeriod>`;
  }
  return `<t:WorkingHours>${encodeTimeZoneText(timeZone)}<t:WorkingPeriodArray>${written}</t:WorkingPeriodArray></t:WorkingHours>`;
}
