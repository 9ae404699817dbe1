import { opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { silentLogger } from '../core/logger.ts';
import type { Logger } from '../core/logger.ts';
import { catalogueOf, isTextKey, readCatalogue, TEXT_KEYS } from './catalogue.ts';
import type { ReadCatalogue, TextKey, Texts } from './catalogue.ts';
import { languageChain, languageTag } from '../core/language-tag.ts';
import type { PresenceState } from './presence.ts';
import de from './locales/de.json' with { type: 'json' };
import en from './locales/en.json' with { type: 'json' };

/** A language that has texts, for `locale list` and `locale check`. */
export interface CatalogueStatus {
  readonly language: string;
  readonly origin: 'built in' | 'file' | 'built in, with a file over it';
  /** States that it has no text for: a wider language or English speaks in its place. */
  readonly missing: readonly TextKey[];
  /** What of its file does not count, and why; one line each. */
  readonly mistakes: readonly string[];
}

export interface StatusText {
  /** Empty for states without one. */
  readonly text: string;
  /** Of the text, which may be another than the one asked for. BCP 47. */
  readonly language: string;
}

const LAST_RESORT = 'en';
const BUILT_IN: ReadonlyMap<string, Texts> = new Map(Object.entries({ de, en }).map(([language, texts]) => [language, catalogueOf(texts).texts]));

/**
 * The words in which a state is told: English and German, and whatever stands as `<language>.json` in a folder, where a file may also change single words of a language that
 * is built in. Fixed texts, nothing of any calendar.
 */
export class Catalogues {
  readonly #logger: Logger;
  #folder: string | undefined;
  /** By language tag. */
  #files = new Map<string, ReadCatalogue>();
  #mistakes: readonly string[] = [];
  readonly #missed = new Set<string>();

  constructor(logger: Logger = silentLogger) {
    this.#logger = logger;
  }

  /**
   * Reads the folder, or reads it again. A file that has become unreadable leaves its language as it was; everything wrong is logged and stands in `status` and `mistakes`.
   * Never throws.
   */
  async load(folder: string | undefined): Promise<void> {
    const before = folder === this.#folder ? this.#files : new Map<string, ReadCatalogue>();
    const files = new Map<string, ReadCatalogue>();
    const mistakes: string[] = [];
    if (folder !== undefined) {
      for (const name of await namesIn(folder, mistakes)) {
        const language = languageTag(name.slice(0, -'.json'.length));
        if (language === undefined) mistakes.push(`${name}: is named after no language (de.json, de-AT.json)`);
        else {
          const read = await readBounded(join(folder, name));
          if (typeof read !== 'string') files.set(language, read);
          else {
            mistakes.push(`${name}: ${read}`);
            if (before.has(language)) files.set(language, before.get(language)!);
          }
        }
      }
    }
    this.#folder = folder;
    this.#files = files;
    this.#mistakes = mistakes;
    // Who was missed may be there now, and whoever goes is said again.
    this.#missed.clear();
    for (const reason of this.problems()) this.#logger.warn({ reason }, 'status texts');
  }

  /** Every language that has texts, by its tag. */
  status(): readonly CatalogueStatus[] {
    return [...new Set([...BUILT_IN.keys(), ...this.#files.keys()])].sort().map((language) => {
      const file = this.#files.get(language);
      const origin = file === undefined ? 'built in' : BUILT_IN.has(language) ? 'built in, with a file over it' : 'file';
      return { language, origin, missing: TEXT_KEYS.filter((key) => this.#own(language, key) === undefined), mistakes: file?.mistakes ?? [] };
    });
  }

  /** What is wrong with the folder and with files that are no catalogue at all; one line each. */
  mistakes(): readonly string[] {
    return this.#mistakes;
  }

  /** Everything that is wrong, one line each. */
  problems(): readonly string[] {
    return [
      ...this.#mistakes,
      ...this.status().flatMap(({ language, missing, mistakes }) => [...missing.map((key) => `${language}: has no text for ${key}`), ...mistakes.map((mistake) => `${language}: ${mistake}`)]),
    ];
  }

  /** The text in the language, else in a wider one (`de-AT`, `de`), else in English; what has no catalogue at all is logged once. */
  statusText(state: PresenceState, language: string): StatusText {
    if (!isTextKey(state)) return { text: '', language };
    const chain = languageChain(languageTag(language) ?? LAST_RESORT);
    if (!chain.some((one) => BUILT_IN.has(one) || this.#files.has(one))) this.#miss(language);
    for (const one of [...chain, LAST_RESORT]) {
      const text = this.#own(one, state);
      if (text !== undefined) return { text, language: one };
    }
    // English is built in and complete.
    return { text: '', language: LAST_RESORT };
  }

  textFor(state: PresenceState, language: string): string {
    return this.statusText(state, language).text;
  }

  #own(language: string, key: TextKey): string | undefined {
    return this.#files.get(language)?.texts.get(key) ?? BUILT_IN.get(language)?.get(key);
  }

  #miss(language: string): void {
    if (this.#missed.has(language) || this.#missed.size >= LIMITS.missingLanguagesSaid) return;
    this.#missed.add(language);
    this.#logger.warn({ reason: `no status texts in ${language.slice(0, LIMITS.languageTagCharacters)}: put ${languageTag(language) ?? 'xx'}.json into presence.locales` }, 'English status texts are shown in its place');
  }
}

async function namesIn(folder: string, mistakes: string[]): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue;
      names.push(name);
      if (names.length > LIMITS.catalogueFiles) {
        mistakes.push(`there are more than ${LIMITS.catalogueFiles} catalogues; the others do not count`);
        break;
      }
    }
  } catch (error) {
    mistakes.push(`presence.locales cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
  return names.sort();
}

async function readBounded(path: string): Promise<ReadCatalogue | string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'it is no file';
    if (found.size > LIMITS.catalogueBytes) return `it is larger than ${LIMITS.catalogueBytes} bytes`;
    return readCatalogue(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)));
  } catch (error) {
    return error instanceof TypeError ? 'it is not in UTF-8' : `it cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`;
  }
}
