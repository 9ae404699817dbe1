import type { Clock, Instant } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import { OVER } from '../core/over.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Interval } from '../freebusy/interval.ts';
import type { FreeBusyResult } from '../freebusy/source.ts';
import { holds, isEnoughFor, placeOf } from './question.ts';
import type { QuestionKind, SystemQuestion } from './question.ts';

/** One question that is on its way to a system. */
export interface Flight {
  readonly question: SystemQuestion;
  readonly begunAt: Instant;
  /** Never rejects: a question that failed as a whole failed for each mailbox. */
  readonly results: Promise<ReadonlyMap<MailboxAddress, FreeBusyResult>>;
}

interface Call extends Flight {
  readonly system: string;
  readonly controller: AbortController;
  /** Of these nothing has changed since it was begun; empty once it has ended. */
  readonly current: Set<MailboxAddress>;
  waiters: number;
  until: Instant;
  timer: NodeJS.Timeout | undefined;
}

export interface FlightPlan {
  readonly system: string;
  readonly question: SystemQuestion;
  /** When whoever begins it gives up (epoch ms). */
  readonly until: Instant;
  /** Others may join it. */
  readonly isShared: boolean;
  readonly ask: (signal: AbortSignal, until: Instant) => Promise<readonly FreeBusyResult[]>;
  /** Told once of every mailbox of which nothing has changed since the question was begun, before anybody who waits; not where the call was given up. */
  readonly onResult: (result: FreeBusyResult, begunAt: Instant) => void;
}

/**
 * The questions under way, so that one about the same mailbox joins instead of asking again, also where the two share nothing else. A call lives as long as its most patient waiter; when the
 * last one has gone it is aborted. Nothing is kept once it has ended.
 */
export class Flights {
  readonly #clock: Clock;
  /** By `placeOf`, the newest last; shared calls only. */
  readonly #byPlace = new Map<string, readonly Call[]>();
  readonly #calls = new Set<Call>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The newest call under way that will say all that is wanted. */
  find(system: string, mailbox: MailboxAddress, window: Interval, kind: QuestionKind): Flight | undefined {
    return this.#byPlace.get(placeOf(system, mailbox))?.findLast(({ question }) => isEnoughFor(kind, question) && holds(question.window, window));
  }

  begin({ system, question, until, isShared, ask, onResult }: FlightPlan): Flight {
    const controller = new AbortController();
    const begunAt = this.#clock.now();
    const results = answered(question, async () => ask(controller.signal, until)).then((all) => {
      for (const result of all.values()) if (call.current.has(result.mailbox)) onResult(result, begunAt);
      this.#end(call);
      return all;
    });
    const call: Call = { system, question, begunAt, results, controller, current: new Set(question.mailboxes), waiters: 0, until, timer: undefined };
    call.timer = this.#endAt(call);
    this.#calls.add(call);
    if (isShared) for (const mailbox of question.mailboxes) this.#byPlace.set(placeOf(system, mailbox), [...(this.#byPlace.get(placeOf(system, mailbox)) ?? []), call]);
    return call;
  }

  /**
   * @param until when this waiter gives up (epoch ms)
   * @param signal this waiter has gone
   * @throws BridgeError DEADLINE when this waiter's time is over
   */
  async wait(flight: Flight, until: Instant, signal: AbortSignal): Promise<ReadonlyMap<MailboxAddress, FreeBusyResult>> {
    const call = flight as Call;
    call.waiters += 1;
    if (until > call.until) {
      call.until = until;
      clearTimeout(call.timer);
      if (this.#calls.has(call)) call.timer = this.#endAt(call);
    }
    try {
      return await untilAborted(call.results, signal, Math.max(0, until - this.#clock.now()) + GRACE_MS);
    } finally {
      call.waiters -= 1;
      if (call.waiters === 0) this.#end(call);
    }
  }

  /** What is under way about these mailboxes of a system, or all of it, or everything, is for those who wait for it already: whoever asks from now on starts anew. */
  retire(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    for (const call of this.#calls) {
      if (system !== undefined && call.system !== system) continue;
      for (const mailbox of mailboxes ?? [...call.current]) this.#forget(call, mailbox);
    }
  }

  #end(call: Call): void {
    clearTimeout(call.timer);
    if (!this.#calls.delete(call)) return;
    call.controller.abort(OVER);
    for (const mailbox of [...call.current]) this.#forget(call, mailbox);
  }

  #forget(call: Call, mailbox: MailboxAddress): void {
    if (!call.current.delete(mailbox)) return;
    const place = placeOf(call.system, mailbox);
    const others = this.#byPlace.get(place)?.filter((one) => one !== call) ?? [];
    if (others.length === 0) this.#byPlace.delete(place);
    else this.#byPlace.set(place, others);
  }

  #endAt(call: Call): NodeJS.Timeout {
    return setTimeout(() => this.#end(call), Math.max(0, call.until - this.#clock.now()));
  }
}

async function answered({ mailboxes }: SystemQuestion, ask: () => Promise<readonly FreeBusyResult[]>): Promise<ReadonlyMap<MailboxAddress, FreeBusyResult>> {
  try {
    return new Map((await ask()).map((result) => [result.mailbox, result]));
  } catch (thrown) {
    const error = toBridgeError(thrown);
    return new Map(mailboxes.map((mailbox) => [mailbox, { mailbox, error }]));
  }
}

/** A call that ends itself at the same deadline may still bring what it has: it gets this much longer than its waiters' time. */
const GRACE_MS = 30;
