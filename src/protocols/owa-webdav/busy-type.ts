import type { BusyType } from '../../freebusy/busy-type.ts';

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
