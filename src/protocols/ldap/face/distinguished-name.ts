import { isUtf8 } from 'node:buffer';
import { BerReader } from '../ber-read.ts';

/** One step of a name: a type and value, or several (`cn=a+uid=b`). Types in lower case and by their first name, values as they are. */
export type Rdn = readonly (readonly [type: string, value: string])[];

/** Other names of the types in our names (RFC 4519). */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  commonname: 'cn',
  '2.5.4.3': 'cn',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
  domaincomponent: 'dc',
  '0.9.2342.19200300.100.1.25': 'dc',
  organizationalunitname: 'ou',
  '2.5.4.11': 'ou',
  organizationname: 'o',
  '2.5.4.10': 'o',
  countryname: 'c',
  '2.5.4.6': 'c',
};

/**
 * Reads a distinguished name (RFC 4514), first step first; also with blanks around separators, `;` between steps and quoted values, as older clients write them (RFC 2253 §4).
 * The empty name has no steps. Undefined for what is no name.
 */
export function parseDn(text: string): readonly Rdn[] | undefined {
  const steps: Rdn[] = [];
  let at = 0;
  const skipBlanks = (): void => {
    while (text[at] === ' ') at += 1;
  };
  skipBlanks();
  if (at === text.length) return [];
  for (let step: (readonly [string, string])[] = []; ; ) {
    skipBlanks();
    const type = /^(?:[a-z][a-z0-9-]*|(?:oid\.)?\d+(?:\.\d+)+)(?= *=)/i.exec(text.slice(at, at + MOST_TYPE_CHARACTERS))?.[0];
    if (type === undefined) return undefined;
    at += type.length;
    skipBlanks();
    at += 1;
    skipBlanks();
    const value = readValue(text, at);
    if (value === undefined) return undefined;
    at = value.end;
    const name = type.toLowerCase().replace(/^oid\./, '');
    step.push([TYPE_NAMES[name] ?? name, value.text]);
    skipBlanks();
    if (text[at] !== '+') {
      steps.push(step);
      step = [];
    }
    if (at === text.length) return steps;
    if (!'+,;'.includes(text[at]!)) return undefined;
    at += 1;
  }
}

const MOST_TYPE_CHARACTERS = 128;

interface Value {
  readonly text: string;
  readonly end: number;
}

function readValue(text: string, start: number): Value | undefined {
  if (text[start] === '#') return readHexValue(text, start);
  const isQuoted = text[start] === '"';
  const parts: Buffer[] = [];
  let at = isQuoted ? start + 1 : start;
  // Blanks at the end do not count, unless escaped.
  let kept = 0;
  for (; at < text.length; ) {
    const one = text[at]!;
    if (isQuoted ? one === '"' : ',;+'.includes(one)) break;
    if (one === '\\') {
      const pair = /^[0-9a-f]{2}/i.exec(text.slice(at + 1, at + 3))?.[0];
      const special = text[at + 1] ?? '';
      if (pair === undefined && (special === '' || !' "#+,;<=>\\'.includes(special))) return undefined;
      parts.push(pair === undefined ? Buffer.from(special) : Buffer.from(pair, 'hex'));
      at += pair === undefined ? 2 : 3;
      kept = parts.length;
      continue;
    }
    if (one === '\0' || (!isQuoted && '"<>'.includes(one))) return undefined;
    const [character] = text.slice(at, at + 2).match(/^./su)!;
    parts.push(Buffer.from(character));
    at += character.length;
    if (one !== ' ' || isQuoted) kept = parts.length;
  }
  if (isQuoted && text[at] !== '"') return undefined;
  const bytes = Buffer.concat(parts.slice(0, kept));
  return isUtf8(bytes) ? { text: bytes.toString('utf8'), end: isQuoted ? at + 1 : at } : undefined;
}

/** `#` and the value's BER in hexadecimal digits (RFC 4514 §2.4). */
function readHexValue(text: string, start: number): Value | undefined {
  const digits = /^#((?:[0-9a-f]{2})+)/i.exec(text.slice(start))?.[1];
  if (digits === undefined) return undefined;
  try {
    const value = new BerReader(Buffer.from(digits, 'hex')).element().content.text();
    return value === undefined ? undefined : { text: value, end: start + 1 + digits.length };
  } catch {
    return undefined;
  }
}

/** The same text for names that are the same: case, blanks within values and the order within a step do not count. */
export function dnKey(name: readonly Rdn[]): string {
  return JSON.stringify(name.map((step) => step.map(([type, value]) => [type, value.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()]).sort((a, b) => (`${a[0]}=${a[1]}` < `${b[0]}=${b[1]}` ? -1 : 1))));
}

/** A value as it stands in a name (RFC 4514 §2.4). */
export function escapeDnValue(value: string): string {
  return value.replace(/["+,;<=>\\]|^[ #]| $/g, '\\$&').replaceAll('\0', '\\00');
}
