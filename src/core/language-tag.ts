import { LIMITS } from './limits.ts';

/** A BCP 47 language tag in its usual spelling (`de-AT`); undefined for what is none. */
export function languageTag(text: string): string | undefined {
  if (text.length === 0 || text.length > LIMITS.languageTagCharacters || !/^[A-Za-z0-9-]+$/.test(text)) return undefined;
  try {
    return Intl.getCanonicalLocales(text)[0];
  } catch {
    // RangeError: not well-formed (RFC 5646 §2.1).
    return undefined;
  }
}

/** A language, then those it is a kind of (RFC 4647 §3.4): `zh-Hant-TW`, `zh-Hant`, `zh`. */
export function languageChain(tag: string): readonly string[] {
  const chain: string[] = [];
  let parts = tag.split('-');
  while (parts.length > 0) {
    chain.push(parts.join('-'));
    parts = parts.slice(0, -1);
    // A single letter introduces what is gone now.
    if (parts.length > 1 && parts.at(-1)!.length === 1) parts = parts.slice(0, -1);
  }
  return chain;
}
