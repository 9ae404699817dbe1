import { describe, expect, it } from 'vitest';
import { clockFinding } from '../../src/freebusy/clock-finding.ts';

const DATE = 'Tue, 01 Dec 2026 09:00:00 GMT';
const THEIRS = Date.parse(DATE);

describe('the clock of a server', () => {
  it.each([
    // The header is cut down to the second, and the answer was on its way.
    [1_400, 'ok', 'its clock agrees with ours'],
    [0, 'ok', 'its clock agrees with ours'],
    [-1_000, 'ok', 'its clock agrees with ours'],
    [20_000, 'ok', 'its clock is 20 s behind ours'],
    [-20_000, 'ok', 'its clock is 20 s ahead of ours'],
    [61_000, 'warn', 'its clock is 61 s behind ours'],
  ])('%d ms before ours: %s', (ms, outcome, text) => {
    expect(clockFinding(DATE, THEIRS + ms)).toMatchObject([{ outcome, text }]);
  });

  it.each([undefined, 'yesterday'])('%s says nothing', (date) => {
    expect(clockFinding(date, THEIRS)).toEqual([]);
  });
});
