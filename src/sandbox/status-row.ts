import type { Instant } from '../core/clock.ts';
import type { EntryType } from './calendar-store.ts';

/** What one slot of a day shows; the words of Zimbra's web client and of Outlook's scheduling page alike. */
export type Status = 'free' | 'no-data' | 'tentative' | 'busy' | 'oof';

/** Busier wins when several meet in one slot (zimbra-measured.md §2, exchange.md §2.4). */
const RANK: Readonly<Record<Status, number>> = { free: 0, 'no-data': 1, tentative: 2, busy: 3, oof: 4 };

/** Exchange's digits, 0 to 4 (exchange.md §2.4 and §3.2). */
export const DIGIT: Readonly<Record<Status, string>> = { free: '0', tentative: '1', busy: '2', oof: '3', 'no-data': '4' };

/** Neither Exchange 2003 nor 2010 nor Zimbra has "working elsewhere" in its answers: it is nothing there. */
export const ENTRY_STATUS: Readonly<Record<EntryType, Status>> = {
  free: 'free',
  tentative: 'tentative',
  busy: 'busy',
  oof: 'oof',
  'working-elsewhere': 'free',
};

export interface Stretch {
  readonly start: Instant;
  readonly end: Instant;
  readonly status: Status;
}

export function busier(one: Status, other: Status): Status {
  return RANK[other] > RANK[one] ? other : one;
}

/**
 * One status per slot of `slotMs` from `start`; the last slot may reach beyond `end`. A stretch colours every slot that it
 * touches at all; nothing is free.
 */
export function statusRow(stretches: readonly Stretch[], start: Instant, end: Instant, slotMs: number): readonly Status[] {
  const row: Status[] = Array.from({ length: Math.ceil((end - start) / slotMs) }, () => 'free');
  for (const stretch of stretches) {
    const first = Math.max(0, Math.floor((stretch.start - start) / slotMs));
    const last = Math.min(row.length, Math.ceil((stretch.end - start) / slotMs));
    for (let slot = first; slot < last; slot++) row[slot] = busier(row[slot]!, stretch.status);
  }
  return row;
}

/** Each slot's busiest over several rows of the same length: the "All Attendees" of a scheduling page. */
export function unionRow(rows: readonly (readonly Status[])[]): readonly Status[] {
  return (rows[0] ?? []).map((_, slot) => rows.reduce<Status>((highest, row) => busier(highest, row[slot]!), 'free'));
}

/**
 * The window tiled without a gap or an overlap, equal neighbours merged, busier wins, nothing is free: how Zimbra lays out its
 * slots (zimbra.md §2.2) and how its client draws them.
 */
export function tile(stretches: readonly Stretch[], start: Instant, end: Instant): readonly Stretch[] {
  const inside = stretches.filter((one) => one.start < end && one.end > start);
  const edges = new Set([start, end]);
  for (const one of inside) edges.add(Math.max(start, one.start)).add(Math.min(end, one.end));
  const sorted = [...edges].sort((one, other) => one - other);
  const tiles: Stretch[] = [];
  for (const [index, from] of sorted.slice(0, -1).entries()) {
    const to = sorted[index + 1]!;
    const status = inside.reduce<Status>((highest, one) => (one.start < to && one.end > from ? busier(highest, one.status) : highest), 'free');
    const previous = tiles.at(-1);
    if (previous?.status === status) tiles[tiles.length - 1] = { ...previous, end: to };
    else tiles.push({ start: from, end: to, status });
  }
  return tiles;
}
