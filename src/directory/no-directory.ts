import type { Directory } from './directory.ts';

/** Where no `gal.sources` are configured: nobody is in the address book. */
export const NO_DIRECTORY: Directory = {
  isKept: false,
  allowance: () => ({ results: 0, minimumLength: 1 }),
  search: () => ({ entries: [], more: false }),
  resolve: () => undefined,
  byId: () => undefined,
  byLegacyExchangeDn: () => undefined,
  legacyExchangeDnOf: () => undefined,
  membersOf: () => [],
  all: () => [],
  changes: () => ({ token: '0', isWhole: true, entries: [], removed: [] }),
};
