import { LIMITS } from '../core/limits.ts';
import type { EntryDetails } from '../directory/entry.ts';
import type { SourceEntry } from '../directory/entry-source.ts';

/** Details that thousands have in common. */
const SHARED = ['title', 'department', 'company', 'office', 'street', 'city', 'state', 'postalCode', 'country', 'givenName', 'surname'] as const satisfies readonly (keyof EntryDetails)[];

/** Keeps one copy of what many entries say alike: a tenth of the memory of a large directory. */
export class SharedTexts {
  readonly #texts = new Map<string, string>();

  /** The same entry, in shared texts. */
  entry(entry: SourceEntry): SourceEntry {
    if (this.#texts.size > LIMITS.galSharedTexts) this.#texts.clear();
    const shared: Partial<Record<(typeof SHARED)[number], string>> = {};
    for (const key of SHARED) {
      const value = entry[key];
      if (value === undefined) continue;
      let text = this.#texts.get(value);
      if (text === undefined) this.#texts.set(value, (text = value));
      shared[key] = text;
    }
    return { ...entry, ...shared };
  }
}
