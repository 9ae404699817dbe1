import { setMaxListeners } from 'node:events';
import type { Clock, Instant } from '../core/clock.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Metrics } from '../core/metrics.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusyResult } from '../freebusy/source.ts';
import { AnswerCache } from './answer-cache.ts';
import type { GoodResult } from './answer-cache.ts';
import { Flights } from './flights.ts';
import type { Flight } from './flights.ts';
import { narrowed } from './narrowed.ts';
import { holds, isEnoughFor } from './question.ts';
import type { SystemQuestion } from './question.ts';
import type { HomeSystem } from './routing.ts';

export interface AnswersOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Whether changes of this mailbox are heard of as they happen; when in doubt not. */
  readonly isFollowed?: ((system: string, mailbox: MailboxAddress) => boolean) | undefined;
}

/** What came of one question to one system. */
export interface Answered {
  /** One for each mailbox of the question; errors stand here even where something older is given instead. */
  readonly results: ReadonlyMap<MailboxAddress, FreeBusyResult>;
  /** What is given instead of an error: known last, with its age. */
  readonly stale: ReadonlyMap<MailboxAddress, GoodResult>;
  /** Mailboxes that were asked about because of this question; others waited with somebody else's, or were known. */
  readonly asked: ReadonlySet<MailboxAddress>;
}

/**
 * Asks systems no more than they have to be asked: what was answered a moment ago is given again, a question under way is joined mailbox by mailbox, and what is left of a question goes out in
 * one. Where a system does not answer, what it said last is given to those who may have it. Below the exit: what comes from here has not been cut down to anybody's rights.
 */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #cache: AnswerCache;
  readonly #flights: Flights;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.clock);
    this.#flights = new Flights(options.clock);
  }

  /** Never throws. @param until when whoever asks gives up (epoch ms) */
  async ask(home: HomeSystem, question: SystemQuestion, until: Instant, ctx: RequestContext): Promise<Answered> {
    const results = new Map<MailboxAddress, FreeBusyResult>();
    const asked = new Set<MailboxAddress>();
    // With --explain everyone wants to see their own question on the wire.
    const isAnew = ctx.fresh === true || ctx.explain !== undefined;
    const open = isAnew ? question.mailboxes : question.mailboxes.filter((mailbox) => question.withheld?.has(mailbox) === true || !this.#isKnown(home, mailbox, question, results));
    const tried = await this.#fly(home, open, question, until, ctx, isAnew, results, asked);
    // What failed because somebody else's question was larger, or less patient, is no answer to this one.
    const again = [...tried].filter(([mailbox, flight]) => !asked.has(mailbox) && failedForOthers(results.get(mailbox)!, flight, question) && !ctx.signal.aborted && until - this.#options.clock.now() >= LIMITS.worthAskingMs);
    if (again.length > 0) await this.#fly(home, again.map(([mailbox]) => mailbox), question, until, ctx, false, results, asked);
    const stale = ctx.fresh === true ? new Map<MailboxAddress, GoodResult>() : this.#stale(home, question, results, ctx);
    for (const [how, count] of Object.entries({ hit: question.mailboxes.length - open.length, joined: open.length - asked.size, miss: asked.size, stale: stale.size })) {
      if (count > 0) this.#options.metrics.answered(home.name, how as 'hit' | 'joined' | 'miss' | 'stale', count);
    }
    return { results, stale, asked };
  }

  /** What was asked before that answers nobody who asks from now on, and what is kept of it nobody at all: it is known to be wrong. */
  changed(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    this.#flights.retire(system, mailboxes);
    this.#cache.forget(system, mailboxes);
  }

  #isKnown(home: HomeSystem, mailbox: MailboxAddress, question: SystemQuestion, results: Map<MailboxAddress, FreeBusyResult>): boolean {
    const isFollowed = home.cacheForMs === undefined && this.#options.isFollowed?.(home.name, mailbox) === true;
    const freshMs = home.cacheForMs ?? (isFollowed ? LIMITS.followedFreshMs : LIMITS.freshMs);
    const known = this.#cache.fresh(home.name, mailbox, question.window, question, freshMs);
    if (known !== undefined) results.set(mailbox, known);
    return known !== undefined;
  }

  /** Joins what is under way, asks about the rest in one question, and waits for all of it. @returns with whom each mailbox flew */
  async #fly(
    home: HomeSystem,
    mailboxes: readonly MailboxAddress[],
    question: SystemQuestion,
    until: Instant,
    ctx: RequestContext,
    isAnew: boolean,
    results: Map<MailboxAddress, FreeBusyResult>,
    asked: Set<MailboxAddress>,
  ): Promise<ReadonlyMap<MailboxAddress, Flight>> {
    const tried = new Map<MailboxAddress, Flight>();
    const missing: MailboxAddress[] = [];
    for (const mailbox of mailboxes) {
      const flight = isAnew || question.withheld?.has(mailbox) === true ? undefined : this.#flights.find(home.name, mailbox, question.window, question);
      if (flight === undefined) missing.push(mailbox);
      else tried.set(mailbox, flight);
    }
    if (missing.length > 0) {
      const own = this.#begin(home, { ...question, mailboxes: missing }, until, ctx);
      for (const mailbox of missing) {
        tried.set(mailbox, own);
        asked.add(mailbox);
      }
    }
    const flights = [...new Set(tried.values())];
    // One listener for each: no leak, whatever Node thinks of more than ten.
    if (flights.length > 1) setMaxListeners(0, ctx.signal);
    await Promise.all(
      flights.map(async (flight) => {
        const given = await this.#wait(flight, until, ctx.signal);
        for (const [mailbox, with_] of tried) if (with_ === flight) results.set(mailbox, overWindow(given instanceof BridgeError ? { mailbox, error: given } : given.get(mailbox)!, question));
      }),
    );
    return tried;
  }

  #begin(home: HomeSystem, question: SystemQuestion, until: Instant, ctx: RequestContext): Flight {
    const { metrics } = this.#options;
    const { mailboxes, window, details, workingHours } = question;
    const ask = async (signal: AbortSignal, deadline: Instant): Promise<readonly FreeBusyResult[]> => {
      const started = performance.now();
      try {
        return checked(await home.system.freeBusy({ mailboxes, window, details, ...(workingHours ? { workingHours } : {}) }, { ...ctx, signal, deadline }), question);
      } finally {
        metrics.upstream(home.name, Math.round(performance.now() - started));
      }
    };
    const onResult = (result: FreeBusyResult, begunAt: Instant): void => {
      if (!('error' in result)) {
        if (home.cacheForMs !== 0 || (home.staleForMs ?? 0) > 0) this.#cache.keep(home.name, question, begunAt, result);
      }
      // Whoever has gone or may not be read any more is not shown as they were.
      else if (DISPROVED.has(result.error.code)) this.#cache.forget(home.name, [result.mailbox]);
    };
    return this.#flights.begin({ system: home.name, question, until, isShared: ctx.explain === undefined, ask, onResult });
  }

  async #wait(flight: Flight, until: Instant, signal: AbortSignal): Promise<ReadonlyMap<MailboxAddress, FreeBusyResult> | BridgeError> {
    try {
      return await this.#flights.wait(flight, until, signal);
    } catch (thrown) {
      return toBridgeError(thrown);
    }
  }

  #stale(home: HomeSystem, question: SystemQuestion, results: ReadonlyMap<MailboxAddress, FreeBusyResult>, { saysAge }: RequestContext): ReadonlyMap<MailboxAddress, GoodResult> {
    const forAll = home.staleForMs ?? 0;
    // Whoever wants nothing kept wants nobody to be given anything that is, unless it says so.
    const isTold = saysAge === true && home.cacheForMs !== 0;
    const maxAgeMs = isTold ? Math.max(forAll, LIMITS.staleForToldMs) : forAll;
    const stale = new Map<MailboxAddress, GoodResult>();
    if (maxAgeMs === 0) return stale;
    for (const result of results.values()) {
      if (!('error' in result) || !DID_NOT_ANSWER.has(result.error.code) || question.withheld?.has(result.mailbox) === true) continue;
      const kept = this.#cache.stale(home.name, result.mailbox, question.window, question, maxAgeMs);
      if (kept !== undefined) stale.set(result.mailbox, kept);
    }
    return stale;
  }
}

/** The system has not said anything about the mailbox, so what it said last may still be so. */
const DID_NOT_ANSWER: ReadonlySet<ErrorCode> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_BUSY', 'BACKEND_REDIRECT', 'BACKEND_FAULT', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'DEADLINE']);

/** The system has said that it gives nothing about the mailbox. */
const DISPROVED: ReadonlySet<ErrorCode> = new Set(['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED']);

/** Failures that a smaller question may not meet; a system that is away or busy is so for everybody. */
const BY_SIZE: ReadonlySet<ErrorCode> = new Set(['BACKEND_FAULT', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE']);

function failedForOthers(result: FreeBusyResult, { question }: Flight, own: SystemQuestion): boolean {
  if (!('error' in result)) return false;
  if (result.error.code === 'DEADLINE') return true;
  const isLarger = question.mailboxes.length > 1 || !holds(own.window, question.window) || !isEnoughFor(question, own);
  return BY_SIZE.has(result.error.code) && isLarger;
}

function overWindow(result: FreeBusyResult, { window }: SystemQuestion): FreeBusyResult {
  return 'error' in result ? result : { ...result, freeBusy: narrowed(result.freeBusy, window) };
}

/** A client that breaks the port's contract must not shift one person's time to another. An answer about another window says nothing of what it does not reach. */
function checked(results: readonly FreeBusyResult[], question: SystemQuestion): readonly FreeBusyResult[] {
  const right = results.length === question.mailboxes.length && question.mailboxes.every((mailbox, index) => results[index]!.mailbox === mailbox);
  if (!right) throw new BridgeError('INTERNAL', 'internal error', { details: { reason: 'results out of order' } });
  return results.map((result) => overWindow(result, question));
}
