import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { isCounted } from './calendar-store.ts';
import type { Entry } from './calendar-store.ts';

/** One pair of multi-values: `months[i]` belongs to `blocks[i]`. */
export interface MonthsAndBlocks {
  readonly months: readonly number[];
  /** Base64 of little-endian (start, end) minutes since the 1st, 00:00 UTC; empty where the month has nothing. */
  readonly blocks: readonly string[];
}

/** A SCHEDULE+ FREE BUSY message in the style of Exchange 2003 itself, not of Zimbra or of a connector. */
export interface PublishedMessage {
  /** Epoch ms. */
  readonly start: Instant;
  readonly end: Instant;
  /** The same in minutes since 1601-01-01 UTC, as on the wire. */
  readonly startMinutes: number;
  readonly endMinutes: number;
  readonly publishedAt: Instant;
  readonly merged: MonthsAndBlocks;
  readonly tentative: MonthsAndBlocks;
  readonly busy: MonthsAndBlocks;
  readonly away: MonthsAndBlocks;
}

/** Minutes from 1601 to 1970: 134,774 days (exchange.md §1.4). */
const MINUTES_1601_TO_1970 = 194_074_560;

/**
 * Publishes entries as Exchange 2003 does: from the first day of the month or of the (Sunday's) week, whichever is earlier, for
 * `months` months; every month of the window is listed in every pair, an empty one with nothing in it
 * (captures/exchange-webdav/FreeBusyPublicFolderResponse.xml; exchange.md §1.3, §1.4). Merged is busy and away, never tentative.
 */
export function publish(entries: readonly Entry[], now: Instant, months: number): PublishedMessage {
  const { start, end } = publishWindow(now, months);
  const ofTypes = (...types: readonly string[]): MonthsAndBlocks => monthsAndBlocks(
    entries.filter((one) => types.includes(one.type) && isCounted(one)),
    start,
    end,
  );
  return {
    start,
    end,
    startMinutes: start / MINUTE_MS + MINUTES_1601_TO_1970,
    endMinutes: end / MINUTE_MS + MINUTES_1601_TO_1970,
    publishedAt: now,
    merged: ofTypes('busy', 'oof'),
    tentative: ofTypes('tentative'),
    busy: ofTypes('busy'),
    away: ofTypes('oof'),
  };
}

export function publishWindow(now: Instant, months: number): { readonly start: Instant; readonly end: Instant } {
  const today = new Date(now);
  const firstOfMonth = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 1);
  const sunday = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - today.getUTCDay());
  const start = Math.min(firstOfMonth, sunday);
  const from = new Date(start);
  return { start, end: Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, from.getUTCDate()) };
}

function monthsAndBlocks(entries: readonly Entry[], start: Instant, end: Instant): MonthsAndBlocks {
  const months: number[] = [];
  const blocks: string[] = [];
  const first = new Date(start);
  for (let at = Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), 1); at < end; at = monthAfter(at)) {
    const month = new Date(at);
    months.push(month.getUTCFullYear() * 16 + month.getUTCMonth() + 1);
    blocks.push(block(entries, at, Math.max(at, start), Math.min(monthAfter(at), end)));
  }
  return { months, blocks };
}

function monthAfter(firstOfMonth: Instant): Instant {
  // 32 days after a first is always inside the next month.
  const next = new Date(firstOfMonth + 32 * DAY_MS);
  return Date.UTC(next.getUTCFullYear(), next.getUTCMonth(), 1);
}

function block(entries: readonly Entry[], firstOfMonth: Instant, from: Instant, to: Instant): string {
  const runs: { start: number; end: number }[] = [];
  for (const entry of entries) {
    if (entry.start >= to || entry.end <= from) continue;
    const start = Math.floor((Math.max(entry.start, from) - firstOfMonth) / MINUTE_MS);
    const end = Math.ceil((Math.min(entry.end, to) - firstOfMonth) / MINUTE_MS);
    const last = runs.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else runs.push({ start, end });
  }
  const bytes = Buffer.alloc(runs.length * 4);
  for (const [index, run] of runs.entries()) {
    bytes.writeUInt16LE(run.start, index * 4);
    bytes.writeUInt16LE(run.end, index * 4 + 2);
  }
  return bytes.toString('base64');
}
