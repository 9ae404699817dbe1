import { LIMITS } from '../core/limits.ts';
import type { PresenceState } from './presence.ts';

/** The states that have a text; available and unknown have none. */
export const TEXT_KEYS = ['in-a-meeting', 'away', 'on-the-phone', 'do-not-disturb', 'offline'] as const satisfies readonly PresenceState[];
export type TextKey = (typeof TEXT_KEYS)[number];

export type Texts = ReadonlyMap<TextKey, string>;

export interface ReadCatalogue {
  readonly texts: Texts;
  /** One line each: what of it does not count, and why. */
  readonly mistakes: readonly string[];
}

export function isTextKey(state: string): state is TextKey {
  return (TEXT_KEYS as readonly string[]).includes(state);
}

/**
 * Reads a catalogue: a JSON object of texts by state. Texts lose control and direction characters and are trimmed; what is empty or too long then does not count.
 * Undefined, with why, for what is no such object.
 */
export function readCatalogue(text: string): ReadCatalogue | string {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    // The parser's own words quote the file.
    return 'it is no JSON';
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'it is no JSON object of texts';
  return catalogueOf(json as Readonly<Record<string, unknown>>);
}

export function catalogueOf(json: Readonly<Record<string, unknown>>): ReadCatalogue {
  const texts = new Map<TextKey, string>();
  const mistakes: string[] = [];
  for (const [key, value] of Object.entries(json)) {
    const name = cleaned(key).slice(0, LIMITS.statusTextCharacters);
    if (!isTextKey(key)) mistakes.push(`${name}: there is no such text`);
    else if (typeof value !== 'string') mistakes.push(`${key}: should be a text`);
    else {
      const clean = cleaned(value);
      if (clean === '') mistakes.push(`${key}: is empty`);
      else if (clean.length > LIMITS.statusTextCharacters) mistakes.push(`${key}: is longer than ${LIMITS.statusTextCharacters} characters`);
      else {
        texts.set(key, clean);
        if (clean !== value.trim()) mistakes.push(`${key}: control characters were taken out`);
      }
    }
    if (mistakes.length >= LIMITS.missingLanguagesSaid) break;
  }
  return { texts, mistakes };
}

/** Of others' text what can stand on one line. */
function cleaned(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu, ' ').trim();
}
