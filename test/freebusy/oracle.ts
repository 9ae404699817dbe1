import fc from 'fast-check';
import type { CalendarEvent } from '../../src/freebusy/free-busy.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';

export const MINUTE = 60_000;
/** A Monday. Instants in these tests are whole minutes after it. */
export const ORIGIN = Date.UTC(2026, 2, 2);
export const ANNA = 'anna@corp.example' as MailboxAddress;
export const KIM = 'kim@corp.example' as MailboxAddress;

export const at = (minute: number): number => ORIGIN + minute * MINUTE;
export const span = (from: number, to: number): { start: number; end: number } => ({ start: at(from), end: at(to) });

/** architecture.md, "Decisions taken" 1, weakest first; written down here again so that a changed table is noticed. */
const WEAKEST_FIRST = ['free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof'];

export type Stretch = { readonly start: number; readonly end: number; readonly busyType: string };

/** What one minute is: the strongest of everything that holds any of it; whole minutes only. */
export function minuteOf(minute: number, stretches: readonly Stretch[], known?: readonly { readonly start: number; readonly end: number }[]): string {
  const holds = (one: { readonly start: number; readonly end: number }): boolean => one.start <= at(minute) && at(minute) < one.end;
  let strongest = known === undefined || known.some(holds) ? 'free' : 'no-data';
  for (const one of stretches) if (holds(one) && WEAKEST_FIRST.indexOf(one.busyType) > WEAKEST_FIRST.indexOf(strongest)) strongest = one.busyType;
  return strongest;
}

export const busyType = fc.constantFrom('free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof');

/** Minutes around a window of four hours that begins at minute 60: outside on both sides, touching, reversed and empty ones too. */
export const anyStretch = fc.record({ start: fc.integer({ min: 0, max: 360 }).map(at), end: fc.integer({ min: 0, max: 360 }).map(at), busyType });
export const anyEvent = fc.record(
  {
    start: fc.integer({ min: 0, max: 360 }).map(at),
    end: fc.integer({ min: 0, max: 360 }).map(at),
    busyType,
    isCancelled: fc.boolean(),
    ownReply: fc.constantFrom('organizer', 'accepted', 'tentative', 'declined', 'none'),
  },
  { requiredKeys: ['start', 'end', 'busyType'] },
) as fc.Arbitrary<CalendarEvent>;
export const WINDOW = span(60, 300);
