import type { Attribute, FindAttribute } from './attribute.ts';
import type { Filter } from './filter.ts';
import { beginsWords, comparable, comparablePart } from './matching.ts';

/** True, False or Undefined (RFC 4511 §4.5.1.7): what is not True selects nobody, but `not` turns False into True and leaves Undefined. */
export type Truth = boolean | undefined;

export type Predicate<Subject> = (subject: Subject) => Truth;

const UNDEFINED: Predicate<unknown> = () => undefined;

/** Rules of extensible matches that mean equality as we compare: caseIgnoreMatch, caseIgnoreIA5Match, distinguishedNameMatch, objectIdentifierMatch. */
const EQUALITY_RULES: ReadonlySet<string> = new Set(['caseignorematch', '2.5.13.2', 'caseignoreia5match', '1.3.6.1.4.1.1466.109.114.2', 'distinguishednamematch', '2.5.13.1', 'objectidentifiermatch', '2.5.13.0']);

/** Makes a test of a filter. What asks for attributes, rules or values that nobody knows is Undefined, and never an error. */
export function compileFilter<Subject>(filter: Filter, find: FindAttribute<Attribute<Subject>>): Predicate<Subject> {
  switch (filter.kind) {
    case 'and':
      return every(filter.filters.map((one) => compileFilter(one, find)));
    case 'or':
      return some(filter.filters.map((one) => compileFilter(one, find)));
    case 'not': {
      const test = compileFilter(filter.filter, find);
      return (subject) => {
        const truth = test(subject);
        return truth === undefined ? undefined : !truth;
      };
    }
    case 'extensible': {
      if (filter.attribute === undefined) return UNDEFINED;
      const isEquality = filter.rule === undefined || EQUALITY_RULES.has(filter.rule.toLowerCase());
      const attribute = find(filter.attribute);
      if (attribute === undefined || filter.value === undefined) return UNDEFINED;
      // Active Directory's bits (1.2.840.113556.1.4.803): none of our attributes has any, and what nobody has is False.
      return isEquality ? equality(attribute, filter.value) : attribute.isNeverShown === true ? () => false : UNDEFINED;
    }
    case 'present': {
      const attribute = find(filter.attribute);
      return attribute === undefined ? UNDEFINED : (subject) => attribute.values(subject).length > 0;
    }
    case 'substrings': {
      const attribute = find(filter.attribute);
      return attribute === undefined ? UNDEFINED : substrings(attribute, filter);
    }
    case 'equal':
    case 'approx':
    case 'atLeast':
    case 'atMost': {
      const attribute = find(filter.attribute);
      if (attribute === undefined || filter.value === undefined) return UNDEFINED;
      return filter.kind === 'equal' || filter.kind === 'approx' ? equality(attribute, filter.value) : ordering(attribute, filter.value, filter.kind);
    }
  }
}

function every<Subject>(tests: readonly Predicate<Subject>[]): Predicate<Subject> {
  return (subject) => {
    let truth: Truth = true;
    for (const test of tests) {
      const one = test(subject);
      if (one === false) return false;
      if (one === undefined) truth = undefined;
    }
    return truth;
  };
}

function some<Subject>(tests: readonly Predicate<Subject>[]): Predicate<Subject> {
  return (subject) => {
    let truth: Truth = false;
    for (const test of tests) {
      const one = test(subject);
      if (one === true) return true;
      if (one === undefined) truth = undefined;
    }
    return truth;
  };
}

function equality<Subject>(attribute: Attribute<Subject>, value: string): Predicate<Subject> {
  const { matching } = attribute;
  if (matching === 'words') return (subject) => beginsWords(value, attribute.values(subject));
  const wanted = comparable(matching, value);
  if (wanted === undefined) return UNDEFINED;
  if (attribute.equals !== undefined) return attribute.equals(value);
  return (subject) => attribute.values(subject).some((one) => comparable(matching, one) === wanted);
}

function ordering<Subject>(attribute: Attribute<Subject>, value: string, kind: 'atLeast' | 'atMost'): Predicate<Subject> {
  const { matching } = attribute;
  const bound = matching === 'name' || matching === 'words' ? undefined : comparable(matching, value);
  if (bound === undefined) return UNDEFINED;
  return (subject) =>
    attribute.values(subject).some((one) => {
      const known = comparable(matching, one);
      return known !== undefined && (kind === 'atLeast' ? known >= bound : known <= bound);
    });
}

function substrings<Subject>(attribute: Attribute<Subject>, filter: Extract<Filter, { kind: 'substrings' }>): Predicate<Subject> {
  const { matching } = attribute;
  const given = [...('initial' in filter ? [filter.initial] : []), ...filter.any, ...('final' in filter ? [filter.final] : [])];
  const parts = given.map((part) => (part === undefined ? undefined : comparablePart(matching, part)));
  if (parts.some((part) => part === undefined)) return UNDEFINED;
  // `(anr=ann*)`, as some clients write it.
  if (matching === 'words') return (subject) => beginsWords(given.join(' '), attribute.values(subject));
  const rest = parts as string[];
  const initial = 'initial' in filter ? rest.shift()! : '';
  const final = 'final' in filter ? rest.pop()! : '';
  const fits = (value: string): boolean => {
    if (value.length < initial.length + final.length || !value.startsWith(initial) || !value.endsWith(final)) return false;
    let at = initial.length;
    const end = value.length - final.length;
    for (const part of rest) {
      const found = value.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return at <= end;
  };
  return (subject) => attribute.values(subject).some((one) => fits(comparable(matching, one) as string));
}
