import { BUSY_TYPES } from '../../freebusy/busy-type.ts';
import type { BusyType } from '../../freebusy/busy-type.ts';

/** LegacyFreeBusyType of the schema; WorkingElsewhere since 2013. */
const FROM_LEGACY: ReadonlyMap<string, BusyType> = new Map([
  ['Free', 'free'],
  ['NoData', 'no-data'],
  ['WorkingElsewhere', 'working-elsewhere'],
  ['Tentative', 'tentative'],
  ['Busy', 'busy'],
  ['OOF', 'oof'],
]);

/** A type nobody knows, or none at all, is busy: never free. */
export function decodeLegacyFreeBusyType(text: string | undefined): BusyType {
  return FROM_LEGACY.get(text ?? '') ?? 'busy';
}

/**
 * The digits of MergedFreeBusy, by XDOC. 4 is "no data" there; some clients take it for working elsewhere when only part of
 * the string is 4s. Nobody has shown which Exchange sends it so (exchange.md §3.2, [U]), and reading it as free would
 * double-book, so it stays no data. 5 (said to be no data where 4 is working elsewhere) and every other character as well.
 */
export function decodeMergedDigit(digit: string): BusyType {
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

/** LegacyFreeBusyType as it is written. WorkingElsewhere only to callers whose schema has it (Exchange2013 on). */
export const LEGACY_FREE_BUSY_TYPES: Readonly<Record<BusyType, string>> = {
  free: 'Free',
  'no-data': 'NoData',
  'working-elsewhere': 'WorkingElsewhere',
  tentative: 'Tentative',
  busy: 'Busy',
  oof: 'OOF',
};

/**
 * The digits as they are written: 0–4 and nothing else, 4 is no data. There is none for working elsewhere: it becomes what the site wishes before
 * slots are cut, and should one come here all the same it is unknown.
 */
const MERGED_DIGITS: Readonly<Record<BusyType, string>> = { free: '0', tentative: '1', busy: '2', oof: '3', 'no-data': '4', 'working-elsewhere': '4' };

/** The digits in the order of BUSY_RANK, for `slotString`. */
export const MERGED_DIGIT_OF_RANK: readonly string[] = BUSY_TYPES.map((busyType) => MERGED_DIGITS[busyType]);
