import type { BusyType, WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { BusyInterval } from '../../freebusy/free-busy.ts';

/**
 * One digit of `fbdata`, by busy type. KB 813268's text has 1 and 2 the other way round; every implementation agrees on these (exchange.md §2.4).
 * `working-elsewhere` has no digit: `withoutWorkingElsewhere` takes it out before slots are cut.
 */
export const FBDATA_DIGITS: Readonly<Record<Exclude<BusyType, 'working-elsewhere'>, string>> = {
  free: '0',
  'no-data': '4',
  tentative: '1',
  busy: '2',
  oof: '3',
};

/** What one character of `fbdata` means. One that the protocol does not have is no data: Zimbra takes it for free, we do not. */
export function busyTypeOfDigit(digit: string): BusyType {
  switch (digit) {
    case '0':
      return 'free';
    case '1':
      return 'tentative';
    case '2':
      return 'busy';
    case '3':
      return 'oof';
    default:
      return 'no-data';
  }
}

/**
 * Lossy: OWA cannot say "working elsewhere". It becomes what the site wishes *before* slots are cut, so that in a slot it
 * shares with tentative, busy or unknown time the right one wins.
 */
export function withoutWorkingElsewhere(busy: readonly BusyInterval[], as: WorkingElsewhereAs): readonly BusyInterval[] {
  if (!busy.some((one) => one.busyType === 'working-elsewhere')) return busy;
  return busy.flatMap((one) => {
    if (one.busyType !== 'working-elsewhere') return [one];
    return as === 'free' ? [] : [{ ...one, busyType: as }];
  });
}
