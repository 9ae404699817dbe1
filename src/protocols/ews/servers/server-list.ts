import { doubling } from '../../../core/back-off.ts';
import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { untilAborted } from '../../../core/until-aborted.ts';
import { within } from '../../../core/within.ts';
import type { EwsKnowledge } from './knowledge.ts';
import type { KnownServer } from './known-server.ts';

export interface ServerListOptions {
  readonly servers: readonly URL[];
  readonly discover: ((signal: AbortSignal) => Promise<readonly URL[]>) | undefined;
  readonly knowledge: EwsKnowledge;
  readonly clock: Clock;
}

/** The servers of one system in the order in which they are asked: as configured, else as found. */
export class ServerList {
  readonly #options: ServerListOptions;
  readonly #isFixed: boolean;
  readonly #end = new AbortController();
  #known: readonly KnownServer[];
  /** Ends with `close`, or when nobody waits for it any more. */
  #flight: Promise<readonly KnownServer[]> | undefined;
  #foundAt: Instant = -Infinity;
  #failures = 0;
  #notBefore: Instant = -Infinity;
  #error: BridgeError | undefined;

  constructor(options: ServerListOptions) {
    this.#options = options;
    this.#isFixed = options.servers.length > 0 || options.discover === undefined;
    this.#known = options.servers.map((url) => options.knowledge.server(url));
  }

  /** Those that are known now; none before the first discovery. */
  get known(): readonly KnownServer[] {
    return this.#known;
  }

  get isFound(): boolean {
    return !this.#isFixed;
  }

  /** @throws BridgeError what discovery throws where nothing was ever found; DEADLINE */
  async get(signal: AbortSignal): Promise<readonly KnownServer[]> {
    if (this.#isFixed) return this.#known;
    if (this.#now() - this.#foundAt < LIMITS.ewsDiscoveredForMs) return this.#known;
    // Old ones are better than none.
    if (this.#known.length > 0 && this.#now() < this.#notBefore) return this.#known;
    return this.#discover(signal);
  }

  /** None of those that are known answers as an EWS: looked for again, unless that was done a moment ago. Never throws. */
  async anew(signal: AbortSignal): Promise<readonly KnownServer[]> {
    if (this.#isFixed || this.#now() < this.#notBefore) return this.#known;
    return this.#discover(signal).catch(() => this.#known);
  }

  close(): void {
    this.#end.abort();
  }

  #now(): Instant {
    return this.#options.clock.now();
  }

  async #discover(signal: AbortSignal): Promise<readonly KnownServer[]> {
    if (this.#flight === undefined && this.#now() < this.#notBefore && this.#error !== undefined) throw this.#error;
    this.#flight ??= this.#find().finally(() => {
      this.#flight = undefined;
    });
    return untilAborted(this.#flight, signal);
  }

  async #find(): Promise<readonly KnownServer[]> {
    const { discover, knowledge } = this.#options;
    try {
      const found = await within(LIMITS.ewsDiscoveryMs, this.#end.signal, (signal) => discover!(signal));
      const urls = [...new Map(found.map((url) => [url.href, url])).values()].slice(0, LIMITS.ewsDiscoveredServers);
      if (urls.length === 0) throw new BridgeError('BACKEND_UNREACHABLE', 'Autodiscover names no EWS server', { details: { hint: 'see what Autodiscover says for the account, or name the server in url' } });
      this.#known = urls.map((url) => knowledge.server(url));
      this.#foundAt = this.#now();
      this.#failures = 0;
      this.#error = undefined;
      this.#notBefore = this.#now() + LIMITS.ewsDiscoveryPauses.longestMs;
      return this.#known;
    } catch (thrown) {
      this.#failures += 1;
      this.#error = toBridgeError(thrown);
      this.#notBefore = this.#now() + doubling(this.#failures, LIMITS.ewsDiscoveryPauses);
      if (this.#known.length > 0) return this.#known;
      throw this.#error;
    }
  }
}
