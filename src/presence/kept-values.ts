import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pauseAfter } from '../core/back-off.ts';
import { BridgeError } from '../core/errors.ts';
import { GroupCommit } from '../core/group-commit.ts';
import { LIMITS } from '../core/limits.ts';
import { LogLines } from '../core/log-lines.ts';
import { silentLogger } from '../core/logger.ts';
import type { Logger } from '../core/logger.ts';
import type { KeptTexts } from './publisher.ts';

/** `["key", "text"]`, or `["key"]`: there is none any more. */
type Line = readonly [key: string, text?: string];

export interface KeptValuesOptions {
  /** Nothing is ever written, and a damaged file stays where it is: it may be another process's. */
  readonly isReadOnly?: boolean;
  readonly logger?: Logger;
}

/**
 * Short texts by key in one file (0600), held in memory, written as changes: what a kill -9 costs is what changed in the last half second, and of `store` nothing.
 *
 * What is set is written together with whatever else was, LIMITS.keptValuesWriteMs later at most. A disk that does not take it is tried again, and said.
 */
export class KeptValues implements KeptTexts {
  readonly #path: string;
  readonly #isReadOnly: boolean;
  readonly #logger: Logger;
  readonly #commit = new GroupCommit(() => this.#save());
  readonly #values: Map<string, string>;
  /** Changed, and not yet in the file. */
  #unwritten = new Set<string>();
  #lines: LogLines;
  #written: number;
  /** The file lacks something that was written, or should be smaller: it is written anew. */
  #isBehind: boolean;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isSaving = false;
  #isClosed = false;

  private constructor(path: string, { isReadOnly = false, logger = silentLogger }: KeptValuesOptions, values: Map<string, string>, lines: LogLines, written: number, isBehind: boolean) {
    this.#path = path;
    this.#isReadOnly = isReadOnly;
    this.#logger = logger;
    this.#values = values;
    this.#lines = lines;
    this.#written = written;
    this.#isBehind = isBehind;
  }

  /**
   * Reads what is there and makes the folder (0700). A torn last line is left out. A file that is not what it was is set aside (`….damaged`), which is logged; of its
   * lines those that can be read still count, each by itself.
   *
   * @throws BridgeError CONFIGURATION where it cannot be read or written
   */
  static async open(path: string, options: KeptValuesOptions = {}): Promise<KeptValues> {
    const { isReadOnly = false, logger = silentLogger } = options;
    try {
      if (!isReadOnly) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const values = new Map<string, string>();
      let written = 0;
      const size = await sizeOf(path);
      const lines = size > LIMITS.keptFileBytes ? undefined : await LogLines.read(path, (read) => read.forEach((value) => ((written += 1), take(values, decodeLine(value)))));
      if (lines !== undefined) return new KeptValues(path, options, values, lines, written, false);
      values.clear();
      const lost = await salvage(path, values);
      if (!isReadOnly) await rename(path, `${path}.damaged`);
      logger.error({ reason: `${lost} of its lines cannot be read${isReadOnly ? '' : '; it was set aside as .damaged'}`, count: values.size }, 'a file below dataDir/presence is damaged');
      const kept = new KeptValues(path, options, values, LogLines.empty(path), 0, true);
      if (!isReadOnly) await kept.#commit.commit();
      return kept;
    } catch (error) {
      throw new BridgeError('CONFIGURATION', `${path} cannot be used: ${codeOf(error)}`, { cause: error });
    }
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  /** One beyond the bounds is not kept, nor is what was there before; that is logged. */
  set(key: string, text: string): void {
    const wrong = this.#refusal(key, text);
    if (wrong === undefined) {
      if (this.#values.get(key) === text) return;
      this.#values.set(key, text);
      this.#changed(key);
    } else {
      this.#logger.warn({ reason: wrong }, 'something about presence is not kept');
      this.delete(key);
    }
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#changed(key);
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  /**
   * Sets (undefined: deletes) and resolves when that is on disk; many at once share a write.
   *
   * @throws BridgeError STORE_UNAVAILABLE: then it is as it was before
   */
  async store(key: string, text: string | undefined): Promise<void> {
    const wrong = this.#isReadOnly || this.#isClosed ? 'it is not open for writing' : text === undefined ? undefined : this.#refusal(key, text);
    if (wrong !== undefined) throw new BridgeError('STORE_UNAVAILABLE', `it cannot be stored: ${wrong}`);
    const before = this.#values.get(key);
    this.#put(key, text);
    this.#unwritten.add(key);
    try {
      await this.#commit.commit();
    } catch (error) {
      if (this.#values.get(key) === text) this.#put(key, before);
      throw new BridgeError('STORE_UNAVAILABLE', `it cannot be stored: ${codeOf(error)}`, { temporary: true, cause: error });
    }
  }

  /** Everything that was set is on disk after it. @throws BridgeError STORE_UNAVAILABLE */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // What is being written is not there yet.
    if (this.#isReadOnly || (this.#unwritten.size === 0 && !this.#isBehind && !this.#isSaving)) return;
    await this.#commit.commit().catch((error: unknown) => {
      throw new BridgeError('STORE_UNAVAILABLE', `it cannot be stored: ${codeOf(error)}`, { temporary: true, cause: error });
    });
  }

  /** Writes what is left; what cannot be written is logged. Safe to call twice. */
  async close(): Promise<void> {
    if (!this.#isClosed) await this.flush().catch((error: unknown) => this.#logger.error({ reason: (error as Error).message }, 'what changed last about presence was not kept'));
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#lines.close();
  }

  #put(key: string, text: string | undefined): void {
    if (text === undefined) this.#values.delete(key);
    else this.#values.set(key, text);
  }

  #refusal(key: string, text: string): string | undefined {
    if (key.length > LIMITS.keptKeyCharacters || text.length > LIMITS.keptTextCharacters) return `a value may have ${LIMITS.keptTextCharacters} characters, its key ${LIMITS.keptKeyCharacters}`;
    return this.#values.size >= LIMITS.keptValues && !this.#values.has(key) ? `there are ${LIMITS.keptValues} already` : undefined;
  }

  #changed(key: string): void {
    this.#unwritten.add(key);
    if (!this.#isReadOnly && !this.#isClosed) this.#saveIn(LIMITS.keptValuesWriteMs);
  }

  #saveIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#commit.commit().catch(() => this.#isClosed || this.#saveIn(pauseAfter(this.#failures, LIMITS.keptValuesRetryPauses)));
    }, ms).unref();
  }

  async #save(): Promise<void> {
    const keys = this.#unwritten;
    this.#unwritten = new Set();
    this.#isSaving = true;
    try {
      if (this.#isBehind || this.#written + keys.size > 2 * this.#values.size + LIMITS.keptIdleLines) await this.#rewrite();
      else {
        await this.#lines.append([...keys].map((key) => this.#lineOf(key)));
        await this.#lines.sync();
        this.#written += keys.size;
      }
      this.#failures = 0;
    } catch (error) {
      // What was written may not be there (fsync says so once only): nothing of the file is relied on any more.
      this.#isBehind = true;
      this.#failures += 1;
      if (this.#failures === 1) this.#logger.error({ reason: codeOf(error) }, 'what is known about presence cannot be kept; it is tried again');
      this.#saveIn(pauseAfter(this.#failures, LIMITS.keptValuesRetryPauses));
      throw error;
    } finally {
      this.#isSaving = false;
    }
  }

  async #rewrite(): Promise<void> {
    const entries = [...this.#values];
    const lines = await LogLines.replace(this.#path, async (fresh) => {
      for (let at = 0; at < entries.length; at += LIMITS.keptIdleLines) await fresh.append(entries.slice(at, at + LIMITS.keptIdleLines));
    });
    const old = this.#lines;
    this.#lines = lines;
    this.#written = entries.length;
    this.#isBehind = false;
    await old.close();
  }

  #lineOf(key: string): Line {
    const text = this.#values.get(key);
    return text === undefined ? [key] : [key, text];
  }
}

/** @throws SyntaxError for what is no line of ours */
function decodeLine(value: unknown): Line {
  const isRight = Array.isArray(value) && (value.length === 1 || (value.length === 2 && typeof value[1] === 'string')) && typeof value[0] === 'string';
  if (!isRight) throw new SyntaxError('no line of this file');
  return value as unknown as Line;
}

function take(values: Map<string, string>, [key, text]: Line): void {
  if (text === undefined) values.delete(key);
  else if (key.length <= LIMITS.keptKeyCharacters && text.length <= LIMITS.keptTextCharacters && (values.size < LIMITS.keptValues || values.has(key))) values.set(key, text);
}

/** Takes every line that can be read by itself, of as much as may be there. @returns how many could not */
async function salvage(path: string, values: Map<string, string>): Promise<number> {
  const file = await open(path, 'r');
  let lost = 0;
  try {
    for await (const line of file.readLines({ encoding: 'utf8', autoClose: false, start: 0, end: LIMITS.keptFileBytes })) {
      try {
        take(values, decodeLine(JSON.parse(line)));
      } catch {
        // What else may be wrong with it does not matter any more.
        lost += 1;
      }
    }
    return lost;
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.name : 'unknown');
}
