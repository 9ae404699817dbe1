/**
 * Cuts a header's value at a separator that stands outside quoted strings and angle brackets (RFC 3261 §7.3.1, §25.1); pieces are trimmed. A quotation or
 * bracket that does not end reaches to the end.
 */
export function splitValue(value: string, separator: ',' | ';'): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  let isQuoted = false;
  let isBracketed = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"' && !isBracketed) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '<') isBracketed = true;
    else if (character === '>') isBracketed = false;
    else if (character === separator && !isBracketed) {
      pieces.push(value.slice(from, at).trim());
      from = at + 1;
    }
  }
  pieces.push(value.slice(from).trim());
  return pieces;
}

/** A value and its parameters: names lower case, values as they stand without their quotes; a parameter without a value is empty. The first of a name counts. */
export interface ParameterizedValue {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `active;expires=3600`, `<sip:anna@corp.example>;tag=x`, `SIP/2.0/UDP host;branch=z` (RFC 3261 §7.3.1). */
export function readParameterized(text: string): ParameterizedValue {
  const [value = '', ...rest] = splitValue(text, ';');
  return { value, parameters: parametersOf(rest) };
}

/** `name=value` pieces, as `;` or `,` separated them. */
export function parametersOf(pieces: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase();
    if (name !== '' && !parameters.has(name)) parameters.set(name, equals < 0 ? '' : unquoted(piece.slice(equals + 1).trim()));
  }
  return parameters;
}

/** A quoted string (RFC 3261 §25.1) as what it says; anything else as it is. */
export function unquoted(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}

/** A text as a quoted string. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Whole seconds of a header like Expires, Min-Expires and Retry-After (RFC 3261 §20.19, §20.33: a comment or parameters may follow); undefined for anything else. */
export function deltaSeconds(value: string | undefined): number | undefined {
  const digits = /^(\d{1,10})(?=$|[\s;(])/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), LARGEST_DELTA);
}

/** RFC 3261 §20.19. */
const LARGEST_DELTA = 2 ** 32 - 1;
