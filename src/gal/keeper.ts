import { hash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MINUTE_MS } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { within } from '../core/within.ts';
import type { Logger } from '../core/logger.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { Departures } from './departures.ts';
import type { Gal } from './gal.ts';
import { SourceLog } from './source-log.ts';
import type { OpenedLog } from './source-log.ts';
import { SourceReading } from './source-reading.ts';
import type { KeptSource } from './source-reading.ts';
import type { GalStatus, SourceStatus } from './source-status.ts';

export interface GalKeeperOptions {
  readonly gal: Gal;
  readonly sources: readonly KeptSource[];
  /** Where it is kept over restarts: `dataDir/gal`. */
  readonly directory: string;
  /** Nothing is written: a command reads while a bridge runs. */
  readonly isReadOnly?: boolean;
  /** Is told of mailboxes whose home or legacyExchangeDN is another than before; not of what is loaded. */
  readonly onMoved?: ((mailboxes: readonly MailboxAddress[]) => void) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One source with all that belongs to it. */
interface Kept extends KeptSource {
  readonly reading: SourceReading;
  readonly log: SourceLog | undefined;
  failure: BridgeError | undefined;
}

/**
 * Keeps the address book: loads it from the disk, so that a restart answers at once, and reads the sources time after time. A source that fails keeps its entries.
 */
export class GalKeeper {
  readonly #options: GalKeeperOptions;
  /** A digest of which sources there are. */
  readonly #sources: string;
  readonly #stop = new AbortController();
  #kept: readonly Kept[] = [];
  #departures: Departures | undefined;
  #running: readonly Promise<void>[] = [];

  constructor(options: GalKeeperOptions) {
    this.#options = options;
    this.#sources = digest(JSON.stringify(options.sources.map(({ source }) => [source.key, source.home]))).slice(0, 16);
  }

  /** Which address book this is: another one after something was lost, and with other sources. At most 40 hexadecimal digits. */
  get book(): string {
    return `${this.#departures?.book ?? ''}${this.#sources}`;
  }

  get departures(): Departures {
    return this.#departures!;
  }

  /** Takes what is on disk into the address book. Once, before everything else. @throws BridgeError CONFIGURATION where dataDir cannot be used */
  async load(): Promise<void> {
    const { gal, sources, directory, isReadOnly = false, clock, logger } = this.#options;
    try {
      if (!isReadOnly) await this.#tidy();
      let isTrusted = true;
      const logs: OpenedLog[] = [];
      for (const one of sources) {
        const opened = await SourceLog.open(join(directory, fileOf(one)), (records, removed) => void gal.apply(one.source, records, removed), { isReadOnly });
        if (opened.isDamaged) {
          isTrusted = false;
          logger.warn({ system: one.source.label, reason: 'the file in dataDir cannot be read' }, 'a directory is read from the beginning');
        }
        logs.push(opened);
      }
      this.#departures = isReadOnly ? Departures.inMemory(clock) : await Departures.open(join(directory, 'departures.log'), clock, isTrusted);
      const departures = this.#departures;
      this.#kept = sources.map((one, index) => {
        const { log: opened, records } = logs[index]!;
        const log = isReadOnly ? undefined : opened;
        // After a reload that failed, memory may know what the files have lost.
        if (gal.recordsOf(one.source).size !== records) log?.fallBehind();
        return { ...one, log, reading: new SourceReading({ ...one, gal, departures, log, state: opened.state, clock, onMoved: this.#options.onMoved }), failure: undefined };
      });
    } catch (error) {
      if (error instanceof BridgeError || (error as NodeJS.ErrnoException).code === undefined) throw error;
      throw new BridgeError('CONFIGURATION', `the address book in ${directory} cannot be used: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
    }
  }

  /** Begins to read; after `load`. */
  start(): void {
    this.#running = this.#kept.map((one) => this.#run(one));
  }

  /** Reads every source once, or those that have never been read, all at the same time; failures are in `status`. */
  async readOnce(signal: AbortSignal, { which, onRead }: { readonly which: 'all' | 'unread'; readonly onRead?: ((status: SourceStatus) => void) | undefined }): Promise<void> {
    const wanted = this.#kept.filter(({ reading }) => which === 'all' || reading.state.readAt === undefined);
    await Promise.all(
      wanted.map(async (one) => {
        await this.#read(one, signal);
        onRead?.(this.#statusOf(one));
      }),
    );
  }

  status(): GalStatus {
    const { gal } = this.#options;
    return { entries: gal.size.shown, hidden: gal.size.hidden, sources: this.#kept.map((one) => this.#statusOf(one)), conflicts: gal.conflicts };
  }

  /** Ends readings under way and closes everything. Safe to call twice. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    this.#running = [];
    await Promise.all(this.#options.sources.map(({ reader }) => reader.close()));
    const closed = await Promise.allSettled([...this.#kept.map(({ log }) => log?.close()), this.#departures?.close()]);
    for (const one of closed) if (one.status === 'rejected') this.#options.logger.warn({ reason: String((one.reason as NodeJS.ErrnoException).code) }, 'a file of the address book could not be closed');
  }

  async #run(one: Kept): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#read(one, signal);
      const { failure } = one;
      const pauseMs = failure?.code === 'BACKEND_AUTH' ? LIMITS.galRefusedPauseMs : Math.max(one.reader.pauseMs, failure?.retryAfterMs ?? 0);
      await pause(pauseMs * (0.95 + Math.random() / 10), undefined, { signal }).catch(() => undefined);
    }
  }

  async #read(one: Kept, signal: AbortSignal): Promise<void> {
    const { logger, gal } = this.#options;
    const { label } = one.source;
    const started = performance.now();
    const wasRead = one.reading.state.wholeAt !== undefined;
    try {
      await within(LIMITS.galReadingMs, signal, (inTime) => one.reading.read(inTime));
      const durationMs = Math.round(performance.now() - started);
      if (one.failure !== undefined || !wasRead) logger.info({ system: label, count: gal.recordsOf(one.source).size, durationMs }, 'a directory was read');
      one.failure = undefined;
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      const error = toBridgeError(thrown);
      // Once for every reason: a directory that is down all night says so once.
      if (reasonOf(error) !== reasonOf(one.failure)) logger.warn({ system: label, code: error.code, reason: reasonOf(error), stack: error.code === 'INTERNAL' ? String((thrown as Error).stack) : undefined }, 'a directory could not be read; its entries stay');
      one.failure = error;
    }
  }

  #statusOf({ source, reader, reading, failure }: Kept): SourceStatus {
    const { readAt, wholeAt } = reading.state;
    const late = readAt !== undefined && this.#options.clock.now() - readAt > 2 * reader.pauseMs + MINUTE_MS;
    return { label: source.label, home: source.home, entries: this.#options.gal.recordsOf(source).size, readAt, wholeAt, isOld: failure !== undefined || late, failure: reasonOf(failure) };
  }

  /** Makes the directory; files of sources that are not configured any more go. */
  async #tidy(): Promise<void> {
    const { directory, sources } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const wanted = new Set(['departures.log', ...sources.map(fileOf)]);
    for (const name of await readdir(directory)) if (/\.log(?:\.new)?$/.test(name) && !wanted.has(name)) await rm(join(directory, name), { force: true });
  }
}

/** `corp-ldap-1a2b3c4d5e6f.log`: a name for people, and one for what it is. */
function fileOf({ source }: KeptSource): string {
  const name = source.label.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 40);
  return `${name}-${digest(source.key).slice(0, 12)}.log`;
}

function digest(text: string): string {
  return hash('sha256', text, 'hex');
}

function reasonOf(error: BridgeError | undefined): string | undefined {
  if (error === undefined) return undefined;
  const details = Object.values(error.details).map(String);
  return details.length === 0 ? error.publicMessage : `${error.publicMessage} (${details.join(', ')})`;
}
