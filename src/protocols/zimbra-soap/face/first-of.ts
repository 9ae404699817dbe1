import type { Pace } from '../../../core/pace.ts';

/** One of many, and where it stands among them. */
interface Keyed<T> {
  readonly key: string;
  readonly value: T;
}

/** The lowest of many, in order. */
export interface FirstOf<T> {
  readonly first: readonly T[];
  /** All that have a key, with those. */
  readonly total: number;
}

/** Sorted at one go: about 1 ms. Longer lists are merged from such pieces, in turns. */
const PIECE = 1_000;

/**
 * The `count` lowest by a key (compared by code units), however many there are: never more than twice as many are held at once, and others get their turn.
 *
 * @param count Infinity: all
 * @param keyOf distinct for every value, so that the order is the same next time; undefined for one that is not wanted
 */
export async function firstOf<T>(many: Iterable<T>, count: number, keyOf: (value: T) => string | undefined, pace: Pace): Promise<FirstOf<T>> {
  let held: Keyed<T>[] = [];
  let highest: string | undefined;
  let total = 0;
  for (const value of many) {
    const key = keyOf(value);
    if (key !== undefined) {
      total += 1;
      if (highest === undefined || key < highest) held.push({ key, value });
      if (held.length >= 2 * count + PIECE) {
        held = (await sorted(held, pace)).slice(0, count);
        highest = held.at(-1)?.key ?? '';
      }
    }
    if (pace.spend(1)) await pace.turn();
  }
  return { first: (await sorted(held, pace)).slice(0, count).map(({ value }) => value), total };
}

async function sorted<T>(list: readonly Keyed<T>[], pace: Pace): Promise<Keyed<T>[]> {
  let runs: Keyed<T>[][] = [];
  for (let at = 0; at < list.length; at += PIECE) {
    runs.push(list.slice(at, at + PIECE).sort(byKey));
    if (pace.spend(PIECE)) await pace.turn();
  }
  while (runs.length > 1) {
    const merged: Keyed<T>[][] = [];
    for (let at = 0; at < runs.length; at += 2) merged.push(runs[at + 1] === undefined ? runs[at]! : await mergedInTurns(runs[at]!, runs[at + 1]!, pace));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedInTurns<T>(one: readonly Keyed<T>[], other: readonly Keyed<T>[], pace: Pace): Promise<Keyed<T>[]> {
  const merged: Keyed<T>[] = [];
  for (let i = 0, j = 0; i < one.length || j < other.length; ) {
    const left = one[i];
    const right = other[j];
    if (right === undefined || (left !== undefined && left.key <= right.key)) {
      merged.push(left!);
      i += 1;
    } else {
      merged.push(right);
      j += 1;
    }
    // A comparison costs a tenth of what an entry does.
    if (merged.length % 10 === 0 && pace.spend(1)) await pace.turn();
  }
  return merged;
}

function byKey({ key: one }: { readonly key: string }, { key: other }: { readonly key: string }): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
