import type { SourceEntry } from '../directory/entry-source.ts';

/** Whether two entries say the same; keys are there or not, lists count in their order. */
export function sameEntry(a: SourceEntry, b: SourceEntry): boolean {
  const keys = Object.keys(a) as (keyof SourceEntry)[];
  return keys.length === Object.keys(b).length && keys.every((key) => sameValue(a[key], b[key]));
}

function sameValue(a: SourceEntry[keyof SourceEntry], b: SourceEntry[keyof SourceEntry]): boolean {
  if (a === b) return true;
  return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, index) => one === b[index]);
}
