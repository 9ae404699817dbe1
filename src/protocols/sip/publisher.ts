import { setMaxListeners } from 'node:events';
import { pauseAfter } from '../../core/back-off.ts';
import type { Clock, Instant } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import type { KeptTexts, PresencePublisher } from '../../presence/publisher.ts';
import { decodePidf } from '../pidf/decode-pidf.ts';
import { encodePidf } from '../pidf/encode-pidf.ts';
import type { SipServer } from './channel.ts';
import { SipClient } from './client.ts';
import type { SipTimers } from './client-transactions.ts';
import { responseFailure } from './faults.ts';
import { fetchPresence } from './fetch-presence.ts';
import { KeptPublications } from './kept-publications.ts';
import { probePresenceServer } from './probe.ts';
import { grantedBy, leastExpiresMs, publishQuestion } from './publish-request.ts';
import { Renewals } from './renewals.ts';
import { hostText, sipUri } from './sip-uri.ts';

export interface SipPublisherOptions {
  readonly server: SipServer;
  /** For digest authentication; both or neither. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM; with tls, replaces Node's own authorities. */
  readonly ca?: readonly string[] | undefined;
  /** How long a publication lasts unless renewed; a server may shorten or lengthen it. */
  readonly expiresMs: number;
  /** Keeps entity tags, under keys that begin with the label. */
  readonly memory: KeptTexts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the mailboxes, for `probe`, which publishes for somebody made up; default: the server's host. */
  readonly domain?: string | undefined;
  /** Default: RFC 3261's. Tests shorten them. */
  readonly timers?: SipTimers | undefined;
}

/**
 * Publishes availability with SIP PUBLISH (RFC 3903): one publication for each mailbox, changed in place by its entity tag, kept alive, removed only where its owner opts out. Available is a document without
 * activity, never a removal: Kamailio shows what was removed as `closed` once more (presence.md §D.3).
 */
export class SipPublisher implements PresencePublisher {
  readonly label: string;
  readonly pace = LIMITS.sipPublishPace;
  readonly showsTimes = true;
  readonly #options: SipPublisherOptions;
  readonly #client: SipClient;
  readonly #kept: KeptPublications;
  readonly #renewals: Renewals;
  /** What the server was last told in this life, to be told again where it lost it. What another life told and this one does not lapses: nobody vouches for it. */
  readonly #published = new Map<MailboxAddress, ShownPresence>();
  /** Mailboxes of which a request went out and no answer came: their entity tag may have changed. */
  readonly #doubtful = new Set<MailboxAddress>();
  readonly #failures = new Map<MailboxAddress, number>();
  readonly #turns = new Map<MailboxAddress, Promise<void>>();
  readonly #ending = new AbortController();
  #onLost: () => void = () => undefined;
  #lostAt: Instant = Number.NEGATIVE_INFINITY;
  /** Whom the server has accepted since it last lost everything: it is a new loss when it forgets one of these. */
  readonly #sinceLoss = new Set<MailboxAddress>();
  /** A loss that came too soon after the last one, and is said when that is long enough ago. */
  #soon: NodeJS.Timeout | undefined;
  /** What a 423 taught. */
  #leastExpiresMs = 0;
  #isTroubled = false;

  constructor(options: SipPublisherOptions) {
    this.#options = options;
    // Every renewal under way listens; Node takes more than ten for a leak.
    setMaxListeners(0, this.#ending.signal);
    this.label = `sip ${hostText(options.server.host)}:${options.server.port}`;
    this.#client = new SipClient(options);
    this.#kept = new KeptPublications(options.memory, this.label, options.clock);
    this.#renewals = new Renewals({ clock: options.clock, inFlight: LIMITS.sipRenewalsInFlight, renew: (mailbox) => this.#renew(mailbox) });
  }

  start(onLost: () => void): void {
    this.#onLost = onLost;
    this.#kept.sweep();
    this.#renewals.start();
  }

  async publish(mailbox: MailboxAddress, shown: ShownPresence, signal: AbortSignal): Promise<void> {
    await this.#inTurn(mailbox, signal, async () => {
      // What failed to change is not renewed: an old state that nobody vouches for lapses.
      this.#renewals.forget(mailbox);
      const before = this.#published.get(mailbox);
      this.#published.delete(mailbox);
      await this.#tell(mailbox, shown, before !== undefined, signal);
    });
  }

  async withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    await this.#inTurn(mailbox, signal, async () => {
      this.#renewals.forget(mailbox);
      const shown = this.#published.get(mailbox);
      // Kamailio shows what is removed as closed once more; of a document without a tuple it cannot, and shows watchers nothing at all, other publishers' tuples included.
      if (shown?.state === 'unknown' && this.#kept.get(mailbox) !== undefined) await this.#tell(mailbox, { ...shown, state: 'offline' }, false, signal);
      this.#renewals.forget(mailbox);
      this.#published.delete(mailbox);
      this.#sinceLoss.delete(mailbox);
      this.#failures.delete(mailbox);
      const etag = this.#kept.get(mailbox)?.etag;
      if (etag !== undefined) {
        const response = await this.#client.request(publishQuestion(sipUri(mailbox), { etag, expiresMs: 0 }), signal);
        // 412: it has gone already.
        if (response.status >= 300 && response.status !== 412) throw responseFailure(response);
      }
      this.#kept.delete(mailbox);
      this.#doubtful.delete(mailbox);
    });
  }

  async observe(mailbox: MailboxAddress, signal: AbortSignal): Promise<PresenceState | undefined> {
    const document = await fetchPresence(this.#client, sipUri(mailbox), signal);
    return document === undefined ? undefined : decodePidf(document);
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    return probePresenceServer(this.#options, signal);
  }

  async close(): Promise<void> {
    this.#renewals.stop();
    clearTimeout(this.#soon);
    this.#ending.abort();
    this.#client.close();
    await Promise.all(this.#turns.values());
  }

  /**
   * Publishes, changes or renews, and plans the next renewal. A renewal has its document too, though RFC 3903 §4.3 would do without: Kamailio 5.6 keeps none after a refresh where publications are in its memory
   * (publ_cache=2), and a next stretch that has begun meanwhile must go (RFC 4481 §3).
   *
   * @param isKnown whether the server took the last one from us in this life
   */
  async #tell(mailbox: MailboxAddress, shown: ShownPresence, isKnown: boolean, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const uri = sipUri(mailbox);
    for (let attempt = 1; ; attempt++) {
      const etag = this.#kept.get(mailbox)?.etag;
      const document = encodePidf(mailbox, shown, { entity: uri, now: clock.now() });
      const expiresMs = Math.max(this.#options.expiresMs, this.#leastExpiresMs);
      const response = await this.#answered(mailbox, publishQuestion(uri, { document, etag, expiresMs }), signal);
      const granted = response.status < 300 ? grantedBy(response, expiresMs) : undefined;
      if (granted !== undefined) {
        this.#kept.set(mailbox, { etag: granted.etag, expiresAt: clock.now() + granted.expiresMs });
        this.#published.set(mailbox, shown);
        this.#sinceLoss.add(mailbox);
        this.#failures.delete(mailbox);
        this.#renewals.planWithin(mailbox, granted.expiresMs);
        // A kill -9 that takes the tag leaves a second publication behind, whose old state watchers see until it lapses.
        await this.#kept.flush();
        return;
      }
      if (!this.#learns(mailbox, response.status, { etag, isKnown, least: leastExpiresMs(response), expiresMs }) || attempt >= LIMITS.sipPublishTries) throw responseFailure(response);
    }
  }

  /** What a refusal teaches; false where another try would bring the same. */
  #learns(mailbox: MailboxAddress, status: number, { etag, isKnown, least, expiresMs }: { readonly etag: string | undefined; readonly isKnown: boolean; readonly least: number | undefined; readonly expiresMs: number }): boolean {
    if (status === 412 && etag !== undefined) {
      this.#kept.delete(mailbox);
      if (isKnown && !this.#doubtful.delete(mailbox) && this.#sinceLoss.has(mailbox)) this.#lost();
      return true;
    }
    if (status !== 423 || least === undefined || least <= expiresMs) return false;
    this.#leastExpiresMs = least;
    return true;
  }

  async #answered(mailbox: MailboxAddress, question: Parameters<SipClient['request']>[0], signal: AbortSignal): ReturnType<SipClient['request']> {
    const wasDoubtful = this.#doubtful.has(mailbox);
    this.#doubtful.add(mailbox);
    const response = await this.#client.request(question, signal);
    // A 412 is judged by whether there was a doubt before.
    if (response.status !== 412 || !wasDoubtful) this.#doubtful.delete(mailbox);
    return response;
  }

  async #renew(mailbox: MailboxAddress): Promise<void> {
    const { signal } = this.#ending;
    try {
      await this.#inTurn(mailbox, signal, async () => {
        const shown = this.#published.get(mailbox);
        // Withdrawn, or published again, while it waited.
        if (shown === undefined || this.#renewals.has(mailbox)) return;
        await this.#tell(mailbox, shown, true, signal);
      });
      if (this.#isTroubled) this.#options.logger.info({ system: this.label, operation: 'presence refresh' }, 'the presence server renews again');
      this.#isTroubled = false;
    } catch (thrown) {
      if (!signal.aborted) this.#renewLater(mailbox, toBridgeError(thrown));
    }
  }

  #renewLater(mailbox: MailboxAddress, error: BridgeError): void {
    const failures = (this.#failures.get(mailbox) ?? 0) + 1;
    this.#failures.set(mailbox, failures);
    const isOfAll = error.temporary || error.code === 'BACKEND_AUTH' || error.code === 'BACKEND_TLS' || error.code === 'CONFIGURATION';
    // Thousands fail together where the server is away: said once.
    if (isOfAll ? !this.#isTroubled : failures === 1) {
      const fields = { system: this.label, operation: 'presence refresh', code: error.code, reason: error.publicMessage, ...(isOfAll ? {} : { mailbox }) };
      this.#options.logger.warn(fields, 'a publication was not renewed; it is tried again');
    }
    this.#isTroubled ||= isOfAll;
    if (this.#published.has(mailbox)) this.#renewals.planAt(mailbox, this.#options.clock.now() + pauseAfter(failures, LIMITS.sipRenewalPause, error.retryAfterMs));
  }

  /** A server that forgot one publication has mostly begun anew; what else it forgot would come to light only one renewal after the other. */
  #lost(): void {
    const now = this.#options.clock.now();
    const waitMs = this.#lostAt + LIMITS.sipLostPauseMs - now;
    if (waitMs > 0) {
      this.#soon ??= setTimeout(() => this.#lost(), waitMs).unref();
      return;
    }
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#lostAt = now;
    this.#sinceLoss.clear();
    this.#options.logger.warn({ system: this.label, operation: 'presence publish', code: 'BACKEND_FAULT' }, 'the presence server has lost what it was told; everything is published again');
    this.#onLost();
  }

  /** Requests about one mailbox go one after the other: each answer carries the tag that the next one needs. */
  #inTurn(mailbox: MailboxAddress, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(mailbox) ?? Promise.resolve()).then(work);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(mailbox, over);
    void over.then(() => this.#turns.get(mailbox) === over && this.#turns.delete(mailbox));
    return untilAborted(turn, signal);
  }
}
