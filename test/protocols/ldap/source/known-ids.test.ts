import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { KnownIds } from '../../../../src/protocols/ldap/source/known-ids.ts';

it('ids that were told are known, and next to no others', async () => {
  const known = new KnownIds();
  expect(known.has('anything, before the first pass')).toBe(true);
  // One after the other, as slapd makes them, and random ones.
  const ids = Array.from({ length: 50_000 }, (_, index) => `c${index.toString(16).padStart(7, '0')}-807d-1041-9983-c35b0a8d3432`).concat(Array.from({ length: 50_000 }, () => randomUUID()));
  await known.set(ids);
  expect(ids.every((id) => known.has(id))).toBe(true);
  const strangers = Array.from({ length: 20_000 }, (_, index) => `d${index.toString(16).padStart(7, '0')}-807d-1041-9983-c35b0a8d3432`);
  expect(strangers.filter((id) => known.has(id)).length).toBeLessThan(20);
  known.add(['told since']);
  expect(known.has('told since')).toBe(true);
  await known.set(ids);
  expect(known.has('told since')).toBe(false);
});
