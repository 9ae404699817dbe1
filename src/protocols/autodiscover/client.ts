import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { OVER } from '../../core/over.ts';
import { RefusalCount } from '../../core/refusal-count.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { within } from '../../core/within.ts';
import { domainOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import { ISSUER } from '../../platform/http-client/authentication.ts';
import type { Authentication } from '../../platform/http-client/authentication.ts';
import type { HttpClientOptions } from '../../platform/http-client/http-client.ts';
import { serviceRecords } from '../../platform/service-records.ts';
import { AutodiscoverConnection, NOT_OFFERED } from './client-connection.ts';
import { walk } from './client-walk.ts';
import type { WalkOptions } from './client-walk.ts';
import { Trail } from './trail.ts';
import { Trust } from './trust.ts';
import { errorOf, findingsOf } from './walk-outcome.ts';

export interface AutodiscoverClientOptions extends Pick<CalendarSystemOptions, 'name' | 'ca' | 'minTlsVersion' | 'hosts' | 'clock' | 'logger'>, Pick<HttpClientOptions, 'nameCheck' | 'interceptors'> {
  /** Whose server is sought. */
  readonly mailbox: MailboxAddress;
  /** The service itself, and then no other is asked; absent: what stands in exchange.md §4.1 for the mailbox's domain. */
  readonly url?: URL | undefined;
  /** At least one; the next is tried where one is refused. */
  readonly authentications: readonly Authentication[];
  /** What DNS says; absent: DNS itself. */
  readonly serviceRecords?: WalkOptions['serviceRecords'] | undefined;
}

/** Asks Autodiscover where a mailbox's EWS is. README.md says whom it asks, and who may learn the password. */
export class AutodiscoverClient {
  readonly #options: AutodiscoverClientOptions;
  readonly #walk: WalkOptions;
  readonly #closed = new AbortController();
  #underWay: Promise<readonly URL[]> | undefined;
  #found: { readonly urls: readonly URL[]; readonly until: number } | undefined;
  /** Lookups try the same password as well: here a refusal costs half a minute at once. */
  readonly #refusals = new RefusalCount(REFUSALS_FROM);
  #failed: { readonly error: BridgeError; readonly until: number } | undefined;

  constructor(options: AutodiscoverClientOptions) {
    const { mailbox, url, hosts, ca, nameCheck, minTlsVersion, interceptors, authentications } = options;
    this.#options = options;
    this.#walk = {
      mailbox,
      url,
      trust: new Trust({ domain: domainOf(mailbox), url, hosts }),
      connection: new AutodiscoverConnection({ authentications, ca, nameCheck, minTlsVersion, ...(interceptors === undefined ? {} : { interceptors }) }),
      serviceRecords: options.serviceRecords ?? serviceRecords,
    };
  }

  /**
   * Endpoints of EWS, the best first, each one to which the password may go. Whoever asks while somebody asks shares the answer; it is given again for a
   * minute, and a failure for some seconds (refused credentials: half a minute, then longer each time).
   *
   * @throws BridgeError BACKEND_AUTH, BACKEND_REDIRECT (elsewhere: `target` and `hint`), BACKEND_FAULT (nobody knows the mailbox, or there is no service), BACKEND_TLS,
   *   BACKEND_BUSY, BACKEND_MALFORMED, BACKEND_TOO_LARGE, BACKEND_UNREACHABLE, CONFIGURATION, DEADLINE
   */
  async find(signal: AbortSignal): Promise<readonly URL[]> {
    const now = this.#options.clock.now();
    if (this.#found !== undefined && now < this.#found.until) return this.#found.urls;
    if (this.#failed !== undefined && now < this.#failed.until) throw this.#failed.error;
    this.#underWay ??= this.#findForAll();
    return untilAborted(this.#underWay, signal);
  }

  /** What `check` says: every step of a walk of its own, and how it ended; never throws. */
  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const trail = new Trail();
    try {
      return findingsOf(trail.steps, await this.#bounded(trail, signal));
    } catch (error) {
      trail.steps.push({ tried: 'the way', outcome: toBridgeError(error) });
      return findingsOf(trail.steps, []);
    }
  }

  /** Ends all connections and all waiting; safe to call twice. */
  async close(): Promise<void> {
    this.#closed.abort(OVER);
    await this.#walk.connection.close();
  }

  async #findForAll(): Promise<readonly URL[]> {
    const { clock, logger, name } = this.#options;
    const trail = new Trail();
    try {
      const urls = await this.#bounded(trail, this.#closed.signal);
      if (urls.length === 0) throw errorOf(trail.steps);
      this.#failed = undefined;
      this.#refusals.accepted();
      this.#found = { urls, until: clock.now() + LIMITS.autodiscoverFoundMs };
      logger.info({ system: name, protocol: 'autodiscover', address: urls[0]!.host, count: trail.steps.length }, 'Autodiscover has said where EWS is');
      return urls;
    } catch (thrown) {
      const error = toBridgeError(thrown);
      const now = clock.now();
      const isRefused = error.code === 'BACKEND_AUTH' && error.details['by'] !== ISSUER && error.details['reason'] !== NOT_OFFERED;
      if (isRefused) this.#refusals.refused(now);
      this.#failed = { error, until: isRefused ? this.#refusals.restsUntil : now + LIMITS.autodiscoverFailedMs };
      logger.warn({ system: name, protocol: 'autodiscover', code: error.code, count: trail.steps.length }, 'Autodiscover does not say where EWS is');
      throw error;
    } finally {
      this.#underWay = undefined;
    }
  }

  async #bounded(trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
    return within(LIMITS.autodiscoverWalkMs, signal, (limited) => walk(this.#walk, trail, limited));
  }
}

/** Which of LIMITS.refusedPausesMs comes first, as with a form logon. */
const REFUSALS_FROM = 2;
