import { createHash, randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { isLoopback } from '../../core/loopback.ts';
import { within } from '../../core/within.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { encodeSignature } from '../../platform/auth/hmac-signature.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { probeNetwork } from '../../platform/network-probe.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import type { PresencePublisher } from '../../presence/publisher.ts';
import { encodeEvent, eventKey } from './event.ts';
import { faultOf } from './faults.ts';

export interface WebhookPublisherOptions {
  /** https, or http to loopback. A secret: chat products put a token into it. */
  readonly url: string;
  /** Signs every call. */
  readonly secret: string;
  /** Unique among publishers; default: `webhook <host> (<six hex digits>)`. */
  readonly label?: string | undefined;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An event that was not accepted yet: every try of it has the same id and the same `at`. */
interface Tried {
  readonly key: string;
  readonly id: string;
  readonly at: Instant;
}

/**
 * Posts every change to one URL, signed as `POST /notify` is (README.md). What the receiver answers counts by its status; its body is not looked at.
 *
 * @throws BridgeError CONFIGURATION (constructor) where the URL is none, has a user name, or is http to another machine
 */
export class WebhookPublisher implements PresencePublisher {
  readonly label: string;
  readonly pace = { concurrency: LIMITS.webhookConcurrency, perSecond: LIMITS.webhookPerSecond } as const;
  readonly showsTimes = true;
  /** A chat room would read everybody's state again at every restart. */
  readonly isOnlyTold = true;
  readonly #options: WebhookPublisherOptions;
  readonly #url: URL;
  readonly #http: HttpClient;
  readonly #tried = new Map<MailboxAddress, Tried>();
  #gone: BridgeError | undefined;

  constructor(options: WebhookPublisherOptions) {
    this.#options = options;
    this.#url = receiverOf(options.url);
    this.label = options.label ?? labelOf(this.#url);
    this.#http = new HttpClient({ ca: options.ca });
  }

  /** Nothing to keep open, and nothing to renew: a receiver that was away has the events that it did not accept sent again. */
  start(): void {}

  async publish(mailbox: MailboxAddress, shown: ShownPresence, signal: AbortSignal): Promise<void> {
    await this.#deliver(mailbox, shown, signal);
  }

  async withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    await this.#deliver(mailbox, undefined, signal);
  }

  async observe(): Promise<PresenceState | undefined> {
    throw new BridgeError('UNSUPPORTED', 'a webhook cannot be asked what it shows');
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    const way = await probeNetwork(new URL(this.#url.origin), { ca: this.#options.ca });
    if (way.some((one) => one.outcome === 'fail')) return way;
    return [...way, await this.#probeReceiver(signal)];
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #deliver(mailbox: MailboxAddress, shown: ShownPresence | undefined, signal: AbortSignal): Promise<void> {
    if (this.#gone !== undefined) throw this.#gone;
    const { id, at } = this.#tryOf(mailbox, shown);
    const body = encodeEvent(mailbox, shown, at);
    const answer = await this.#call('POST', signal, body, {
      'content-type': 'application/json; charset=utf-8',
      'x-signature': encodeSignature(body, this.#options.secret, this.#options.clock.now()),
      'idempotency-key': id,
    });
    const fault = faultOf(answer.status, retryAfterMs(answer.headers));
    if (fault?.temporary !== true) this.#tried.delete(mailbox);
    if (fault === undefined) return;
    if (answer.status === 410 && this.#gone === undefined) {
      this.#gone = fault;
      this.#options.logger.warn({ protocol: 'webhook', system: this.label, status: 410 }, 'the receiver has gone for good; it is not called again');
    }
    throw fault;
  }

  #tryOf(mailbox: MailboxAddress, shown: ShownPresence | undefined): Tried {
    const key = eventKey(mailbox, shown);
    const before = this.#tried.get(mailbox);
    if (before?.key === key) return before;
    const tried: Tried = { key, id: randomUUID(), at: this.#options.clock.now() };
    this.#tried.delete(mailbox);
    this.#tried.set(mailbox, tried);
    if (this.#tried.size > LIMITS.webhookEvents) this.#tried.delete(this.#tried.keys().next().value!);
    return tried;
  }

  async #call(method: 'POST' | 'HEAD', signal: AbortSignal, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    try {
      return await within(LIMITS.webhookCallMs, signal, (late) =>
        this.#http.request({ method, url: this.#url, headers: { 'user-agent': 'freebusy-bridge', ...headers }, body, signal: late, budget: new RequestBudget(), redirect: 'manual' }),
      );
    } catch (error) {
      throw named(error);
    }
  }

  /** By HEAD, which changes nothing anywhere; that the URL is known and the signature liked, only an event can show. */
  async #probeReceiver(signal: AbortSignal): Promise<ProbeFinding> {
    const step = 'receiver';
    try {
      const { status } = await this.#call('HEAD', signal);
      if (status === 410) return { step, outcome: 'fail', text: 'it says that it has gone for good (410)', advice: 'give another URL, or remove the webhook' };
      if (status >= 500) return { step, outcome: 'warn', text: `it answers HEAD with ${status}`, advice: 'see whether the receiver is well; an event may fare better' };
      return { step, outcome: 'ok', text: `it answers (HEAD: ${status}); not tried: whether it takes events and the signature, which only an event shows` };
    } catch (error) {
      const { code, publicMessage } = toBridgeError(error);
      return { step, outcome: 'fail', text: `${code}: ${publicMessage}`, advice: 'see whether the receiver is running' };
    }
  }
}

function receiverOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text stands in no message: it is a secret.
  if (url === undefined || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))) {
    throw new BridgeError('CONFIGURATION', 'the URL of a webhook must be https, or http to this machine');
  }
  if (url.username !== '' || url.password !== '') throw new BridgeError('CONFIGURATION', 'the URL of a webhook takes no user name: the signature shows who calls');
  return url;
}

/** The digits tell two hooks of one host apart, and a new URL from the old one, which has been told nothing yet; the URL cannot be had from them. */
function labelOf(url: URL): string {
  return `webhook ${url.host} (${createHash('sha256').update(url.href).digest('hex').slice(0, 6)})`;
}

/** The HTTP client speaks of calendar systems. */
function named(error: unknown): unknown {
  if (!(error instanceof BridgeError)) return error;
  const words = error.code === 'BACKEND_UNREACHABLE' ? 'the receiver of the webhook cannot be reached' : error.code === 'BACKEND_TLS' ? "the receiver's certificate is not trusted" : undefined;
  const { code, temporary, details } = error;
  return words === undefined ? error : new BridgeError(code, words, { temporary, details, cause: error });
}
