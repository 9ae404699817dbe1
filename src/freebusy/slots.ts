import { MINUTE_MS } from '../core/clock.ts';
import { BUSY_RANK, BUSY_TYPES } from './busy-type.ts';
import type { BusyType } from './busy-type.ts';
import type { BusyInterval, FreeBusy } from './free-busy.ts';
import { clip } from './interval.ts';
import type { Interval } from './interval.ts';

/** How many slots of `slotMinutes` it takes to cover the window; the last one may overrun its end. */
export function slotCount(window: Interval, slotMinutes: number): number {
  return Math.ceil((window.end - window.start) / (slotMinutes * MINUTE_MS));
}

/**
 * Cuts free/busy into slots that begin at `window.start`: one rank (see BUSY_RANK) a slot, in order.
 *
 * A stretch colours every slot it touches at all; in one slot the strongest wins. `window` may be wider than what the
 * free/busy covers: those slots are no data.
 */
export function slotRanks(freeBusy: FreeBusy, window: Interval, slotMinutes: number): Uint8Array {
  const slotMs = slotMinutes * MINUTE_MS;
  const ranks = new Uint8Array(slotCount(window, slotMinutes));
  const colour = (stretch: Interval, rank: number): void => {
    const inside = clip(stretch, window);
    if (inside === undefined) return;
    const last = Math.min(ranks.length, Math.ceil((inside.end - window.start) / slotMs));
    for (let slot = Math.floor((inside.start - window.start) / slotMs); slot < last; slot++) {
      if (ranks[slot]! < rank) ranks[slot] = rank;
    }
  };
  const unknown = BUSY_RANK['no-data'];
  if (freeBusy.window.start > window.start) colour({ start: window.start, end: freeBusy.window.start }, unknown);
  if (freeBusy.window.end < window.end) colour({ start: freeBusy.window.end, end: window.end }, unknown);
  for (const stretch of freeBusy.busy) colour(stretch, BUSY_RANK[stretch.busyType]);
  return ranks;
}

/** Runs of equal slots as one string: `digits[rank]` a slot. `digits` has one character for each of BUSY_TYPES, in that order. */
export function slotString(ranks: Uint8Array, digits: readonly string[]): string {
  let out = '';
  for (let index = 0; index < ranks.length; ) {
    const rank = ranks[index]!;
    let end = index + 1;
    while (end < ranks.length && ranks[end] === rank) end++;
    out += digits[rank]!.repeat(end - index);
    index = end;
  }
  return out;
}

/**
 * Reads a string of slots into stretches, neighbours of the same type as one; free ones are left out.
 *
 * `typeOf` says what one character means; a character it does not know must not come back as free. What lies behind the
 * last slot is *not* covered: the caller decides that it is no data (`covered` tells how far the string reaches).
 */
export function stretchesFromSlots(
  slots: string,
  start: number,
  slotMinutes: number,
  typeOf: (character: string) => BusyType,
): { readonly busy: readonly BusyInterval[]; readonly covered: Interval } {
  const slotMs = slotMinutes * MINUTE_MS;
  const busy: BusyInterval[] = [];
  for (let index = 0; index < slots.length; ) {
    const busyType = typeOf(slots[index]!);
    let end = index + 1;
    while (end < slots.length && (slots[end] === slots[end - 1] || typeOf(slots[end]!) === busyType)) end++;
    if (busyType !== 'free') busy.push({ start: start + index * slotMs, end: start + end * slotMs, busyType });
    index = end;
  }
  return { busy, covered: { start, end: start + slots.length * slotMs } };
}

/** One stretch of a window that is tiled without gap or overlap, free ones included. */
export interface Tile extends Interval {
  readonly busyType: BusyType;
}

/** Tiles the free/busy's whole window: sorted, touching, neighbours differ; free stretches are there too. */
export function tiles(freeBusy: FreeBusy): readonly Tile[] {
  const out: Tile[] = [];
  let from = freeBusy.window.start;
  for (const stretch of freeBusy.busy) {
    if (stretch.start > from) out.push({ start: from, end: stretch.start, busyType: BUSY_TYPES[0] });
    out.push(stretch);
    from = stretch.end;
  }
  if (from < freeBusy.window.end) out.push({ start: from, end: freeBusy.window.end, busyType: BUSY_TYPES[0] });
  return out;
}

const SHOWN_SLOTS = 400;

/** A string of slots for people: digits are safe to show as they are, what else a server puts there is not, and a few hundred will do. */
export function shownSlots(slots: string): string {
  const safe = slots.slice(0, SHOWN_SLOTS).replace(/[^0-9]/g, '?');
  return slots.length > SHOWN_SLOTS ? `${safe}… (${slots.length})` : safe === '' ? '(none)' : safe;
}
