import type { KeptTexts } from './publisher.ts';

/** The part of `texts` whose keys begin with `prefix`, without it. */
export function prefixed(texts: KeptTexts, prefix: string): KeptTexts {
  return {
    get: (key) => texts.get(prefix + key),
    set: (key, text) => texts.set(prefix + key, text),
    delete: (key) => texts.delete(prefix + key),
    flush: async () => texts.flush?.(),
    *keys() {
      for (const key of texts.keys()) if (key.startsWith(prefix)) yield key.slice(prefix.length);
    },
  };
}
