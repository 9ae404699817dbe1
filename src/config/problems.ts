import type * as z from 'zod';
import type { ConfigProblem } from './config-error.ts';
import { formatPath, quoted } from './key-path.ts';
import type { KeyPath } from './key-path.ts';
import { nearest } from './nearest.ts';

/** A mistake with its keys still apart, so that mistakes can be put into the file's order. */
export interface Problem {
  readonly path: KeyPath;
  readonly message: string;
}

/** What zod found, as ours: unknown keys with the nearest known one. */
export function problemFromIssue(issue: z.core.$ZodIssue): Problem {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'custom' && Array.isArray(issue.params?.['knownKeys'])) {
    return { path, message: unknownKey(String(path.at(-1)), issue.params['knownKeys'] as string[]) };
  }
  if (issue.code === 'invalid_key') {
    return { path, message: 'a system\'s name should begin with a letter and have at most 63 letters, digits, "-" and "_"' };
  }
  return { path, message: issue.message };
}

function unknownKey(key: string, known: readonly string[]): string {
  if (key.includes(':')) return 'there is no such key; perhaps the blank after its colon is missing';
  const near = nearest(key, known);
  return near === undefined ? `there is no such key; keys here: ${known.join(', ')}` : `there is no such key; did you mean ${near}?`;
}

/** In the order in which the keys stand in the file; a key that is missing counts as the map it is missing from. */
export function inFileOrder(problems: readonly Problem[], tree: unknown): readonly ConfigProblem[] {
  const positions = new Map<string, number>();
  number(tree, [], positions);
  const position = ({ path }: Problem): number => {
    for (let length = path.length; length > 0; length--) {
      const found = positions.get(formatPath(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return 0;
  };
  return problems
    .map((problem) => ({ problem, at: position(problem) }))
    .sort((a, b) => a.at - b.at)
    .map(({ problem }) => ({ path: formatPath(problem.path), message: problem.message }));
}

function number(node: unknown, path: KeyPath, positions: Map<string, number>): void {
  positions.set(formatPath(path), positions.size);
  if (Array.isArray(node)) {
    node.forEach((item, index) => number(item, [...path, index], positions));
  } else if (typeof node === 'object' && node !== null) {
    for (const [key, value] of Object.entries(node)) number(value, [...path, key], positions);
  }
}

/** A list of names for a message: the first few, and how many more. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, 20).map((name) => (/^[\w-]{1,63}$/.test(name) ? name : quoted(name)));
  return names.length > 20 ? `${shown.join(', ')} and ${names.length - 20} more` : shown.join(', ');
}
