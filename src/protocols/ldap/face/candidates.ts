import type { DirectoryEntry } from '../../../directory/entry.ts';
import type { FindAttribute } from './attribute.ts';
import type { EntryAttribute } from './entry-attributes.ts';
import type { Filter } from './filter.ts';
import type { View } from './shown-entry.ts';

/** Whom a filter can be true of, as far as the address book finds them without looking at everybody. */
export interface Candidates {
  readonly entries: readonly DirectoryEntry[];
  /** For Directory.search. */
  readonly texts: readonly string[];
  /** Nobody else can be meant. Where not, these are only the likeliest. */
  readonly isWhole: boolean;
}

const NOBODY: Candidates = { entries: [], texts: [], isWhole: true };
const EVERYBODY: Candidates = { entries: [], texts: [], isWhole: false };

/**
 * Finds by which questions to the address book a filter is answered: 100,000 entries are not looked through for every letter that somebody types. `(|(cn=ann*)(sn=ann*)(mail=ann*))`
 * is one search for `ann`; `(&(cn=ann*)(sn=lee*))` one for `ann lee`; `(cn=*ann*)` is everybody, with those found by `ann` looked at first.
 */
export function candidatesOf(filter: Filter, find: FindAttribute<EntryAttribute>, view: View): Candidates {
  switch (filter.kind) {
    case 'and':
      return both(filter.filters.map((one) => candidatesOf(one, find, view)));
    case 'or': {
      const parts = filter.filters.map((one) => candidatesOf(one, find, view));
      return { entries: parts.flatMap(({ entries }) => entries), texts: [...new Set(parts.flatMap(({ texts }) => texts))], isWhole: parts.every(({ isWhole }) => isWhole) };
    }
    case 'present': {
      const attribute = find(filter.attribute);
      return attribute === undefined || hasNobody(attribute) ? NOBODY : EVERYBODY;
    }
    case 'equal':
    case 'approx':
      return exactly(find(filter.attribute), filter.value, view);
    case 'extensible':
      return filter.attribute === undefined ? NOBODY : exactly(find(filter.attribute), filter.value, view);
    case 'substrings': {
      const attribute = find(filter.attribute);
      if (attribute === undefined || hasNobody(attribute)) return NOBODY;
      const begin = filter.initial === undefined ? undefined : attribute.foundBy?.(filter.initial);
      if (begin !== undefined) return { entries: [], texts: [begin], isWhole: true };
      const longest = [...filter.any, filter.final].reduce<string>((best, part = '') => (part.length > best.length ? part : best), '');
      const hint = attribute.foundBy?.(longest);
      // `(anr=*ann)` asks for words all the same.
      return hint === undefined ? EVERYBODY : { entries: [], texts: [hint], isWhole: attribute.matching === 'words' && filter.any.length + (filter.final === undefined ? 0 : 1) === 1 };
    }
    case 'not':
    case 'atLeast':
    case 'atMost':
      return EVERYBODY;
  }
}

/** Known to filters, and no entry has one. */
function hasNobody(attribute: EntryAttribute): boolean {
  return attribute.isNeverShown === true && attribute.foundBy === undefined;
}

function exactly(attribute: EntryAttribute | undefined, value: string | undefined, view: View): Candidates {
  if (attribute === undefined || value === undefined) return NOBODY;
  const text = attribute.foundBy?.(value);
  const entries = attribute.whoHas?.(value, view);
  if (text === undefined && (entries === undefined || attribute.foundBy !== undefined)) return EVERYBODY;
  return { entries: entries ?? [], texts: text === undefined ? [] : [text], isWhole: true };
}

/** Of those who must be in all of these, the fewest. */
function both(parts: readonly Candidates[]): Candidates {
  const whole = parts.filter(({ isWhole }) => isWhole);
  const known = whole.filter(({ texts }) => texts.length === 0).sort((a, b) => a.entries.length - b.entries.length)[0];
  if (known !== undefined) return known;
  // Whoever is found by each of two texts is found by both together.
  const single = whole.filter(({ entries, texts }) => entries.length === 0 && texts.length === 1);
  if (single.length > 0) return { entries: [], texts: [[...new Set(single.map(({ texts }) => texts[0]!))].join(' ')], isWhole: true };
  const fewest = [...whole].sort((a, b) => a.texts.length - b.texts.length)[0];
  return fewest ?? parts.find(({ entries, texts }) => entries.length + texts.length > 0) ?? EVERYBODY;
}
