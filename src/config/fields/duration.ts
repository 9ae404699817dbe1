import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/clock.ts';
import { Mistake, field, kindOf } from './field.ts';
import type { Field } from './field.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** `500ms`, `8s`, `5m`, `2h`, `7d` as milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** The shortest spelling: 5000 → `5s`. */
export function formatDuration(ms: number): string {
  const unit = Object.keys(UNITS).findLast((name) => ms !== 0 && ms % (UNITS[name] ?? 1) === 0) ?? 'ms';
  return `${ms / (UNITS[unit] ?? 1)}${unit}`;
}

/** A duration within bounds, in milliseconds. */
export function duration(bounds: { readonly min: number; readonly max: number }): Field<number> {
  const right = `a duration from ${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}, e.g. ${bounds.max > DAY_MS ? '7d or 60d' : '500ms or 8s'}`;
  return field(right, (value) => {
    if (typeof value === 'number') throw new Mistake(`has no unit; it should be ${right}`);
    if (typeof value !== 'string') throw new Mistake(`should be ${right}, not ${kindOf(value)}`);
    const ms = parseDuration(value);
    if (ms === undefined || ms < bounds.min || ms > bounds.max) throw new Mistake(`should be ${right}`);
    return ms;
  });
}
