import type { Claims } from './json-web-token.ts';

/** Of an issuer, and what its tokens have to say to be a client's. */
export interface TokenMark {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  /** All of them; a claim that is a list has the value among its members. */
  readonly claims: Readonly<Record<string, string>>;
}

/** Lists written as one text, with blanks between (RFC 8693 §4.2; Entra's `scp`). */
const SPACED: ReadonlySet<string> = new Set(['scope', 'scp']);

/** Whether the claims are those of the mark, upper and lower case apart. A mark without claims is nobody's. */
export function hasClaims(claims: Claims, mark: TokenMark): boolean {
  const wanted = Object.entries(mark.claims);
  return wanted.length > 0 && wanted.every(([name, value]) => Object.hasOwn(claims, name) && isSaid(claims[name], value, SPACED.has(name)));
}

function isSaid(said: unknown, value: string, isSpaced: boolean): boolean {
  if (Array.isArray(said)) return said.some((one) => isValue(one, value));
  return isValue(said, value) || (isSpaced && typeof said === 'string' && said.split(' ').includes(value));
}

function isValue(said: unknown, value: string): boolean {
  return typeof said === 'string' ? said === value : (typeof said === 'number' || typeof said === 'boolean') && String(said) === value;
}
