import type { Attribute, FindAttribute } from './attribute.ts';

/** One attribute of an answer, under the name by which it was asked for. */
export interface SelectedAttribute<Subject> {
  readonly name: string;
  readonly attribute: Attribute<Subject>;
}

/**
 * What a search asks to be shown (RFC 4511 §4.5.1.8): nothing said or `*` is every attribute but the operational ones, `+` is those, `1.1` nothing. Names that nobody knows are
 * left out without a word. A further name (`gn`) is answered under itself, because clients look for what they asked for.
 */
export function selectAttributes<Subject>(asked: readonly string[], all: readonly Attribute<Subject>[], find: FindAttribute<Attribute<Subject>>): readonly SelectedAttribute<Subject>[] {
  const selected = new Map<string, SelectedAttribute<Subject>>();
  const select = (name: string, attribute: Attribute<Subject>): void => {
    if (attribute.isNeverShown !== true && !selected.has(name)) selected.set(name, { name, attribute });
  };
  for (const one of asked.length === 0 ? ['*'] : asked) {
    if (one === '*' || one === '+') {
      for (const attribute of all) if ((attribute.isOperational === true) === (one === '+')) select(attribute.name, attribute);
      continue;
    }
    const attribute = find(one);
    if (attribute === undefined) continue;
    select(attribute.alsoCalled?.find((name) => name.toLowerCase() === one.toLowerCase()) ?? attribute.name, attribute);
  }
  return [...selected.values()];
}
