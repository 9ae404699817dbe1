import { BUSY_RANK, BUSY_TYPES } from '../../../freebusy/busy-type.ts';
import type { BusyType, WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { BusyInterval, FreeBusy } from '../../../freebusy/free-busy.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { withoutWorkingElsewhere } from '../../../freebusy/working-elsewhere.ts';

/** Zimbra's internal letters (zimbra.md §2.2), of what is a conflict. Unknown is one: nobody knows that the time is free. */
export type ConflictLetter = 'T' | 'B' | 'O' | 'N';

const LETTER_OF: Readonly<Partial<Record<BusyType, ConflictLetter>>> = { tentative: 'T', busy: 'B', oof: 'O', 'no-data': 'N' };
const STRONGEST_FIRST: readonly BusyType[] = [...BUSY_TYPES].sort((one, other) => BUSY_RANK[other] - BUSY_RANK[one]).filter((type) => LETTER_OF[type] !== undefined);

/** Says of any stretch of time what one user has against it; the strongest where there is more. `undefined` free/busy: nothing is known. */
export function conflictFinder(known: FreeBusy | undefined, workingElsewhereAs: WorkingElsewhereAs): (when: Interval) => ConflictLetter | undefined {
  if (known === undefined) return ({ start, end }) => (start < end ? 'N' : undefined);
  const { busy } = withoutWorkingElsewhere(known, workingElsewhereAs);
  const stretchesOf = new Map<BusyType, BusyInterval[]>(STRONGEST_FIRST.map((type) => [type, []]));
  for (const one of busy) stretchesOf.get(one.busyType)?.push(one);
  const byType = [...stretchesOf].map(([type, stretches]) => ({ letter: LETTER_OF[type]!, stretches })).filter(({ stretches }) => stretches.length > 0);
  return (when) => (when.start < when.end ? byType.find(({ stretches }) => anyOverlaps(stretches, when))?.letter : undefined);
}

/** Stretches are sorted and disjoint: the first that ends after the start decides. */
function anyOverlaps(stretches: readonly BusyInterval[], { start, end }: Interval): boolean {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (stretches[middle]!.end > start) high = middle;
    else low = middle + 1;
  }
  return low < stretches.length && stretches[low]!.start < end;
}
