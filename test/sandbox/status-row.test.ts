import { describe, expect, it } from 'vitest';
import { drawHours, drawRow, halfHours } from '../../src/sandbox/day-picture.ts';
import { statusRow, tile, unionRow } from '../../src/sandbox/status-row.ts';
import type { Stretch } from '../../src/sandbox/status-row.ts';

const HOUR = 3_600_000;
const stretch = (start: number, end: number, status: Stretch['status']): Stretch => ({ start: start * HOUR, end: end * HOUR, status });

describe('a row of slots', () => {
  it('colours every slot that is touched at all, the busier winning, and rounds the number of slots up', () => {
    expect(statusRow([stretch(1.1, 1.2, 'tentative'), stretch(1.5, 3, 'busy'), stretch(-5, 0.5, 'oof')], 0, 3.5 * HOUR, HOUR)).toEqual(['oof', 'busy', 'busy', 'free']);
  });

  it('is the busiest of each slot over all attendees, unknown above free', () => {
    expect(unionRow([['free', 'no-data', 'oof'], ['free', 'free', 'busy']])).toEqual(['free', 'no-data', 'oof']);
    expect(unionRow([])).toEqual([]);
  });

  it('is drawn under its hours', () => {
    const row = halfHours([stretch(8, 9, 'busy'), stretch(9.5, 10, 'tentative'), stretch(11, 12, 'no-data')], 7 * HOUR, 12 * HOUR);
    expect(drawHours(7 * HOUR, 12 * HOUR)).toBe('07  09  11');
    expect(drawRow(row, 'ascii')).toBe('..##.-..??');
  });
});

describe('a tiled window', () => {
  it('has neither gap nor overlap, equal neighbours merged', () => {
    expect(tile([stretch(1, 2, 'busy'), stretch(2, 3, 'busy'), stretch(2.5, 4, 'tentative'), stretch(9, 12, 'oof')], 0, 10 * HOUR)).toEqual([
      stretch(0, 1, 'free'),
      stretch(1, 3, 'busy'),
      stretch(3, 4, 'tentative'),
      stretch(4, 9, 'free'),
      stretch(9, 10, 'oof'),
    ]);
  });
});
