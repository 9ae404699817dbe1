import { Lexer } from 'yaml';

/**
 * Offset at which brackets, or dashes on one line, nest deeper than `limit`; undefined where they never do.
 *
 * Looked for before parsing: yaml 2.9.1 takes the process down (out of memory in a regular expression) on half a million `[`.
 */
export function nestsTooDeep(source: string, limit: number): number | undefined {
  let offset = 0;
  let brackets = 0;
  let onThisLine = 0;
  for (const token of new Lexer().lex(source)) {
    if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (token === '-' || token === '?') onThisLine++;
    else if (token === '\n' || token === '\r\n') onThisLine = 0;
    if (brackets > limit || onThisLine > limit) return offset;
    // Tokens of the lexer's own (document start, scalar and flow ends) stand for no character.
    if (!MARKS.has(token)) offset += token.length;
  }
  return undefined;
}

const MARKS = new Set(['\u0002', '\u0018', '\u001f']);
