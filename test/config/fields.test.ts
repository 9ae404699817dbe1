import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/config/fields/duration.ts';
import { formatPath } from '../../src/config/key-path.ts';
import { nearest } from '../../src/config/nearest.ts';

it.each([
  ['500ms', 500],
  ['8s', 8000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('reads %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
  expect(formatDuration(ms)).toBe(text);
});

it.each(['', '5', 's', '1.5s', '-1s', '5 s', '5S', '5s ', '1w', '1e3s', '0x5s', '9999999999s'])('does not take "%s" for a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it('suggests the nearest word only where one is near', () => {
  expect(nearest('exchnage', ['zimbra', 'exchange'])).toBe('exchange');
  expect(nearest('MAYASK', ['name', 'mayAsk'])).toBe('mayAsk');
  expect(nearest('verify', ['ca'])).toBeUndefined();
  expect(nearest('x'.repeat(100_000), ['x'.repeat(99_999)])).toBeUndefined();
});

it('writes paths the way an administrator reads them', () => {
  expect(formatPath(['clients', 0, 'mayAsk', 1])).toBe('clients[0].mayAsk[1]');
  expect(formatPath(['systems', 'a b', 'url'])).toBe('systems["a b"].url');
  expect(formatPath(['x\n\u202ey'])).toBe('["x\\n\\u202ey"]');
  expect(formatPath(['k'.repeat(1000)]).length).toBeLessThan(70);
});
