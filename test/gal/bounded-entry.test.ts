import { expect, it } from 'vitest';
import { boundedEntry } from '../../src/gal/bounded-entry.ts';
import { entry } from './gal-world.ts';

it('leaves an ordinary entry as it is', () => {
  const anna = entry('anna@corp.example', { name: 'Anna', title: 'Head', aliases: ['a@corp.example'], members: ['cn=x'] });
  expect(boundedEntry(anna)).toBe(anna);
});

it('cuts a name of 10,000 characters, never within one; leaves out what else is too long', () => {
  const long = '𠮷'.repeat(5_000);
  const bounded = boundedEntry(entry('anna@corp.example', { name: `x${long}`, title: long, phone: '1', legacyExchangeDn: `/o=${long}`, aliases: Array.from({ length: 300 }, (_, i) => `a${i}@corp.example`) }));
  expect(bounded?.name).toBe(`x${'𠮷'.repeat(127)}`);
  expect(bounded).toMatchObject({ address: 'anna@corp.example', phone: '1' });
  expect([bounded?.aliases?.length, bounded !== undefined && 'title' in bounded, bounded !== undefined && 'legacyExchangeDn' in bounded]).toEqual([200, false, false]);
});

it('an id beyond all measure is no entry', () => {
  expect(boundedEntry(entry('anna@corp.example', { id: 'x'.repeat(2_000) }))).toBeUndefined();
});
