import { tokensOf } from '../../../directory/words.ts';
import type { FindAttribute } from './attribute.ts';
import type { EntryAttribute } from './entry-attributes.ts';
import type { AssertionValue, Filter } from './filter.ts';

/**
 * The characters of the longest token that everybody whom a filter selects must have something to do with; 0 where it selects by nothing that somebody typed
 * (`(objectClass=*)`), Infinity where it selects nobody. Held against `DirectoryAllowance.minimumLength`.
 */
export function searchedLength(filter: Filter, find: FindAttribute<EntryAttribute>): number {
  const ofValues = (attribute: EntryAttribute | undefined, values: readonly AssertionValue[]): number => {
    if (attribute === undefined || values.includes(undefined)) return Infinity;
    if (attribute.isCommon === true || attribute.matching === 'time') return 0;
    return Math.max(0, ...values.flatMap((value) => tokensOf(value!)).map((token) => [...token].length));
  };
  switch (filter.kind) {
    case 'and':
      return Math.max(0, ...filter.filters.map((one) => searchedLength(one, find)));
    case 'or':
      return Math.min(Infinity, ...filter.filters.map((one) => searchedLength(one, find)));
    case 'not':
    case 'atLeast':
    case 'atMost':
      return 0;
    case 'present':
      return find(filter.attribute) === undefined ? Infinity : 0;
    case 'equal':
    case 'approx':
      return ofValues(find(filter.attribute), [filter.value]);
    case 'extensible':
      return filter.attribute === undefined ? Infinity : ofValues(find(filter.attribute), [filter.value]);
    case 'substrings':
      return ofValues(find(filter.attribute), [...('initial' in filter ? [filter.initial] : []), ...filter.any, ...('final' in filter ? [filter.final] : [])]);
  }
}
