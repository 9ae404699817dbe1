import ICAL from 'ical.js';
import { LIMITS } from '../../core/limits.ts';

/** One unfolded content line (RFC 5545 §3.1): its property's name in upper case, parameters by upper-case name, and the raw value. */
export interface ContentLine {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** As it stood, not unescaped: each value type has its own reader. */
  readonly value: string;
}

/** Finds the colon that ends name and parameters; one between double quotes does not count. −1 where there is none. */
function valueColon(line: string): number {
  let quoted = false;
  for (let at = 0; at < line.length && at < LIMITS.icalendarHeadCharacters; at++) {
    const character = line.charCodeAt(at);
    if (character === 0x22) quoted = !quoted;
    else if (character === 0x3a && !quoted) return at;
  }
  return -1;
}

/** Stands for the value while ical.js reads name and parameters: its readers of dates and of periods both take it. */
const PLACEHOLDER = ':19700101T000000Z/19700101T000001Z';

/**
 * Takes a line apart. ical.js reads the parameters (quoting, RFC 6868 carets); the value is not given to it, because its readers
 * drop what they do not understand and a list of 50,000 periods would hold the event loop.
 *
 * @returns undefined where the line is none
 */
export function readContentLine(line: string): ContentLine | undefined {
  const colon = valueColon(line);
  if (colon <= 0) return undefined;
  const head = line.slice(0, colon);
  const value = line.slice(colon + 1);
  if (!head.includes(';')) return /^[\w-]+$/.test(head) ? { name: head.toUpperCase(), parameters: NO_PARAMETERS, value } : undefined;
  const jcal = jcalOf(head + PLACEHOLDER);
  if (jcal === undefined) return undefined;
  const parameters = Object.entries(jcal[1]).map(([name, text]) => [name.toUpperCase(), String(text)] as const);
  return { name: jcal[0].toUpperCase(), parameters: new Map(parameters), value };
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

type JcalProperty = readonly [name: string, parameters: Readonly<Record<string, unknown>>, type: string, ...values: unknown[]];

function jcalOf(line: string): JcalProperty | undefined {
  try {
    return ICAL.parse.property(line) as JcalProperty;
  } catch {
    // ParserError, or a TypeError from one of its value readers: either way no content line, which is what the caller is told.
    return undefined;
  }
}
