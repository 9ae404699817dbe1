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

/** Reads one source into the address book, time after time, and writes down what comes of it. */
export class SourceReading {
  readonly #options: SourceReadingOptions;
  #state: SourceState;
  /** The last reading took away so much that it was not believed. */
  #isDoubted = false;

  constructor(options: SourceReadingOptions) {
    this.#options = options;
    this.#state = options.state;
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
    const { source, reader, gal, log, clock } = this.#options;
    const { cursor, wholeAt } = this.#state;
    const isDue = wholeAt === undefined || clock.now() - wholeAt >= reader.wholeEveryMs;
    const seen = new Set<string>();
    const result = await reader.read(isDue ? undefined : cursor, (batch) => this.#take(batch, seen), signal);
    if (result.isWhole) {
      const missing = [...gal.recordsOf(source).keys()].filter((id) => !seen.has(id));
      if (!this.#isDoubted && missing.length > LIMITS.galMassDeletion && missing.length * 2 > gal.recordsOf(source).size) {
        this.#isDoubted = true;
        throw new BridgeError('NO_DATA', `${missing.length} of ${gal.recordsOf(source).size} entries are gone at once; they go when the next reading says so too`, { temporary: true });
      }
      await this.#take({ removed: missing }, seen);
    }
    this.#isDoubted = false;
    const now = clock.now();
    this.#state = { cursor: result.cursor, readAt: now, wholeAt: isDue && result.isWhole ? now : (wholeAt ?? (isDue ? now : undefined)) };
    await log?.settle(this.#state, gal.recordsOf(source));
  }

  async #take({ entries = [], removed = [], present = [] }: SourceBatch, seen: Set<string>): Promise<void> {
    const { gal, source } = this.#options;
    for (const id of present) seen.add(id);
    for (const { id } of entries) seen.add(id);
    if (gal.size.shown + gal.size.hidden + entries.length > LIMITS.galEntries) throw new BridgeError('BACKEND_TOO_LARGE', `the directories hold more than ${LIMITS.galEntries} entries`);
    for (let at = 0; at < Math.max(entries.length, removed.length); at += LIMITS.galBatch) {
      const part = <T>(list: readonly T[]): readonly T[] => list.slice(at, at + LIMITS.galBatch);
      await this.#apply(source, part(entries).flatMap((one) => boundedEntry(one) ?? []).map((entry) => ({ entry })), part(removed));
      await nextTurn();
    }
  }

  async #apply(source: RecordSource, coming: readonly ComingRecord[], removed: readonly string[]): Promise<void> {
    const { gal, log, departures, onMoved } = this.#options;
    const update = gal.apply(source, coming, removed);
    await log?.append(update.records, update.removed);
    if (update.rowsGone.length > 0) await departures.add(update.rowsGone, gal.lastChange);
    if (update.moved.length > 0) onMoved?.(update.moved);
  }
}
