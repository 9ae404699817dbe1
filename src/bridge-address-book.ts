import { join } from 'node:path';
import type { Config } from './config/config.ts';
import { Secret } from './config/secret.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { DirectoryState } from './core/metrics.ts';
import type { ProbeFinding } from './core/probe-finding.ts';
import type { Directory } from './directory/directory.ts';
import { Homes } from './directory/homes.ts';
import { NO_DIRECTORY } from './directory/no-directory.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import { NO_WHEREABOUTS } from './directory/whereabouts.ts';
import type { Whereabouts } from './directory/whereabouts.ts';
import { AddressBook } from './gal/address-book.ts';
import { Gal } from './gal/gal.ts';
import type { GalRow } from './gal/gal-row.ts';
import { GalKeeper } from './gal/keeper.ts';
import type { GalStatus, SourceStatus } from './gal/source-status.ts';
import type { BackEnds } from './protocols/back-ends.ts';
import { createEntrySources } from './protocols/registry.ts';

interface Services {
  readonly backEnds: BackEnds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Is told of mailboxes whose home or legacyExchangeDN is another than before. */
type OnMoved = (mailboxes: readonly MailboxAddress[]) => void;

/** What a configuration makes of the address book: empty until it is loaded, and for ever where no sources are configured. */
export class BridgeAddressBook {
  readonly #config: Config;
  readonly #services: Services;
  readonly #gal: Gal | undefined;
  readonly #onMoved: OnMoved | undefined;
  #keeper: GalKeeper | undefined;

  /** Opens nothing. */
  constructor(config: Config, services: Services, onMoved?: OnMoved) {
    this.#onMoved = onMoved;
    this.#config = config;
    this.#services = services;
    this.#gal = config.gal.sources.length === 0 ? undefined : new Gal(new Homes(config.systems), services.clock);
  }

  /** Two configurations with the same one keep the same address book over a reload. */
  static keyOf({ gal, systems }: Config): string {
    return JSON.stringify([gal.sources, systems], function (this: Record<string, unknown>, key, value: unknown) {
      const raw = this[key];
      return raw instanceof Secret ? raw.reveal() : value;
    });
  }

  get whereabouts(): Whereabouts {
    return this.#gal ?? NO_WHEREABOUTS;
  }

  /** Grows whenever anything in it changes. */
  get revision(): number {
    return this.#gal?.revision ?? 0;
  }

  /** As clients may see it, by the bounds of `search`. */
  directory({ search }: Config['gal']): Directory {
    const gal = this.#gal;
    if (gal === undefined) return NO_DIRECTORY;
    return new AddressBook({ gal, search, book: () => this.#keeper!.book, departures: () => this.#keeper!.departures, clock: this.#services.clock });
  }

  /** Takes in what is on disk; writes nothing where `isReadOnly`. @throws BridgeError CONFIGURATION */
  async load({ isReadOnly = false }: { readonly isReadOnly?: boolean } = {}): Promise<void> {
    if (this.#gal === undefined || this.#keeper !== undefined) return;
    const { dataDir } = this.#config;
    const sources = createEntrySources(this.#config, this.#services);
    this.#keeper = new GalKeeper({ gal: this.#gal, sources, directory: join(dataDir, 'gal'), isReadOnly, onMoved: this.#onMoved, ...this.#services });
    await this.#keeper.load();
  }

  /** Begins to read the sources, time after time. */
  start(): void {
    this.#keeper?.start();
  }

  /**
   * Reads the sources once, as a command does that has no running bridge to ask; failures stand in `status`.
   *
   * @param which `all`, or `unread`: those of which nothing is on disk
   */
  async readOnce(which: 'all' | 'unread', withinMs: number, onRead?: (status: SourceStatus) => void): Promise<void> {
    await this.#keeper?.readOnce(AbortSignal.timeout(withinMs), { which, onRead });
  }

  /** Tries every source, for `check`; never throws. */
  async probe(signal: AbortSignal): Promise<readonly { readonly label: string; readonly findings: readonly ProbeFinding[] }[]> {
    return Promise.all(
      createEntrySources(this.#config, this.#services).map(async ({ source, reader }) => {
        const findings = await reader.probe(signal);
        await reader.close();
        return { label: source.label, findings };
      }),
    );
  }

  /** Ends what writes and reads; what is in memory answers on. Safe to call twice. */
  async close(): Promise<void> {
    await this.#keeper?.close();
  }

  /** After `close`: goes on, as where a reload has failed. */
  async resume(): Promise<void> {
    this.#keeper = undefined;
    await this.load();
    this.start();
  }

  rows(): Iterable<GalRow> {
    return this.#gal?.rows() ?? [];
  }

  /** Undefined where no address book is kept, or nothing is loaded. */
  status(): GalStatus | undefined {
    return this.#keeper?.status();
  }

  /** For the metrics. */
  states(): readonly DirectoryState[] {
    const now = this.#services.clock.now();
    return (this.status()?.sources ?? []).map(({ label, entries, readAt, failure }) => ({ source: label, entries, ageMs: readAt === undefined ? undefined : now - readAt, isUp: failure === undefined && readAt !== undefined }));
  }
}
