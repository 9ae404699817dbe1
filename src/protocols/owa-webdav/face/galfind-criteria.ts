import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { fold, tokensOf, wordsOf } from '../../../directory/words.ts';
import { percentDecode, rawParameters } from '../../../platform/http-server/raw-query.ts';

/** A criterion of galfind, by its parameter (exchange.md §2.5). */
export type Criterion = keyof typeof FIELDS;

/** One `AN=…` of a query: what it compares with, not yet folded. */
export interface SoughtField {
  readonly criterion: Criterion;
  readonly text: string;
}

const FIELDS = {
  /** Alias, or the address, which is what an entry without one is shown under. */
  an: ({ nickname, address }: DirectoryEntry): readonly (string | undefined)[] => [nickname, address],
  /** Found by words, unlike the others: `bernd mul` is for Müller, Bernd too, and 太郎 for 山田太郎. */
  dn: ({ name, givenName, surname, phoneticName }: DirectoryEntry): readonly (string | undefined)[] => [name, givenName, surname, phoneticName],
  em: ({ address, aliases }: DirectoryEntry): readonly (string | undefined)[] => [address, ...aliases],
  /** Where a directory keeps names whole, their first and last word. */
  fn: ({ givenName, name }: DirectoryEntry): readonly (string | undefined)[] => [givenName ?? name.split(/\s+/)[0]],
  ln: ({ surname, name }: DirectoryEntry): readonly (string | undefined)[] => [surname ?? name.split(/\s+/).at(-1)],
  tl: ({ title }: DirectoryEntry): readonly (string | undefined)[] => [title],
  cp: ({ company }: DirectoryEntry): readonly (string | undefined)[] => [company],
  of: ({ office }: DirectoryEntry): readonly (string | undefined)[] => [office],
  dp: ({ department }: DirectoryEntry): readonly (string | undefined)[] => [department],
};

/** What the directory's own search knows: names and addresses. */
const BY_WORDS: readonly Criterion[] = ['em', 'an', 'dn', 'ln', 'fn'];

/**
 * The criteria of a query, each once; parameters that are none are passed over, as are empty ones. `*` and `%` stand for themselves.
 *
 * @throws BridgeError INVALID_REQUEST where there are more than LIMITS.galfindCriteria
 */
export function decodeCriteria(rawQuery: string): readonly SoughtField[] {
  const found = new Map<string, SoughtField>();
  for (const { name, value } of rawParameters(rawQuery)) {
    if (!Object.hasOwn(FIELDS, name)) continue;
    const text = textOf(name as Criterion, value);
    if (text !== '') found.set(`${name} ${text}`, { criterion: name as Criterion, text });
  }
  if (found.size > LIMITS.galfindCriteria) throw new BridgeError('INVALID_REQUEST', `more than ${LIMITS.galfindCriteria} criteria`);
  return [...found.values()];
}

function textOf(criterion: Criterion, value: string): string {
  const text = percentDecode(value).trim();
  return criterion === 'em' || criterion === 'an' || criterion === 'dn' ? text.replace(/^smtp:/i, '') : text;
}

/** Whether an entry has in every field what was sought for it: at its beginning, in names each token at the beginning of a word; without case and diacritics. */
export function fitsAll(sought: readonly SoughtField[]): (entry: DirectoryEntry) => boolean {
  const tests = sought.map(({ criterion, text }) => (criterion === 'dn' ? hasWords(tokensOf(text)) : begins(criterion, fold(text))));
  return (entry) => tests.every((fits) => fits(entry));
}

function begins(criterion: Criterion, text: string): (entry: DirectoryEntry) => boolean {
  return (entry) => FIELDS[criterion](entry).some((value) => value !== undefined && fold(value).startsWith(text));
}

function hasWords(tokens: readonly string[]): (entry: DirectoryEntry) => boolean {
  return (entry) => {
    const words = FIELDS.dn(entry).flatMap((value) => (value === undefined ? [] : wordsOf(value)));
    return tokens.every((token) => words.some((word) => word.startsWith(token)));
  };
}

/** The criterion that the directory's search can begin with: the one that tells most; undefined where all are about something else. */
export function wordsSought(sought: readonly SoughtField[]): string | undefined {
  return BY_WORDS.map((criterion) => sought.find((one) => one.criterion === criterion)?.text).find((text) => text !== undefined);
}
