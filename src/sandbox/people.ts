import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Clock, Instant } from '../core/clock.ts';
import { createCalendarStore } from './calendar-store.ts';
import type { CalendarStore, NewEntry } from './calendar-store.ts';
import type { AccountDetails } from './zimbra-accounts.ts';

/** The calendars of the three stand-ins. */
export interface Cast {
  readonly exchange2003: CalendarStore;
  readonly exchangeEws: CalendarStore;
  readonly zimbra: CalendarStore;
}

export const DOMAINS = { exchange2003: 'legacy.example', exchangeEws: 'corp.example', zimbra: 'zimbra.example' } as const;

/** Whose presence the sandbox's bridge may tell. */
export const PRESENT_PERSON = 'clara@corp.example';

/** What Exchange's people call their calendar folders: each in their own language. */
export const CALENDAR_NAMES: Readonly<Record<string, string>> = {
  'anna@legacy.example': 'Kalender',
  'bernd@legacy.example': '予定表',
  'clara@corp.example': 'Calendário',
  'david@corp.example': 'Kalender',
};

/** Three calendars at each stand-in, with the days around the clock's today (UTC) filled in. */
export function createCast(clock: Clock): Cast {
  const day = calendarDays(clock.now());
  const exchange2003 = createCalendarStore([
    { address: 'anna@legacy.example', displayName: 'Anna Albrecht' },
    { address: 'bernd@legacy.example', displayName: 'Bernd Böhm' },
    { address: 'room-spree@legacy.example', displayName: 'Room Spree' },
  ]);
  fill(exchange2003, 'anna@legacy.example', [
    // Back to back, with a tentative lunch over the end of the second.
    { ...day.at(0, '09:00', '10:00'), type: 'busy', subject: 'Budget', location: 'Room Spree' },
    { ...day.at(0, '10:00', '11:30'), type: 'busy', subject: 'Review' },
    { ...day.at(0, '11:00', '12:30'), type: 'tentative', subject: 'Lunch with a customer' },
    { ...day.at(0, '15:00', '15:30'), type: 'busy', subject: 'Dentist', private: true },
    { ...day.at(1, '08:00', '09:00'), type: 'busy', subject: 'Stand-up' },
  ]);
  fill(exchange2003, 'bernd@legacy.example', [
    { ...day.at(0, '13:00', '14:00'), type: 'busy', subject: 'Interview' },
    { ...day.all(1), type: 'oof', subject: 'Day off' },
    { ...day.overMonthEnd, type: 'busy', subject: 'Maintenance window' },
  ]);
  fill(exchange2003, 'room-spree@legacy.example', [
    { ...day.at(0, '09:00', '10:00'), type: 'busy', subject: 'Budget' },
    { ...day.at(0, '14:00', '16:00'), type: 'busy', subject: 'Workshop' },
  ]);

  const exchangeEws = createCalendarStore([
    { address: 'clara@corp.example', displayName: 'Clara Costa' },
    { address: 'david@corp.example', displayName: 'David Dahl' },
    { address: 'room-atlas@corp.example', displayName: 'Room Atlas' },
  ]);
  fill(exchangeEws, 'clara@corp.example', [
    { ...day.at(0, '08:30', '09:00'), type: 'busy', subject: 'Stand-up' },
    { ...day.at(0, '09:00', '09:30'), type: 'busy', subject: 'Planning' },
    { ...day.at(0, '10:00', '12:00'), type: 'tentative', subject: 'Hold for the board' },
    { ...day.at(0, '11:00', '11:30'), type: 'busy', subject: 'Call' },
    { ...day.at(0, '13:00', '15:00'), type: 'working-elsewhere', subject: 'At home' },
    { ...day.at(0, '16:00', '16:30'), type: 'busy', subject: 'Doctor', private: true },
    { ...day.at(0, '17:00', '18:30'), type: 'oof', subject: 'On the train' },
  ]);
  fill(exchangeEws, 'david@corp.example', [
    { ...day.all(0), type: 'oof', subject: 'Trade fair' },
    { ...day.overMonthEnd, type: 'busy', subject: 'Closing of the month' },
  ]);
  fill(exchangeEws, 'room-atlas@corp.example', [{ ...day.at(0, '11:00', '13:00'), type: 'busy', subject: 'Board' }]);

  const zimbra = createCalendarStore([
    // The account with which the bridge reads; `check` looks at its own calendar.
    { address: 'bridge@zimbra.example', displayName: 'Free/busy bridge' },
    { address: 'kim@zimbra.example', displayName: 'Kim Kowalski' },
    { address: 'lee@zimbra.example', displayName: 'Lee Larsen' },
    { address: 'room-linden@zimbra.example', displayName: 'Room Linden' },
    { address: 'mia@zimbra.example', displayName: 'Mia Mertens' },
    { address: 'galsync.sandbox@zimbra.example', displayName: 'GAL synchronisation' },
  ]);
  fill(zimbra, 'kim@zimbra.example', [
    { ...day.at(0, '09:00', '10:30'), type: 'busy', subject: 'Customer visit' },
    { ...day.at(0, '10:00', '11:00'), type: 'tentative', subject: 'Perhaps a demo' },
    { ...day.at(0, '13:00', '14:00'), type: 'tentative', subject: 'Lunch' },
    { ...day.at(0, '16:00', '18:00'), type: 'oof', subject: 'Parents’ evening', private: true },
  ]);
  fill(zimbra, 'lee@zimbra.example', [
    { ...day.all(1), type: 'oof', subject: 'Holiday' },
    { ...day.overMonthEnd, type: 'busy', subject: 'Release' },
  ]);
  fill(zimbra, 'room-linden@zimbra.example', [{ ...day.at(0, '08:00', '09:30'), type: 'busy', subject: 'Training' }]);
  fill(zimbra, 'mia@zimbra.example', [{ ...day.at(0, '10:00', '12:00'), type: 'busy', subject: 'Nobody’s business' }]);
  return { exchange2003, exchangeEws, zimbra };
}

/** What Zimbra's directory says of each of its accounts. Lee is known to Exchange under another name than Zimbra's; Mia shows nobody when she is busy. */
export const ZIMBRA_DETAILS: Readonly<Record<string, AccountDetails>> = {
  'kim@zimbra.example': { foreignPrincipal: 'ad:kim' },
  'lee@zimbra.example': { foreignPrincipal: 'ad:larsen' },
  'room-linden@zimbra.example': { foreignPrincipal: 'ad:room-linden', resource: 'Location' },
  'mia@zimbra.example': { foreignPrincipal: 'ad:mia', deniesFreeBusy: true },
  'galsync.sandbox@zimbra.example': { isSystem: true },
};

/** The legacyExchangeDN of the mail contact that an Exchange has for a Zimbra user; undefined for whom it has none. */
export function contactOf(organisation: string, address: string): string | undefined {
  const principal = ZIMBRA_DETAILS[address.toLowerCase()]?.foreignPrincipal;
  return principal === undefined ? undefined : `${organisation}/cn=Recipients/cn=${principal.slice('ad:'.length)}`;
}

/** Midnight UTC of the day of `now`. */
export function midnight(now: Instant): Instant {
  return Math.floor(now / DAY_MS) * DAY_MS;
}

function calendarDays(now: Instant): {
  readonly at: (days: number, from: string, to: string) => { start: Instant; end: Instant };
  readonly all: (days: number) => { start: Instant; end: Instant };
  readonly overMonthEnd: { readonly start: Instant; readonly end: Instant };
} {
  const today = midnight(now);
  const timeMs = (clockTime: string): number => {
    const [hours = 0, minutes = 0] = clockTime.split(':').map(Number);
    return (hours * 60 + minutes) * MINUTE_MS;
  };
  const date = new Date(now);
  const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return {
    at: (days, from, to) => ({ start: today + days * DAY_MS + timeMs(from), end: today + days * DAY_MS + timeMs(to) }),
    all: (days) => ({ start: today + days * DAY_MS, end: today + (days + 1) * DAY_MS }),
    overMonthEnd: { start: nextMonth - timeMs('02:00'), end: nextMonth + timeMs('02:00') },
  };
}

function fill(calendars: CalendarStore, address: string, entries: readonly NewEntry[]): void {
  for (const entry of entries) calendars.add(address, entry);
}
