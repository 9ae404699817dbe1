import { BridgeError } from '../../../core/errors.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import { isForbidden, isGone, problemOf } from '../answer-problem.ts';
import type { OwaAnswer } from '../client-connection.ts';
import type { OwaServers } from '../client-servers.ts';
import { readAnswer } from '../read-answer.ts';
import type { CalendarFolders } from './calendar-folders.ts';
import { decodeSubscriptionStatuses } from './subscription-multistatus.ts';
import { idHeader, lifetimeIn, renewalHeaders, subscribeHeaders, subscribedOf } from './subscription.ts';
import type { LifetimeBounds, Subscription } from './subscription.ts';

export interface SubscriptionRequestsOptions {
  readonly folders: CalendarFolders;
  readonly servers: OwaServers;
  readonly lifetimes: LifetimeBounds;
}

/** What a request about subscriptions says of each: by id; `unknown`: the server knows none of them; `not-understood`: it does not do such a thing, or not with so many. */
export type SubscriptionAnswer = { readonly statuses: ReadonlyMap<string, number>; readonly lifetimeMs: number } | 'unknown' | 'not-understood';

type Asking = { readonly signal: AbortSignal };

/** SUBSCRIBE, POLL and UNSUBSCRIBE (presence.md §B.4, exchange.md §2.7). Everything throws BridgeErrors where the server as a whole, or the network, fails. */
export class SubscriptionRequests {
  readonly #options: SubscriptionRequestsOptions;

  constructor(options: SubscriptionRequestsOptions) {
    this.#options = options;
  }

  /**
   * A new one, to the calendar of a mailbox; its folder is found where it is not known.
   *
   * @throws BridgeError MAILBOX_REFUSED, MAILBOX_UNKNOWN, UNSUPPORTED (no such command), BACKEND_MALFORMED (no id) and those of CalendarFolders
   */
  async subscribe(mailbox: MailboxAddress, callBack: string | undefined, ctx: Asking): Promise<Subscription & { readonly folder: URL }> {
    const { folders, servers, lifetimes } = this.#options;
    const headers = { translate: 'f', ...subscribeHeaders(callBack) };
    // Twice would be two subscriptions.
    const { folder, answer } = await folders.at(mailbox, ctx, (url) => servers.exchange({ method: 'SUBSCRIBE', url, headers, ctx, budget: new RequestBudget(), once: true }));
    const details = { details: { status: answer.status } };
    if (isForbidden(answer)) throw new BridgeError('MAILBOX_REFUSED', 'the calendar may not be subscribed to', details);
    if (isGone(answer)) throw new BridgeError('MAILBOX_UNKNOWN', 'the calendar is not where the server says', details);
    if (NOT_UNDERSTOOD.has(answer.status)) throw new BridgeError('UNSUPPORTED', `the server takes no subscriptions (${answer.status})`, details);
    const problem = problemOf(answer, answer.status === 207 ? 207 : 200);
    if (problem !== undefined) throw problem;
    const subscription = subscribedOf(answer.headers, lifetimes);
    if (subscription === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the server gives a subscription without an id', details);
    return { ...subscription, folder };
  }

  /** Makes them live on; 200 is success for all. */
  async renew(url: URL, ids: readonly string[], ctx: Asking): Promise<SubscriptionAnswer> {
    const answer = await this.#about('SUBSCRIBE', url, renewalHeaders(ids), ctx);
    if (answer.status !== 200) return this.#read(answer);
    refuseProblem(answer, 200);
    return { statuses: new Map(ids.map((id) => [id, 200])), lifetimeMs: lifetimeIn(answer.headers, this.#options.lifetimes) };
  }

  /** Whether something has happened since the last POLL; says also that it was heard. */
  async poll(url: URL, ids: readonly string[], ctx: Asking): Promise<SubscriptionAnswer> {
    return this.#read(await this.#about('POLL', url, idHeader(ids), ctx));
  }

  /** True where the server has none of them any more. */
  async unsubscribe(url: URL, ids: readonly string[], ctx: Asking): Promise<boolean> {
    const { status } = await this.#about('UNSUBSCRIBE', url, idHeader(ids), ctx);
    return (status >= 200 && status < 300) || UNKNOWN.has(status);
  }

  #about(method: 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'POLL', url: URL, headers: Readonly<Record<string, string>>, ctx: Asking): Promise<OwaAnswer> {
    return this.#options.servers.exchange({ method, url, headers: { translate: 'f', ...headers }, ctx, budget: new RequestBudget() });
  }

  async #read(answer: OwaAnswer): Promise<SubscriptionAnswer> {
    if (UNKNOWN.has(answer.status)) return 'unknown';
    if (NOT_UNDERSTOOD.has(answer.status) || isForbidden(answer)) return 'not-understood';
    refuseProblem(answer, 207);
    return { statuses: decodeSubscriptionStatuses(await readAnswer(answer)), lifetimeMs: lifetimeIn(answer.headers, this.#options.lifetimes) };
  }
}

const UNKNOWN: ReadonlySet<number> = new Set([404, 410, 412]);
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 405, 501]);

function refuseProblem(answer: OwaAnswer, expected: 200 | 207): void {
  const problem = problemOf(answer, expected);
  if (problem !== undefined) throw problem;
}
