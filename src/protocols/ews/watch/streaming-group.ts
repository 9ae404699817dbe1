import { pauseAfter } from '../../../core/back-off.ts';
import type { Pauses } from '../../../core/back-off.ts';
import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { OVER } from '../../../core/over.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { readXml, XmlError } from '../../../platform/xml/read.ts';
import { decodeEnvelope } from '../../soap/envelope.ts';
import { decodeAnswer } from '../answer.ts';
import { STREAMING_SERVER_VERSION } from '../names.ts';
import { decodeFaultError } from '../response-message.ts';
import type { EwsLane } from '../servers/knowledge.ts';
import { EnvelopeSplitter } from './envelope-splitter.ts';
import { actionFor } from './error-action.ts';
import { decodeStreamingEvents, encodeGetStreamingEvents } from './get-streaming-events.ts';
import { encodeImpersonation } from '../impersonation.ts';
import type { Subscription, WayEvents } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface StreamTiming {
  /** New subscriptions are gathered for so long. */
  readonly settleMs: number;
  readonly silenceMs: number;
  readonly pauses: Pauses;
}

export interface StreamingGroupOptions {
  readonly wire: WatchWire;
  readonly events: WayEvents;
  readonly timing: StreamTiming;
  readonly isWaiting: () => boolean;
  /** In whose name the stream is opened, so that its limit of hanging connections is the owner's and not our account's, and whose server has the subscriptions. */
  readonly anchor: MailboxAddress;
  /** The server and account of all of it: subscriptions and their stream live in one place. Undefined: where the first one comes to be made. */
  readonly at: EwsLane | undefined;
  readonly isAlone: boolean;
}

interface Open {
  readonly stop: AbortController;
  /** Those that it was opened with. */
  readonly members: ReadonlyMap<string, Subscription>;
  readonly done: Promise<void>;
}

/** Up to 200 subscriptions that are told of in one answer without end. */
export class StreamingGroup {
  readonly isAlone: boolean;
  readonly #options: StreamingGroupOptions;
  readonly #members = new Map<string, Subscription>();
  #reserved = 0;
  /** When it is (re)opened; undefined: not at all. */
  #openAt: number | undefined;
  #open: Open | undefined;
  #failures = 0;
  /** In a row, without a word of the server in between. */
  #breaks = 0;
  #isClosed = false;
  #isRetired = false;
  #cookies = '';
  #at: EwsLane | undefined;

  constructor(options: StreamingGroupOptions) {
    this.#options = options;
    this.isAlone = options.isAlone;
    this.#at = options.at;
  }

  get at(): EwsLane | undefined {
    return this.#at;
  }

  noteLane(lane: EwsLane): void {
    this.#at ??= lane;
  }

  /** Its server or account is gone: nobody new is taken in. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Nobody new is taken in: its anchor cannot be impersonated any more. */
  get isRetired(): boolean {
    return this.#isClosed || this.#isRetired;
  }

  /** With the places that are being filled. */
  get size(): number {
    return this.#members.size + this.#reserved;
  }

  reserve(): void {
    this.#reserved += 1;
  }

  release(): void {
    this.#reserved -= 1;
  }

  /** What keeps all of a group on one server of Exchange 2013 and later (presence.md §B.2). */
  affinity(): Readonly<Record<string, string>> {
    return { 'x-anchormailbox': this.#options.anchor, 'x-preferserveraffinity': 'true', ...(this.#cookies === '' ? {} : { cookie: this.#cookies }) };
  }

  noteCookies(cookies: readonly string[]): void {
    const found = cookies.map((one) => one.split(';', 1)[0]!.trim()).find((one) => /^X-BackEndOverrideCookie=[\x21-\x7e]{1,2000}$/i.test(one));
    if (found !== undefined) this.#cookies = found;
  }

  add(subscription: Subscription): void {
    this.#members.set(subscription.id, subscription);
    this.#openAt ??= this.#now() + this.#options.timing.settleMs;
    if (this.#openAt === this.#now()) this.tick();
  }

  /** The stream goes on without it: what is said about it is nobody's. */
  remove(subscription: Subscription): void {
    if (this.#members.get(subscription.id) === subscription) this.#members.delete(subscription.id);
  }

  tick(): void {
    if (this.#isClosed || this.#openAt === undefined || this.#openAt > this.#now() || this.#options.isWaiting()) return;
    this.#openAt = undefined;
    if (this.#members.size === 0) return;
    const before = this.#open;
    before?.stop.abort(OVER);
    // What was on its way over the old stream is lost with it.
    for (const member of before?.members.values() ?? []) member.isInterrupted = true;
    const stop = new AbortController();
    const members = new Map(this.#members);
    const done = this.#run(members, stop.signal, before?.done);
    this.#open = { stop, members, done };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#open?.stop.abort(OVER);
    await this.#open?.done;
  }

  #now(): number {
    return this.#options.wire.clock.now();
  }

  async #run(members: ReadonlyMap<string, Subscription>, signal: AbortSignal, before: Promise<void> | undefined): Promise<void> {
    await before;
    const openedAt = this.#now();
    const settle = (): void => {
      if (this.#now() - openedAt > this.#options.timing.pauses.longestMs) this.#failures = 0;
      else this.#failures += 1;
    };
    try {
      await this.#read(members, signal);
      // Closed as agreed: Exchange keeps what happens until the next stream. One that closes at once, again and again, is not asked faster and faster.
      settle();
      // Nothing of it is on its way any more.
      if (this.#open?.members === members) this.#open = undefined;
      this.#reopen(signal, this.#failures === 0 ? 0 : pauseAfter(this.#failures, this.#options.timing.pauses));
    } catch (thrown) {
      if (signal.aborted || this.#isClosed) return;
      settle();
      this.#broke(members, toBridgeError(thrown), signal);
    }
  }

  #reopen(signal: AbortSignal, pauseMs: number): void {
    if (signal.aborted || this.#isClosed) return;
    this.#openAt = Math.min(this.#openAt ?? Infinity, this.#now() + pauseMs);
    // Not from within its own end.
    if (pauseMs === 0) setImmediate(() => this.tick());
  }

  /** What was said while nobody listened may be lost. Those that Exchange has forgotten are made again by whoever hears of it; with the others it is opened again. */
  #broke(members: ReadonlyMap<string, Subscription>, error: BridgeError, signal: AbortSignal): void {
    const { events, timing, anchor } = this.#options;
    const action = actionFor(error);
    const isOfAll = action !== 'retry' && action !== 'wait' && action !== 'sign-in';
    this.#isRetired ||= action === 'mailbox';
    let first = true;
    for (const member of members.values()) {
      if (member.isOver) continue;
      member.isInterrupted = true;
      // The gate need be told once, each subscription that is lost by itself; what is said of the anchor's mailbox is nothing to the others.
      if (isOfAll || (first && action !== 'retry')) events.failed(member, action === 'mailbox' && member.mailbox !== anchor ? LOST : error);
      first = false;
    }
    this.#breaks += 1;
    // It is no passing thing: what was read before is not believed on the word of a stream that is not there.
    if (this.#breaks === BREAKS_BEFORE_DOUBT) for (const member of members.values()) if (!member.isOver) events.changed(member, 'missed');
    this.#reopen(signal, pauseAfter(Math.max(1, this.#failures), timing.pauses));
  }

  async #read(members: ReadonlyMap<string, Subscription>, signal: AbortSignal): Promise<void> {
    const { wire, timing, anchor } = this.#options;
    const ids = [...members.values()].filter((one) => !one.isOver).map((one) => one.id);
    if (ids.length === 0 || signal.aborted) return;
    const manner = { version: STREAMING_SERVER_VERSION, blocks: [encodeImpersonation(anchor)], headers: this.affinity(), ...(this.#at === undefined ? {} : { at: this.#at }) } as const;
    const stream = await wire.connection.stream('GetStreamingEvents', encodeGetStreamingEvents(ids, LIMITS.ewsStreamMinutes), manner, timing.silenceMs, signal).catch(notRedirected);
    try {
      if (stream.status !== 200) {
        const { fault } = await decodeAnswer({ status: stream.status, headers: stream.headers, body: await stream.whole() });
        throw fault === undefined ? new BridgeError('BACKEND_FAULT', 'the calendar system refused the request', { details: { status: stream.status }, temporary: true }) : decodeFaultError(fault);
      }
      const splitter = new EnvelopeSplitter(LIMITS.ewsStreamEnvelopeBytes);
      let bytes = 0;
      for await (const chunk of stream.chunks) {
        bytes += chunk.length;
        if (bytes > LIMITS.ewsStreamBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'the stream is too large', { details: { limitBytes: LIMITS.ewsStreamBytes } });
        for (const envelope of splitter.push(chunk)) if (await this.#envelope(envelope, members)) return;
      }
      // An answer that ends without Closed: the server, or something in between, has cut it.
      throw new BridgeError('BACKEND_MALFORMED', splitter.isBetween ? 'the stream ended without a word' : 'the stream broke off', { temporary: true });
    } finally {
      await stream.close();
    }
  }

  /** Whether the server has closed the stream with it. */
  async #envelope(bytes: Buffer, members: ReadonlyMap<string, Subscription>): Promise<boolean> {
    const { wire, events } = this.#options;
    const { body, fault } = await readEnvelope(bytes);
    if (fault !== undefined) throw decodeFaultError(fault);
    const { notifications, error, failedIds, isClosed } = decodeStreamingEvents(body);
    const now = this.#now();
    wire.heardAt = now;
    if (error !== undefined && failedIds.length === 0) throw error;
    for (const id of failedIds) {
      const member = members.get(id);
      if (member !== undefined && !member.isOver && error !== undefined) events.failed(member, error);
    }
    if (error === undefined) this.#alive(members, now);
    for (const { subscriptionId, isChange } of notifications) {
      const member = members.get(subscriptionId);
      if (member !== undefined && !member.isOver && isChange) events.changed(member, 'notified');
    }
    return isClosed;
  }

  #alive(members: ReadonlyMap<string, Subscription>, now: number): void {
    const { events } = this.#options;
    this.#breaks = 0;
    for (const member of members.values()) {
      if (member.isOver) continue;
      member.heardAt = now;
      const wasInterrupted = member.isInterrupted;
      member.isInterrupted = false;
      if (!member.isProved) events.heard(member);
      if (wasInterrupted) events.changed(member, 'missed');
    }
  }
}

const BREAKS_BEFORE_DOUBT = 3;

/** A stream follows no redirect; other requests may, so that another way may work. */
function notRedirected(error: unknown): never {
  if (error instanceof BridgeError && error.code === 'BACKEND_REDIRECT') throw new BridgeError('UNSUPPORTED', 'streams are redirected', { details: error.details });
  throw error;
}

const LOST = new BridgeError('BACKEND_FAULT', 'the stream that told of it cannot be opened', { temporary: true, details: { responseCode: 'ErrorSubscriptionNotFound' } });

/** @throws BridgeError BACKEND_MALFORMED */
async function readEnvelope(bytes: Buffer): Promise<ReturnType<typeof decodeEnvelope>> {
  try {
    return decodeEnvelope(await readXml(bytes));
  } catch (error) {
    if (error instanceof XmlError) throw new BridgeError('BACKEND_MALFORMED', 'a part of the stream is not SOAP', { temporary: true, cause: error });
    throw error;
  }
}
