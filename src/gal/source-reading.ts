import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { EntrySource, SourceBatch } from '../directory/entry-source.ts';
import { boundedEntry } from './bounded-entry.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Departures } from './departures.ts';
import type { ComingRecord, Gal } from './gal.ts';
import type { RecordSource } from './record.ts';
import type { SourceLog, SourceState } from './source-log.ts';

/** A source with the place of its entries. */
export interface KeptSource {
  readonly source: RecordSource;
  readonly reader: EntrySource;
  /** What decides how its entries are read (server, account, domains), at most 40 characters; with another one than last time everything is read anew. */
  readonly settings?: string;
}

export interface SourceReadingOptions extends KeptSource {
  readonly gal: Gal;
  readonly departures: Departures;
  /** Absent: nothing is written down. */
  readonly log?: SourceLog | undefined;
  /** How far it has been read before. */
  readonly state: SourceState;
  readonly clock: Clock;
  /** Is told of mailboxes whose home or legacyExchangeDN is another than before. */
  readonly onMoved?: ((mailboxes: readonly MailboxAddress[]) => void) | undefined;
}

/** What came of a source in one reading. */
interface Turn {
  /** Ids that are there. */
  readonly seen: Set<string>;
  /** Ids that it said are gone, and that are. */
  readonly removed: Set<string>;
  /** Ids that it said are gone, and that stay until the end: too many to go at once. */
  readonly held: Set<string>;
}

/** Reads one source into the address book, time after time, and writes down what comes of it. */
export class SourceReading {
  readonly #options: SourceReadingOptions;
  #state: SourceState;
  /** Whom the last reading took away, where they were so many that it was not believed. */
  #doubted: ReadonlySet<string> = new Set();

  constructor(options: SourceReadingOptions) {
    this.#options = options;
    const { state, settings } = options;
    this.#state = state.settings === settings ? state : { ...state, settings, cursor: undefined, wholeAt: undefined };
  }

  get state(): SourceState {
    return this.#state;
  }

  /**
   * One reading: of what changed, or of everything where nothing is known of the last one or it is time for it. What came before a failure holds; what was not
   * seen stays as it was.
   *
   * @throws BridgeError what went wrong
   */
  async read(signal: AbortSignal): Promise<void> {
    const { source, reader, gal, clock } = this.#options;
    const { cursor, wholeAt } = this.#state;
    const isDue = wholeAt === undefined || clock.now() - wholeAt >= reader.wholeEveryMs;
    const before = gal.recordsOf(source).size;
    const turn: Turn = { seen: new Set(), removed: new Set(), held: new Set() };
    const result = await reader.read(isDue ? undefined : cursor, (batch) => this.#take(batch, turn), signal);
    const leaving = new Set([...turn.held, ...(result.isWhole ? [...gal.recordsOf(source).keys()].filter((id) => !turn.seen.has(id)) : [])]);
    const told = [...leaving].filter((id) => this.#doubted.has(id)).length;
    const surprising = turn.removed.size + leaving.size - told;
    if (surprising > LIMITS.galMassDeletion && surprising * 2 > before - told) {
      this.#doubted = leaving;
      throw new BridgeError('NO_DATA', `${turn.removed.size + leaving.size} of ${before} entries are gone at once; they go when the next reading says so too`, { temporary: true });
    }
    await this.#takeOut([...leaving]);
    this.#doubted = new Set();
    const now = clock.now();
    this.#state = { settings: this.#options.settings, cursor: result.cursor, readAt: now, wholeAt: isDue && result.isWhole ? now : (wholeAt ?? (isDue ? now : undefined)) };
    await this.#settle();
  }

  /** @throws BridgeError STORE_UNAVAILABLE where it cannot be written down */
  async #settle(): Promise<void> {
    const { gal, source, log, departures } = this.#options;
    try {
      await departures.settle();
      await log?.settle(this.#state, gal.recordsOf(source));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new BridgeError('STORE_UNAVAILABLE', 'the address book could not be written to dataDir; it answers from memory', { temporary: true, details: { reason: code }, cause: error });
    }
  }

  async #take({ entries = [], removed = [], present = [] }: SourceBatch, { seen, removed: taken, held }: Turn): Promise<void> {
    const { gal, source } = this.#options;
    for (const id of [...present, ...entries.map((one) => one.id)]) {
      seen.add(id);
      held.delete(id);
    }
    if (gal.size.shown + gal.size.hidden + entries.length > LIMITS.galEntries) throw new BridgeError('BACKEND_TOO_LARGE', `the directories hold more than ${LIMITS.galEntries} entries`);
    for (let at = 0; at < entries.length; at += LIMITS.galBatch) {
      const part = entries.slice(at, at + LIMITS.galBatch).flatMap((one) => boundedEntry(one) ?? []);
      await this.#apply(source, part.map((entry) => ({ entry })), []);
      await nextTurn();
    }
    const gone = removed.filter((id) => gal.recordsOf(source).has(id));
    // A few go at once; of more it is looked at the end how many there are.
    const atOnce = gone.slice(0, Math.max(0, LIMITS.galMassDeletion - taken.size));
    for (const id of atOnce) taken.add(id);
    for (const id of gone.slice(atOnce.length)) held.add(id);
    await this.#takeOut(atOnce);
  }

  async #takeOut(ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += LIMITS.galBatch) {
      await this.#apply(this.#options.source, [], ids.slice(at, at + LIMITS.galBatch));
      await nextTurn();
    }
  }

  async #apply(source: RecordSource, coming: readonly ComingRecord[], removed: readonly string[]): Promise<void> {
    const { gal, log, departures, onMoved } = this.#options;
    const update = gal.apply(source, coming, removed);
    try {
      // A departure that is told of a row still there does no harm; a row that is gone and told of by nobody stays in every copy for ever.
      const departed = [...update.rowsGone, ...update.rowsLessened];
      if (departed.length > 0) await departures.add(departed, gal.lastChange);
      await log?.append(update.records, update.removed);
    } catch (error) {
      // A full disk: what is in memory holds, and is written down as a whole when that is possible again.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      log?.fallBehind();
    }
    if (update.moved.length > 0) onMoved?.(update.moved);
  }
}
