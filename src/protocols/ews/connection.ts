import type { Clock, Instant } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../../core/pause.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { within } from '../../core/within.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { Authentication } from '../../platform/http-client/authentication.ts';
import type { HttpClientOptions } from '../../platform/http-client/http-client.ts';
import type { HttpStream } from '../../platform/http-client/open-stream.ts';
import type { BackEndLoads } from '../../platform/http-client/load/back-end-load.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlNode, XmlText } from '../../platform/xml/write.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import type { EwsOperation, RequestServerVersion } from './names.ts';
import { EwsKnowledge } from './servers/knowledge.ts';
import type { EwsLane, KnownAccount } from './servers/knowledge.ts';
import type { SizeLimits } from './servers/known-server.ts';
import { LaneClients } from './servers/lane-clients.ts';
import { nextLane, nobodyLeft, serversToAsk, Tries } from './servers/next-lane.ts';
import { ServerList } from './servers/server-list.ts';
import { isUnsent, mayLock, verdictOf } from './servers/verdict.ts';
import type { Verdict } from './servers/verdict.ts';

export interface EwsEndpoint extends Pick<CalendarSystemOptions, 'ca' | 'minTlsVersion' | 'hosts'> {
  /** Whole endpoints, `https://…/EWS/Exchange.asmx`; they stand for each other and are asked in this order. */
  readonly servers: readonly URL[];
  /** Where EWS is, when no servers are configured. @throws BridgeError */
  readonly discover?: ((signal: AbortSignal) => Promise<readonly URL[]>) | undefined;
  /** At least one; the load is spread over them. */
  readonly accounts: readonly Authentication[];
  /** In whose name is asked; absent: the account's own. */
  readonly impersonate?: MailboxAddress | undefined;
  /** Absent: as much as there is. */
  readonly loads?: BackEndLoads | undefined;
  /** Requests at the same time, an account; absent: by the server's version. */
  readonly concurrency?: number | undefined;
  /** Which names of the server's certificate count; absent: Node's own rules. */
  readonly nameCheck?: HttpClientOptions['nameCheck'];
  /** What is known of servers and accounts, the process's own; absent: this connection knows only what it learns itself. */
  readonly knowledge?: EwsKnowledge | undefined;
  /** Absent: the system's. */
  readonly clock?: Clock | undefined;
  /** Is told when one of several servers or accounts is left out, and when it is back; absent: nobody is. */
  readonly logger?: Logger | undefined;
}

/** How a request is made that is not made in the plainest way. */
export interface RequestManner {
  readonly version?: RequestServerVersion;
  /** Further header blocks of the envelope: ExchangeImpersonation. In their owner's name: what refuses them says nothing about our account. */
  readonly blocks?: readonly XmlNode[];
  /** Further HTTP headers, lower case: affinity. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Only there: a subscription lives where it was made. */
  readonly at?: EwsLane;
  /** `at` is asked whatever is known of it, and its own error is what comes: for `check`. */
  readonly isExact?: boolean;
}

/** One dealing with the server: a lookup, a publication, a probe. */
export interface Exchange {
  readonly ctx: RequestContext;
  readonly budget: RequestBudget;
  readonly manner?: RequestManner;
  /** Sees the cookies (`name=value; …`) of every answer. */
  readonly cookies?: (cookies: readonly string[]) => void;
  /** Sees every answer that is SOAP, Faults too, before it is used; may throw. */
  readonly inspect?: (envelope: SoapEnvelope) => void;
  /** Sees the Date header of every answer, whatever it is. */
  readonly dated?: (date: string | undefined) => void;
  /** Sees who is asked, before every request. */
  readonly asking?: (lane: EwsLane) => void;
  /** Hears why somebody else is asked, for `--explain`. */
  readonly told?: (text: string) => void;
}

/** Sent twice they do harm, or write what somebody else has written meanwhile. Whoever tries again looks first what is there. */
const WRITES: ReadonlySet<EwsOperation> = new Set<EwsOperation>(['CreateItem', 'UpdateItem', 'DeleteItem']);

/**
 * The one way in which requests go to the EWS servers of a system: SOAP 1.1, Content-Length, whatever way of signing in.
 *
 * The first server that answers is used. One that cannot be reached, or shows that no EWS stands behind it, is put aside and the next one asked, each with
 * its share of the time that is left. An account that is refused or told to wait is left out until its time, and the others go on. What is about the
 * question itself is nobody's fault and is asked nobody twice; what must not be done twice is sent again only where it has surely not arrived.
 */
export class EwsConnection {
  readonly #knowledge: EwsKnowledge;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #list: ServerList;
  readonly #accounts: readonly KnownAccount[];
  readonly #clients: LaneClients;

  constructor(endpoint: EwsEndpoint) {
    this.#knowledge = endpoint.knowledge ?? new EwsKnowledge();
    this.#clock = endpoint.clock ?? systemClock;
    this.#logger = endpoint.logger;
    this.#list = new ServerList({ servers: endpoint.servers, discover: endpoint.discover, knowledge: this.#knowledge, clock: this.#clock });
    const authentications = new Map(endpoint.accounts.map((one) => [this.#knowledge.account(one, endpoint.servers), one]));
    this.#accounts = [...authentications.keys()];
    this.#clients = new LaneClients(endpoint, authentications, this.#clock);
  }

  /** How much the server takes that would be asked next. */
  get limits(): SizeLimits {
    return serversToAsk(this.#list.known, new Set(), this.#clock.now())[0]?.limits ?? NO_SERVER_YET;
  }

  /** Every server with every account, for `check`. @throws BridgeError as discovery */
  async lanes(signal: AbortSignal): Promise<readonly EwsLane[]> {
    const servers = await this.#list.get(signal);
    return servers.flatMap((server) => this.#accounts.map((account) => this.#knowledge.lane(server, account)));
  }

  /** Whose turn it is, for what belongs to one place: a group of subscriptions. Undefined: nobody's now. */
  pick(): EwsLane | undefined {
    const lane = nextLane(this.#knowledge, this.#list.known, this.#accounts, new Tries(), this.#clock.now())?.lane;
    if (lane !== undefined) lane.usedAt = this.#knowledge.nextUse();
    return lane;
  }

  /** Requests at the same time that an account may make at its server. */
  concurrencyOf(lane: EwsLane): number {
    return this.#clients.concurrencyOf(lane);
  }

  /**
   * Sends one request and gives its answer.
   *
   * @throws BridgeError as decodeAnswer, as HttpClient, and what a Fault means; where several were asked in vain: that one is to wait, else what the first said
   */
  async call(operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange): Promise<SoapEnvelope> {
    const { at, isExact } = exchange.manner ?? {};
    if (at !== undefined) return isExact === true ? this.#clients.send(at, operation, body, exchange) : this.#callPinned(at, operation, body, exchange);
    const { ctx } = exchange;
    const tries = new Tries();
    let failure: BridgeError | undefined;
    let servers = await this.#list.get(ctx.signal);
    let isFoundAnew = !this.#list.isFound;
    for (;;) {
      const candidate = nextLane(this.#knowledge, servers, this.#accounts, tries, this.#clock.now());
      if (candidate === undefined) {
        if (isFoundAnew || servers.some((one) => !tries.servers.has(one))) throw failure ?? nobodyLeft(this.#knowledge, serversToAsk(servers, tries.servers, this.#clock.now()), this.#accounts, this.#clock.now());
        isFoundAnew = true;
        servers = await this.#list.anew(ctx.signal);
        continue;
      }
      const { lane, serversLeft } = candidate;
      tries.lanes.add(lane);
      try {
        return await this.#inShare(serversLeft, ctx, (signal) =>
          this.#ask(lane, operation, body, { ...exchange, ctx: { ...ctx, signal } }, {
            isOver: () => ctx.signal.aborted,
            hasOther: () => nextLane(this.#knowledge, servers, this.#accounts, tries, this.#clock.now()) !== undefined,
          }),
        );
      } catch (thrown) {
        const error = toBridgeError(thrown);
        const verdict = verdictOf(error, ctx.signal.aborted);
        failure = failure === undefined || (failure.code !== 'BACKEND_BUSY' && error.code === 'BACKEND_BUSY') ? error : failure;
        if (verdict === 'question') throw error;
        if (verdict === 'account') tries.accounts.add(lane.account);
        if (verdict === 'server' || (verdict === 'unavailable' && serversLeft > 1)) tries.servers.add(lane.server);
        if (WRITES.has(operation) && !isUnsent(error)) throw error;
        exchange.told?.(`${lane.server.url.origin}${this.#accounts.length > 1 ? ` as ${lane.account.name}` : ''}: ${error.publicMessage}`);
      }
    }
  }

  /** An answer that was good for others says "busy", and for how long, for some of those asked about. */
  toldToWait(lane: EwsLane, { retryAfterMs }: BridgeError): void {
    this.#toWait(lane, retryAfterMs, this.#clock.now());
  }

  /**
   * Sends a request whose answer does not end, over a connection of its own: a hanging one must not take a place that lookups need.
   *
   * @throws BridgeError as openStream
   */
  async stream(operation: EwsOperation, body: XmlNode, manner: RequestManner, silenceMs: number, signal: AbortSignal): Promise<HttpStream> {
    const servers = await this.#list.get(signal);
    const lane = manner.at ?? nextLane(this.#knowledge, servers, this.#accounts, new Tries(), this.#clock.now())?.lane;
    if (lane === undefined) throw nobodyLeft(this.#knowledge, servers, this.#accounts, this.#clock.now());
    try {
      return await this.#clients.stream(lane, operation, body, manner, silenceMs, signal);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (error.code === 'BACKEND_REDIRECT' || signal.aborted) throw error;
      this.#note(lane, error, verdictOf(error, signal.aborted), this.#clock.now());
      throw this.#lostAt(lane, error) ?? error;
    }
  }

  /** Ends all connections; safe to call twice. */
  async close(): Promise<void> {
    this.#list.close();
    await this.#clients.close();
  }

  /** Where others are left, one that does not answer must not eat the whole time: it gets its share of what is left. */
  async #inShare<T>(serversLeft: number, ctx: RequestContext, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (serversLeft <= 1) return ask(ctx.signal);
    return within(Math.min(LIMITS.ewsLongestShareMs, Math.max(0, ctx.deadline - this.#clock.now()) / serversLeft), ctx.signal, ask);
  }

  /** Asks one account at one server, and remembers what that says about them. */
  async #ask(lane: EwsLane, operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange, question: Question): Promise<SoapEnvelope> {
    lane.server.tried(this.#clock.now());
    lane.usedAt = this.#knowledge.nextUse();
    lane.inFlight += 1;
    try {
      return await lane.account.oneFirst(exchange.ctx.signal, () => this.#askNow(lane, operation, body, exchange, question));
    } finally {
      lane.inFlight -= 1;
    }
  }

  async #askNow(lane: EwsLane, operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange, question: Question, isAgain = false): Promise<SoapEnvelope> {
    const startedAt = this.#clock.now();
    try {
      const envelope = await this.#clients.send(lane, operation, body, exchange);
      this.#answered(lane);
      return envelope;
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (!this.#isSlowDown(lane, error)) throw this.#note(lane, error, verdictOf(error, question.isOver()), startedAt, exchange);
      // A 401 under load, of an account that was let in a moment ago: asked once more where nobody else can be.
      if (isAgain || question.hasOther() || WRITES.has(operation)) throw this.#suspect(lane, error);
      await pause(LIMITS.ewsSlowDownMs, exchange.ctx.signal);
      if (exchange.ctx.signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: error });
      return this.#askNow(lane, operation, body, exchange, question, true);
    }
  }

  /** Only where its subscription is. Where that is gone, and somebody else is left, the subscription is gone too: it is made anew elsewhere. */
  async #callPinned(lane: EwsLane, operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange): Promise<SoapEnvelope> {
    const { signal, deadline } = exchange.ctx;
    // Its own time may be over, which is the server's fault; or everything, which is nobody's.
    const isOver = (): boolean => signal.aborted && deadline - this.#clock.now() > TIMER_SLACK_MS;
    try {
      return await this.#ask(lane, operation, body, exchange, { isOver, hasOther: () => false });
    } catch (thrown) {
      const error = toBridgeError(thrown);
      throw (isOver() ? undefined : this.#lostAt(lane, error)) ?? error;
    }
  }

  #lostAt(lane: EwsLane, error: BridgeError): BridgeError | undefined {
    const verdict = verdictOf(error, false);
    const isGone = verdict === 'server' || verdict === 'unavailable' ? this.#list.known.some((one) => one !== lane.server && !one.isAside(this.#clock.now())) : verdict === 'account' && this.#accounts.some((one) => one !== lane.account && !one.isRefused(this.#clock.now()));
    return isGone ? new BridgeError('BACKEND_FAULT', 'where the subscription was made nobody answers', { temporary: true, details: { responseCode: 'ErrorSubscriptionNotFound', reason: SERVER_GONE }, cause: error }) : undefined;
  }

  #isSlowDown(lane: EwsLane, error: BridgeError): boolean {
    if (verdictOf(error, false) !== 'account' || error.details['status'] !== 401 || error.details['isUnjudged'] === true) return false;
    const now = this.#clock.now();
    return now - lane.workedAt < LIMITS.ewsLatelyMs && (lane.suspectedUntil === undefined || now < lane.suspectedUntil);
  }

  /** "Slow down" said with a 401: busy, this once. */
  #suspect(lane: EwsLane, error: BridgeError): BridgeError {
    const now = this.#clock.now();
    const retryAfterMs = this.#toWait(lane, undefined, now, true);
    lane.suspectedUntil ??= now + retryAfterMs;
    return new BridgeError('BACKEND_BUSY', 'the calendar system is too busy', { temporary: true, retryAfterMs, details: { ...error.details, reason: 'a 401 though the account was let in lately' }, cause: error });
  }

  #toWait(lane: EwsLane, ms: number | undefined, now: Instant, isFirm?: true): number {
    const waitMs = lane.toldToWait(ms, now, isFirm);
    if (lane.isFirmlyQuiet(now)) this.#clients.loadOf(lane)?.holdOff(waitMs);
    return waitMs;
  }

  #answered(lane: EwsLane): void {
    const now = this.#clock.now();
    if (lane.server.answered(now) && this.#list.known.length > 1) this.#logger?.info({ protocol: 'ews', address: lane.server.url.host, outcome: 'back' }, 'a server answers again');
    lane.worked(now);
  }

  /** Remembers what an error says about server and account; gives the error with what follows from it. */
  #note(lane: EwsLane, error: BridgeError, verdict: Verdict, startedAt: Instant, exchange?: Exchange): BridgeError {
    const now = this.#clock.now();
    const hasOthers = this.#accounts.length > 1;
    switch (verdict) {
      case 'server':
        // Silent to one question while it answered others: the question, or our own queue, is what is slow.
        if (error.code !== 'DEADLINE' || lane.server.answeredAt < startedAt) this.#serverFailed(lane, error, startedAt);
        return error;
      case 'account':
        lane.server.answered(now);
        if ((hasOthers || mayLock(error)) && lane.account.refused(error, now, startedAt) && hasOthers) this.#logger?.warn({ protocol: 'ews', address: lane.server.url.host, client: lane.account.name, code: error.code, reason: reasonOf(error) }, 'an account is refused and left out for a while');
        return error;
      case 'unavailable':
        if (this.#list.known.length > 1) this.#serverFailed(lane, error, startedAt);
        return this.#busy(lane, error, exchange, now);
      case 'busy':
        lane.server.answered(now);
        return this.#busy(lane, error, exchange, now);
      case 'unasked':
        return error;
      case 'question':
        if (error.details['responseCode'] !== undefined) this.#answered(lane);
        return error;
    }
  }

  #busy(lane: EwsLane, error: BridgeError, exchange: Exchange | undefined, now: Instant): BridgeError {
    // The throttling of whoever is impersonated is the owner's; who watches calendars has a gate of its own.
    if (exchange?.manner?.blocks !== undefined) return error;
    if (error.details['responseCode'] === 'ErrorExceededConnectionCount') this.#clients.refusedConnection(lane);
    const retryAfterMs = this.#toWait(lane, error.retryAfterMs, now);
    return new BridgeError('BACKEND_BUSY', error.publicMessage, { temporary: true, retryAfterMs, details: error.details, cause: error });
  }

  #serverFailed(lane: EwsLane, error: BridgeError, startedAt: Instant): void {
    if (lane.server.failed(startedAt, this.#clock.now()) && this.#list.known.length > 1) this.#logger?.warn({ protocol: 'ews', address: lane.server.url.host, code: error.code, reason: reasonOf(error) }, 'a server does not answer and is put aside for a while');
  }
}

/** `details.reason` of a subscription whose server or account is gone. */
export const SERVER_GONE = 'its server or account is gone';

/** What is known of the question of which one request is a part. */
interface Question {
  /** Nobody waits for an answer any more. */
  readonly isOver: () => boolean;
  /** Somebody else could be asked instead. */
  readonly hasOther: () => boolean;
}

/** By so much a timer and the clock may differ. */
const TIMER_SLACK_MS = 20;

const NO_SERVER_YET: SizeLimits = { mailboxes: LIMITS.ewsMailboxesPerRequest, days: LIMITS.upstreamWindowDays, intervalMinutes: undefined };

function reasonOf({ details, publicMessage }: BridgeError): string {
  return String(details['reason'] ?? details['responseCode'] ?? details['status'] ?? publicMessage);
}
