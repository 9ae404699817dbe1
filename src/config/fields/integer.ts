import { Mistake, field, kindOf } from './field.ts';
import type { Field } from './field.ts';

/** A whole number within bounds. */
export function integer(bounds: { readonly min: number; readonly max: number }): Field<number> {
  const right = `a whole number from ${bounds.min} to ${bounds.max}`;
  return field(right, (value) => {
    if (typeof value !== 'number') throw new Mistake(`should be ${right}, not ${kindOf(value)}`);
    if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) throw new Mistake(`should be ${right}`);
    return value;
  });
}
