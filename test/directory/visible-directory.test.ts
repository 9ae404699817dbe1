import { expect, it } from 'vitest';
import { visibleDirectory } from '../../src/directory/visible-directory.ts';
import { ASKER } from '../protocols/face-under-test.ts';
import { memoryDirectory } from './memory-directory.ts';

it('an address book is there for who may search or sync it, where one is kept', () => {
  const book = memoryDirectory([]);
  expect(['search', 'sync', 'none', undefined].map((gal) => visibleDirectory(book, { ...ASKER, gal: gal as never }) === book)).toEqual([true, true, false, false]);
  expect(visibleDirectory({ ...book, isKept: false }, { ...ASKER, gal: 'sync' })).toBeUndefined();
  expect(visibleDirectory(undefined, { ...ASKER, gal: 'sync' })).toBeUndefined();
});
