import { fold, tokensOf, wordsOf } from '../../../directory/words.ts';
import type { Matching } from './attribute.ts';
import { dnKey, parseDn } from './distinguished-name.ts';
import { parseGeneralizedTime } from '../../../core/generalized-time.ts';

/** A value or assertion as it is compared; undefined for what is none of its syntax. Equal values are the same. */
export function comparable(matching: Matching, value: string): string | number | undefined {
  switch (matching) {
    case 'text':
    case 'words':
      return tidy(value);
    case 'phone':
      return fold(value).replace(/[\s-]/g, '');
    case 'time': {
      const at = parseGeneralizedTime(value);
      return at === undefined ? undefined : Math.floor(at / 1000);
    }
    case 'name': {
      const name = parseDn(value);
      return name === undefined ? undefined : dnKey(name);
    }
    case 'category':
      return tidy(/^\s*cn\s*=\s*([^,]+),\s*cn\s*=\s*schema\b/i.exec(value)?.[1] ?? value);
  }
}

/** A part of a value as it is looked for in others; undefined where the matching knows no parts. */
export function comparablePart(matching: Matching, part: string): string | undefined {
  if (matching === 'phone') return fold(part).replace(/[\s-]/g, '');
  return matching === 'text' || matching === 'words' || matching === 'category' ? collapse(fold(part)) : undefined;
}

/** Whether every token of what was typed begins a word of the names among the values, or an address, as Directory.search finds people. */
export function beginsWords(typed: string, values: readonly string[]): boolean {
  const tokens = tokensOf(typed);
  const words = values.flatMap((value) => (/^\S+@\S+$/.test(value) ? [fold(value)] : wordsOf(value)));
  return tokens.length > 0 && tokens.every((token) => words.some((word) => word.startsWith(token)));
}

function tidy(value: string): string {
  return collapse(fold(value)).trim();
}

function collapse(value: string): string {
  return value.includes('  ') || /[\t\r\n]/.test(value) ? value.replace(/\s+/g, ' ') : value;
}
