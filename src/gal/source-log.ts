import { rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { SourceEntry } from '../directory/entry-source.ts';
import type { ComingRecord } from './gal.ts';
import { LogLines } from '../core/log-lines.ts';
import type { SourceRecord } from './record.ts';

/** How far a source has been read. */
export interface SourceState {
  readonly cursor: string | undefined;
  /** When a reading last ended well, and when one last saw everything. */
  readonly readAt: Instant | undefined;
  readonly wholeAt: Instant | undefined;
  /** KeptSource.settings of that reading. */
  readonly settings?: string | undefined;
}

export const NEVER_READ: SourceState = { cursor: undefined, readAt: undefined, wholeAt: undefined };

/** `["+", changedAt, createdAt, entry]`, `["-", id]`, `["=", cursor, readAt, wholeAt, settings]` */
type Line = readonly ['+', Instant, Instant, SourceEntry] | readonly ['-', string] | readonly ['=', string | null, Instant, Instant | null, (string | null)?];

export interface OpenedLog {
  readonly log: SourceLog;
  /** It could not be trusted: it is empty now, and the source is to be read from the beginning. */
  readonly isDamaged: boolean;
  /** How many stand in it. */
  readonly records: number;
}

/** The records of one source on disk, as changes; a state stands behind all that it speaks of. */
export class SourceLog {
  readonly #path: string;
  #lines: LogLines;
  #written: number;
  #state: SourceState;
  /** It lacks something: it is written anew before it says how far the source has been read. */
  #isBehind = false;

  private constructor(path: string, lines: LogLines, written: number, state: SourceState) {
    this.#path = path;
    this.#lines = lines;
    this.#written = written;
    this.#state = state;
  }

  get state(): SourceState {
    return this.#state;
  }

  /**
   * Reads it, giving others their turn.
   *
   * @param take is given the records as they are at last, in batches that must be applied one after the other
   * @param options `isReadOnly`: a damaged file stays where it is, it may be another process's
   */
  static async open(path: string, take: (records: readonly ComingRecord[], removed: readonly string[]) => void, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}): Promise<OpenedLog> {
    let written = 0;
    let state = NEVER_READ;
    const live = new Set<string>();
    const lines = await LogLines.read(path, (values) => {
      const latest = new Map<string, ComingRecord | undefined>();
      for (const line of values.map(decodeLine)) {
        written += 1;
        if (line[0] === '+') latest.set(line[3].id, { changedAt: line[1], createdAt: line[2], entry: line[3] });
        else if (line[0] === '-') latest.set(line[1], undefined);
        else state = { cursor: line[1] ?? undefined, readAt: line[2], wholeAt: line[3] ?? undefined, settings: line[4] ?? undefined };
      }
      const removed = [...latest].flatMap(([id, record]) => (record === undefined ? [id] : []));
      take([...latest.values()].filter((one) => one !== undefined), removed);
      for (const [id, record] of latest) {
        if (record === undefined) live.delete(id);
        else live.add(id);
      }
    });
    if (lines !== undefined) return { log: new SourceLog(path, lines, written, state), isDamaged: false, records: live.size };
    take([], [...live]);
    if (!isReadOnly) await rm(path, { force: true });
    return { log: new SourceLog(path, LogLines.empty(path), 0, NEVER_READ), isDamaged: true, records: 0 };
  }

  /** Says that not everything was written down. */
  fallBehind(): void {
    this.#isBehind = true;
  }

  /** Writes down what an update changed; one that is behind gets it with the next `settle`. @throws the system's error */
  async append(records: readonly SourceRecord[], removed: readonly string[]): Promise<void> {
    if (!this.#isBehind) await this.#add([...removed.map((id): Line => ['-', id]), ...records.map(lineOf)]);
  }

  /** Writes down how far the source has been read, after everything else, and makes it last; now and then, and where it is behind, the log is written anew. @param live all records there are @throws the system's error: then it is behind */
  async settle(state: SourceState, live: ReadonlyMap<string, SourceRecord>): Promise<void> {
    const isNews = state.cursor !== this.#state.cursor || state.wholeAt !== this.#state.wholeAt || (state.readAt ?? 0) - (this.#state.readAt ?? 0) > LIMITS.galStateWrittenMs;
    this.#state = state;
    if (this.#isBehind || this.#written > 2 * live.size + LIMITS.galIdleLines) await this.#rewrite(live);
    else if (isNews) await this.#add([stateLine(state)], { sync: true });
  }

  async close(): Promise<void> {
    await this.#lines.close();
  }

  async #add(lines: readonly Line[], { sync = false }: { readonly sync?: boolean } = {}): Promise<void> {
    try {
      await this.#lines.append(lines);
      if (sync) await this.#lines.sync();
    } catch (error) {
      this.#isBehind = true;
      throw error;
    }
    this.#written += lines.length;
  }

  async #rewrite(live: ReadonlyMap<string, SourceRecord>): Promise<void> {
    this.#isBehind = true;
    const records = [...live.values()];
    const lines = await LogLines.replace(this.#path, async (fresh) => {
      for (let at = 0; at < records.length; at += LIMITS.galBatch) {
        await fresh.append(records.slice(at, at + LIMITS.galBatch).map(lineOf));
        await nextTurn();
      }
      await fresh.append([stateLine(this.#state)]);
    });
    const old = this.#lines;
    this.#lines = lines;
    this.#written = records.length + 1;
    this.#isBehind = false;
    await old.close();
  }
}

/** @throws SyntaxError for what is no line of ours */
function decodeLine(value: unknown): Line {
  const [kind, first, second, third, fourth] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const isInstant = (one: unknown): boolean => Number.isSafeInteger(one);
  const isEntry = (one: unknown): boolean => typeof one === 'object' && one !== null && 'id' in one && typeof one.id === 'string' && 'address' in one && typeof one.address === 'string' && 'kind' in one;
  const isRight =
    (kind === '+' && isInstant(first) && isInstant(second) && isEntry(third)) ||
    (kind === '-' && typeof first === 'string') ||
    (kind === '=' && (first === null || typeof first === 'string') && isInstant(second) && (third === null || isInstant(third)) && (fourth === undefined || fourth === null || typeof fourth === 'string'));
  if (!isRight) throw new SyntaxError('no line of this log');
  return value as Line;
}

function lineOf({ changedAt, createdAt, entry }: SourceRecord): Line {
  return ['+', changedAt, createdAt, entry];
}

function stateLine({ cursor, readAt, wholeAt, settings }: SourceState): Line {
  return ['=', cursor ?? null, readAt ?? 0, wholeAt ?? null, settings ?? null];
}
