import * as z from 'zod';
import { wrongKind } from './wrong-kind.ts';

/** A map with exactly these keys; the mistake for any other key knows them (problems.ts reads `knownKeys`). */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strip> {
  const unknownKey = z.custom<never>(() => false, { params: { knownKeys: Object.keys(shape) } });
  // The catch-all only refuses, so it is no part of the result's type.
  return z.object(shape).catchall(unknownKey);
}

/** A value whose shape decides by which schema it is read, e.g. one or a list. */
export function chosen<T>(choose: (value: unknown) => z.ZodType<T>): z.ZodType<T> {
  return z.unknown().transform(async (value, ctx): Promise<T> => {
    const result = await choose(value).safeParseAsync(value, { error: wrongKind });
    if (result.success) return result.data;
    // Everything is said already; `input` is only there for the messages, and may be a secret.
    for (const issue of result.error.issues) ctx.issues.push({ ...issue, input: undefined });
    return z.NEVER;
  });
}

/** A list; with `min` 1 it may not be empty. */
export function list<Item extends z.ZodType>(item: Item, min: 0 | 1 = 0): z.ZodArray<Item> {
  return z.array(item).min(min);
}
