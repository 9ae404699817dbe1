import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../src/freebusy/free-busy.ts';
import type { Interval } from '../../src/freebusy/interval.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TYPES = ['busy', 'tentative', 'oof'] as const;

/** A made-up calendar as a source knows it: two meetings a day, some of them off the grid, and working hours in Berlin. */
export function knownCalendar(mailbox: MailboxAddress, window: Interval): FreeBusy {
  const number = Number(/\d+/.exec(mailbox)?.[0] ?? 0);
  const busy: BusyInterval[] = [];
  for (let day = Math.floor(window.start / DAY_MS) * DAY_MS; day < window.end; day += DAY_MS) {
    busy.push({ start: day + (8 + (number % 3)) * HOUR_MS, end: day + (9 + (number % 3)) * HOUR_MS + (number % 4) * 300_000, busyType: TYPES[(number + day / DAY_MS) % 3]! });
    busy.push({ start: day + (13 + (number % 4)) * HOUR_MS, end: day + (14 + (number % 4)) * HOUR_MS, busyType: 'busy' });
  }
  const zone = { biasMinutes: -60, standard: { biasMinutes: 0, secondOfDay: 10_800, dayOrder: 5, month: 10, dayOfWeek: 'Sunday' }, daylight: { biasMinutes: -60, secondOfDay: 7_200, dayOrder: 5, month: 3, dayOfWeek: 'Sunday' } } as const;
  const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'] as const;
  return freeBusyFrom(mailbox, window, { busy, workingHours: { timeZone: zone, periods: [{ days, startMinute: 480, endMinute: 1_020 }] } });
}
