import type { BusyType } from '../../freebusy/busy-type.ts';

/** LegacyFreeBusyType of the schema; WorkingElsewhere since 2013. */
export type LegacyFreeBusyType = 'Free' | 'Tentative' | 'Busy' | 'OOF' | 'WorkingElsewhere' | 'NoData';

/** Nothing is lost on the way out to a caller of schema 2013 and later. */
export const LEGACY_FREE_BUSY_TYPE: Readonly<Record<BusyType, LegacyFreeBusyType>> = {
  free: 'Free',
  'no-data': 'NoData',
  'working-elsewhere': 'WorkingElsewhere',
  tentative: 'Tentative',
  busy: 'Busy',
  oof: 'OOF',
};

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

/** The digit of each type; working elsewhere is lost (free), because a caller may take 4 for no data. */
export const MERGED_DIGIT: Readonly<Record<BusyType, string>> = {
  free: '0',
  'no-data': '4',
  'working-elsewhere': '0',
  tentative: '1',
  busy: '2',
  oof: '3',
};
