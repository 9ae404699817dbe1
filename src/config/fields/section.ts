import * as z from 'zod';

/** A map with exactly these keys; the mistake for any other key knows them (problems.ts reads `knownKeys`). */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strip> {
  const unknownKey = z.custom<never>(() => false, { params: { knownKeys: Object.keys(shape) } });
  // The catch-all only refuses, so it is no part of the result's type.
  return z.object(shape).catchall(unknownKey);
}

/** A list; with `min` 1 it may not be empty. */
export function list<Item extends z.ZodType>(item: Item, min: 0 | 1 = 0): z.ZodArray<Item> {
  return z.array(item).min(min);
}
