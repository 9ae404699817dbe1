import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { statusRow } from './status-row.ts';
import type { Status, Stretch } from './status-row.ts';

const SLOT_MS = 30 * MINUTE_MS;

/** One character per half hour. */
const BLOCKS: Readonly<Record<'unicode' | 'ascii', Readonly<Record<Status, string>>>> = {
  unicode: { free: '·', tentative: '░', busy: '█', oof: '▒', 'no-data': '?' },
  ascii: { free: '.', tentative: '-', busy: '#', oof: '@', 'no-data': '?' },
};

export type Drawing = keyof typeof BLOCKS;

/** The busiest of every half hour. */
export function halfHours(stretches: readonly Stretch[], start: Instant, end: Instant): readonly Status[] {
  return statusRow(stretches, start, end, SLOT_MS);
}

export function drawRow(row: readonly Status[], drawing: Drawing): string {
  return row.map((status) => BLOCKS[drawing][status]).join('');
}

/** Above a row: every second hour, at its place. */
export function drawHours(start: Instant, end: Instant): string {
  let line = '';
  for (let at = start; at < end; at += 2 * HOUR_MS) line += String((at % DAY_MS) / HOUR_MS).padStart(2, '0').padEnd(4);
  return line.trimEnd();
}

export function drawLegend(drawing: Drawing): string {
  const blocks = BLOCKS[drawing];
  return `${blocks.free} free   ${blocks.tentative} tentative   ${blocks.busy} busy   ${blocks.oof} out of office   ${blocks['no-data']} no data   (a character is half an hour, hours in UTC)`;
}
