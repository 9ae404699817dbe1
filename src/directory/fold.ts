/** Letters that Unicode does not take apart, and how people type them without the key. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', đ: 'd', ħ: 'h', ı: 'i', ĸ: 'k', ł: 'l', ŋ: 'n', ø: 'o', ŧ: 't', ς: 'σ',
  // Typographic apostrophes and hyphens, for the ones on the keyboard.
  '‘': "'", '’': "'", '‛': "'", ʹ: "'", ʻ: "'", ʼ: "'", ʽ: "'", '′': "'", '`': "'", '‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '−': '-',
};
/** Nothing in it comes apart; only its case is folded. */
export const ASCII = /^[\0-\x7f]*$/;
const REPLACED = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');

/**
 * Marks that are put on a letter, and what nobody sees. Vowel signs of Indian and Thai letters are marks too, and letters of a name: they stay. The variation selectors
 * that Japanese names carry, and Arabic vowels and hamza, belong to no script of their own (Inherited).
 */
const UNSEEN = /(?=[\p{Script=Inherited}\p{Diacritic}])\p{M}|\p{Default_Ignorable_Code_Point}/gu;

/** What fold does, but for kana: they tell where words begin (words.ts). */
export function foldLetters(text: string): string {
  if (ASCII.test(text)) return foldAscii(text);
  // U+00B4 would come apart into a blank and an accent: O´Brien is no O Brien.
  return text.replaceAll('´', "'").normalize('NFKD').replace(UNSEEN, '').toLowerCase().replace(REPLACED, (one) => LETTERS[one]!);
}

/** Katakana as hiragana, which an input method shows while somebody types; as long as it was. */
export function foldKana(text: string): string {
  return text.replace(/[\u30a1-\u30f6\u30fd]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0x60));
}

/**
 * A name or address as it is compared: without case and diacritics (NFKD, marks stripped, lower case), ß as ss, ø as o, ł as l, æ as ae and their like, katakana as
 * hiragana, typographic apostrophes and hyphens as those of the keyboard. German ü is u, never ue. Blanks stay as they are. The same when folded again.
 *
 * Hangul is left in its parts, so that a syllable not yet whole begins the whole one: 기 begins 김.
 */
export function fold(text: string): string {
  return ASCII.test(text) ? foldAscii(text) : foldKana(foldLetters(text));
}

/** Four texts of five are nothing else, and cost a tenth this way. */
function foldAscii(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('`') ? lower.replaceAll('`', "'") : lower;
}
