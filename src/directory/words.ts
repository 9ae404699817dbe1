import { LIMITS } from '../core/limits.ts';
import { ASCII, fold, foldKana, foldLetters } from './fold.ts';

export { fold } from './fold.ts';

const BETWEEN_WORDS = /[\s,;]+/;
/** What is one word and nothing else: most given names, surnames and nicknames. */
const PLAIN_WORD = /^[a-z0-9]+$/;

/** Within a word another begins: at every Chinese character, where the script changes to or from kana or Hangul, after what is neither letter nor digit. */
const PIECE = /\p{Script=Han}|[\p{Script=Hiragana}ー]+|[\p{Script=Katakana}ー]+|\p{Script=Hangul}+|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー])[\p{L}\p{N}\p{M}])+/gu;

/**
 * What a token may begin of a name, folded, each once, in no order that means anything. A name is taken apart at blanks, commas and semicolons; each word counts as it stands
 * (`anna-lena`, `*star*`), without its apostrophes (`o'brien`, `obrien`), from every place within it where another begins (`lena`; 山田太郎: 田太郎, 太郎, 郎), and in its pieces of letters
 * and digits alone (`anna`).
 *
 * Looks at the first `LIMITS.entryNameCharacters` of a name, and at `LIMITS.innerWordCharacters` of what begins within a word.
 */
export function wordsOf(text: string): readonly string[] {
  const words = new Set<string>();
  takeApart(text, words);
  return [...words];
}

/** Adds to `words` what `wordsOf` gives, and gives what `tokensOf` would: for several names at once, each folded but one time. */
export function takeApart(name: string, words: Set<string>): readonly string[] {
  const letters = foldLetters(name.slice(0, LIMITS.entryNameCharacters));
  if (PLAIN_WORD.test(letters)) {
    words.add(letters);
    return [letters];
  }
  const tokens = letters.split(BETWEEN_WORDS).filter((token) => token !== '');
  for (const token of tokens) {
    if (PLAIN_WORD.test(token)) words.add(token);
    else addForms(token, words);
  }
  return ASCII.test(letters) ? tokens : tokens.map(foldKana);
}

function addForms(word: string, words: Set<string>): void {
  for (const form of word.includes("'") ? [word, word.replaceAll("'", '')] : [word]) {
    if (form === '') continue;
    const folded = foldKana(form);
    words.add(folded);
    for (const { 0: piece, index } of form.matchAll(PIECE)) {
      if (index > 0) words.add(folded.slice(index, index + LIMITS.innerWordCharacters));
      // The characters of a Chinese name make a word together, and any of them alone makes one only at its end.
      if (!/\p{Script=Han}/u.test(piece)) words.add(folded.slice(index, index + Math.min(piece.length, LIMITS.innerWordCharacters)));
    }
  }
}

/**
 * The tokens of what somebody typed, folded, in their order: what stands between blanks, commas and semicolons. `*` and `%` stand for themselves. Of a text beyond
 * `LIMITS.searchCharacters` the rest is not looked at.
 */
export function tokensOf(text: string): readonly string[] {
  const folded = fold(text.slice(0, LIMITS.searchCharacters));
  return PLAIN_WORD.test(folded) ? [folded] : folded.split(BETWEEN_WORDS).filter((token) => token !== '');
}
