import type { Clock, Instant } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { tokensOf } from '../../../directory/words.ts';
import type { Candidates } from './candidates.ts';
import type { Predicate } from './evaluate-filter.ts';
import type { ShownEntry, View } from './shown-entry.ts';

/** An entry, or the id of one that is to be looked up when its turn comes: a hundred thousand of them are not held in memory. Few are, because every look counts against the rate of a client that may only search. */
export type Hit = DirectoryEntry | string;

/** `all`: there is nobody else; `cut`: there are more than were wanted; `late`: it took too long; `abandoned`: nobody waits any more. */
export type HowFound = 'all' | 'cut' | 'late' | 'abandoned';

export interface FindEntries {
  readonly view: View;
  readonly candidates: Candidates;
  readonly test: Predicate<ShownEntry>;
  /** What one test costs: items of the filter. */
  readonly items: number;
  /** So many entries at most; Infinity for no limit. */
  readonly most: number;
  readonly until: Instant;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface FoundEntries {
  /** Each once; best first as the address book ranks them, then whom only a look through everybody found. */
  readonly hits: readonly Hit[];
  readonly how: HowFound;
}

/** Pages of the address book's ranking; a small page that the filter thins out would cost another question. */
const LEAST_PAGE = 50;

/** Whoever satisfies a filter: asked for by words as far as that finds them, looked for among everybody else where it does not. */
export async function findEntries({ view, candidates, test, items, most, until, clock, signal }: FindEntries): Promise<FoundEntries> {
  const { directory, requester } = view;
  const { minimumLength } = directory.allowance(requester);
  const pace = new Pace(LIMITS.ldapItemsPerTurn);
  const seen = new Set<string>();
  const hits: Hit[] = [];
  /** False when there is one too many. */
  const take = (entry: DirectoryEntry, asId: boolean): boolean => {
    if (seen.has(entry.id) || test({ entry, view }) !== true) return true;
    if (hits.length >= most) return false;
    seen.add(entry.id);
    hits.push(asId ? entry.id : entry);
    return true;
  };
  const over = (): HowFound | undefined => (signal.aborted ? 'abandoned' : clock.now() >= until ? 'late' : undefined);

  for (const entry of candidates.entries) if (!take(entry, false)) return { hits, how: 'cut' };

  let isComplete = candidates.isWhole;
  let questions = 0;
  for (const text of candidates.texts) {
    // Shorter than the requester may search for by words alone; the filter as a whole was long enough.
    if (Math.max(0, ...tokensOf(text).map((token) => [...token].length)) < minimumLength) {
      isComplete = false;
      continue;
    }
    for (let offset = 0; ; ) {
      if (++questions > LIMITS.ldapCandidateQuestions) {
        isComplete = false;
        break;
      }
      const page = directory.search({ text, offset, limit: Math.min(LIMITS.ldapCandidates, Math.max(LEAST_PAGE, most + 1)) }, requester);
      for (const entry of page.entries) {
        if (!take(entry, false)) return { hits, how: 'cut' };
        if (pace.spend(items)) await pace.turn();
      }
      const ended = over();
      if (ended !== undefined) return { hits, how: ended };
      // Those behind satisfy the filter as these did, or a client that has all it wants is told once too often that there are more.
      if (page.more && hits.length >= most) return { hits, how: 'cut' };
      if (!page.more) break;
      if (page.entries.length === 0 || !candidates.isWhole) {
        isComplete = false;
        break;
      }
      offset += page.entries.length;
    }
  }
  if (isComplete) return { hits, how: 'all' };

  for (const entry of directory.all(requester)) {
    if (!take(entry, most > LIMITS.ldapCandidates)) return { hits, how: 'cut' };
    if (!pace.spend(items)) continue;
    await pace.turn();
    const ended = over();
    if (ended !== undefined) return { hits, how: ended };
  }
  return { hits, how: 'all' };
}
