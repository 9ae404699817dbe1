import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { pause as realPause } from '../../core/pause.ts';
import type { Logger } from '../../core/logger.ts';
import { OVER } from '../../core/over.ts';
import type { ChangeFeed, ChangeNotice, FeedMemory } from '../../freebusy/change-feed.ts';
import { isRefused } from './account-lookup.ts';
import type { ZimbraRoster } from './accounts.ts';
import type { ZimbraAdmin } from './admin-client.ts';
import { pauseAfter } from './feed-pause.ts';
import type { Pause } from './feed-pause.ts';
import { decodeGetAllServersResponse, encodeGetAllServersRequest } from './get-all-servers.ts';
import { mailStoresOf } from './mail-stores.ts';
import type { MailStores } from './mail-stores.ts';
import { WaitSetWatch } from './wait-set-watch.ts';

/** Tests choose shorter ones. */
export interface FeedTiming {
  readonly pause?: Pause;
  readonly blockMs?: number;
  readonly patienceMs?: number;
}

export interface ZimbraChangeFeedOptions {
  readonly name: string;
  readonly admin: ZimbraAdmin;
  readonly roster: ZimbraRoster;
  readonly memory: FeedMemory;
  readonly logger: Logger;
  readonly timing?: FeedTiming | undefined;
}

interface Watched {
  readonly watch: WaitSetWatch;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Every change of an appointment in a Zimbra, by one long poll for each of its mail stores (zimbra.md §5). */
export class ZimbraChangeFeed implements ChangeFeed {
  readonly #options: ZimbraChangeFeedOptions;
  readonly #watched = new Map<string, Watched>();
  #toldUnlisted = '';

  constructor(options: ZimbraChangeFeedOptions) {
    this.#options = options;
  }

  async run(onChange: (notice: ChangeNotice) => Promise<void>, signal: AbortSignal): Promise<void> {
    const pause = this.#options.timing?.pause ?? realPause;
    const watched = this.#watched;
    const ending: Promise<void>[] = [];
    const stopAll = (): void => {
      for (const { stop } of watched.values()) stop.abort(OVER);
    };
    signal.addEventListener('abort', stopAll, { once: true });
    for (let failures = 0; !signal.aborted; ) {
      const { stores, error } = await this.#stores(signal);
      failures = error === undefined ? 0 : failures + 1;
      if (signal.aborted) break;
      if (stores !== undefined || watched.size === 0) {
        const wanted = stores?.watched ?? [this.#options.admin.endpoint];
        const isWanted = new Set(wanted.map(({ href }) => href));
        for (const [href, { stop, done }] of watched) {
          if (isWanted.has(href)) continue;
          stop.abort(OVER);
          watched.delete(href);
          ending.push(done);
        }
        for (const at of wanted) if (!watched.has(at.href)) watched.set(at.href, this.#watch(at, onChange));
      }
      await pause(error === undefined ? LIMITS.zimbraMailStoresAgainMs : pauseAfter(error, failures), signal);
    }
    stopAll();
    signal.removeEventListener('abort', stopAll);
    await Promise.all([...ending, ...[...watched.values()].map(({ done }) => done)]);
    watched.clear();
  }

  isHearing(): boolean {
    return this.#toldUnlisted === '' && this.#watched.size > 0 && [...this.#watched.values()].every(({ watch }) => watch.isHearing);
  }

  #watch(at: URL, onChange: (notice: ChangeNotice) => Promise<void>): Watched {
    const { name: system, admin, roster, memory, logger, timing } = this.#options;
    const stop = new AbortController();
    const watch = new WaitSetWatch({
      system,
      admin,
      at,
      roster,
      memory,
      logger,
      pause: timing?.pause ?? realPause,
      blockMs: timing?.blockMs ?? LIMITS.waitSetBlockMs,
      patienceMs: timing?.patienceMs ?? LIMITS.waitSetPatienceMs,
      onChange,
      signal: stop.signal,
    });
    return { watch, stop, done: watch.run() };
  }

  /** Where the list is not for us to see, `adminUrl` alone is watched; where it only cannot be read now, what is watched stays. */
  async #stores(signal: AbortSignal): Promise<{ readonly stores?: MailStores; readonly error?: ReturnType<typeof toBridgeError> }> {
    const { name: system, admin, logger } = this.#options;
    const fields = { system, protocol: 'zimbra-soap', operation: 'GetAllServers' };
    try {
      const stores = await mailStoresAt(admin, signal);
      const unlisted = stores.unlisted.join(', ');
      if (unlisted !== '' && unlisted !== this.#toldUnlisted) {
        logger.warn({ ...fields, reason: unlisted }, 'mail stores are not watched, because they are not listed under `hosts` of the system: their changes wait for the next pass');
      }
      this.#toldUnlisted = unlisted;
      return { stores };
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (isRefused(error)) return { stores: { watched: [admin.endpoint], unlisted: [] } };
      if (!signal.aborted) logger.warn({ ...fields, code: error.code }, 'the mail stores cannot be listed at present');
      return { error };
    }
  }
}

/** @throws BridgeError where the server does not say which mail stores it has */
export async function mailStoresAt(admin: ZimbraAdmin, signal: AbortSignal): Promise<MailStores> {
  const names = decodeGetAllServersResponse(await admin.call(encodeGetAllServersRequest(), signal, admin.endpoint, LIMITS.logonTimeoutMs));
  return mailStoresOf(names, admin.endpoint, (url) => admin.permits(url));
}
