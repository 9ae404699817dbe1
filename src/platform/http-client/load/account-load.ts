import { setMaxListeners } from 'node:events';
import type { Clock, Instant } from '../../../core/clock.ts';
import { SECOND_MS } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { BackEndRefusal } from '../../../core/metrics.ts';
import type { BackEndLoad, Turn, TurnOutcome } from './back-end-load.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { QuietTime } from './quiet-time.ts';

export interface AccountLoadOptions {
  readonly clock: Clock;
  /** The server's; its accounts share it. */
  readonly breaker: CircuitBreaker;
  readonly concurrency: number;
  /** How many wait, over all back ends. */
  readonly waiting: { total: number };
  readonly onRefused: (reason: BackEndRefusal) => void;
}

/** Who waits for a turn; in the order in which they came. */
interface Waiter {
  readonly deadline: Instant | undefined;
  readonly signal: AbortSignal;
  readonly gone: () => void;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (error: BridgeError) => void;
}

/**
 * One account at one server: so many requests at the same time, the others wait in a bounded queue. Whoever would get a turn too late hears so at once: a late answer helps
 * nobody, and costs the server as much as a timely one. One question sends a few parts at a time only (LIMITS.partsInFlight), so a large one takes no more places than four small ones.
 */
export class AccountLoad implements BackEndLoad {
  readonly #options: AccountLoadOptions;
  readonly #waiting = new Set<Waiter>();
  readonly #heldOff: QuietTime;
  #configured: number;
  #concurrency: number;
  #inFlight = 0;
  /** Moving mean of how long the server takes; undefined: it has not answered yet. */
  #meanMs: number | undefined;
  #usedAt: Instant;

  constructor(options: AccountLoadOptions) {
    this.#options = options;
    this.#heldOff = new QuietTime(options.clock);
    this.#configured = options.concurrency;
    this.#concurrency = bounded(options.concurrency);
    this.#usedAt = options.clock.now();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get concurrency(): number {
    return this.#concurrency;
  }

  /** When it was last asked for (epoch ms). */
  get usedAt(): Instant {
    return this.#usedAt;
  }

  /** Nothing would be lost with it but how long the server takes. */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#waiting.size === 0 && this.#heldOff.leftMs() === 0;
  }

  heldOffUntil(): Instant | undefined {
    return this.#heldOff.until();
  }

  async enter(signal: AbortSignal, deadline?: Instant): Promise<Turn> {
    this.#usedAt = this.#options.clock.now();
    if (signal.aborted) throw outOfTime();
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    if (this.#inFlight < this.#concurrency) return this.#begin(deadline);
    const full = this.#queueRefusal(deadline);
    if (full !== undefined) throw full;
    return new Promise<Turn>((resolve, reject) => {
      const waiter: Waiter = { deadline, signal, resolve, reject, gone: () => this.#leave(waiter) && reject(outOfTime()) };
      this.#waiting.add(waiter);
      this.#options.waiting.total += 1;
      // A signal of the bridge's own life may have all of its work listening.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', waiter.gone, { once: true });
    });
  }

  holdOff(ms: number): void {
    if (!(ms > 0)) return;
    this.#heldOff.extend(ms);
    this.refuseWaiting();
  }

  setConcurrency(most: number): void {
    this.#concurrency = bounded(most);
    this.#next();
  }

  /** What is configured; only a change of it undoes what was learnt. */
  configure(concurrency: number): void {
    if (concurrency === this.#configured) return;
    this.#configured = concurrency;
    this.setConcurrency(concurrency);
  }

  /** Nothing may be asked any more: who waits need not. */
  refuseWaiting(): void {
    for (const waiter of this.#waiting) {
      const refusal = this.#refusal();
      if (refusal === undefined) return;
      this.#leave(waiter);
      waiter.reject(refusal);
    }
  }

  #leave(waiter: Waiter): boolean {
    waiter.signal.removeEventListener('abort', waiter.gone);
    if (!this.#waiting.delete(waiter)) return false;
    this.#options.waiting.total -= 1;
    return true;
  }

  /** Lets in who may. */
  #next(): void {
    for (const waiter of this.#waiting) {
      if (this.#inFlight >= this.#concurrency) return;
      if (this.#refusal('quiet') !== undefined) return this.refuseWaiting();
      this.#leave(waiter);
      // Half the usual time may still do; with less it would be late, and somebody else would be later for it.
      if (this.#leftMs(waiter.deadline) < (this.#meanMs ?? 0) / 2) waiter.reject(this.#busy('too-late'));
      else waiter.resolve(this.#begin(waiter.deadline));
    }
  }

  #begin(deadline: Instant | undefined): Turn {
    const { clock, breaker } = this.#options;
    const passage = breaker.begin();
    const begun = clock.now();
    let isOver = false;
    this.#inFlight += 1;
    return {
      done: (outcome) => {
        if (isOver) return;
        isOver = true;
        this.#inFlight -= 1;
        const tookMs = Math.max(0, clock.now() - begun);
        this.#learn(outcome, tookMs);
        breaker.end(passage, this.#verdict(outcome, tookMs, deadline, passage.isTrial));
        this.#next();
      },
    };
  }

  #learn(outcome: TurnOutcome, tookMs: number): void {
    const mean = this.#meanMs ?? tookMs;
    // What was not answered would have taken longer still; what failed at once says nothing.
    if (outcome !== 'answered' && (tookMs <= mean || outcome === 'given-up')) return;
    this.#meanMs = mean + (tookMs - mean) * LIMITS.serviceTimeWeight;
  }

  /** What a request says about its server: a wait that was too short, or that its client cut short, says nothing. What fails at once costs nobody any time, and is right again as soon as the server is. */
  #verdict(outcome: TurnOutcome, tookMs: number, deadline: Instant | undefined, isTrial: boolean): 'answered' | 'failed' | 'unknown' {
    if (outcome === 'given-up') return 'unknown';
    if (outcome === 'failed') return isTrial || tookMs >= LIMITS.breakerFairMs ? 'failed' : 'unknown';
    if (outcome !== 'aborted') return outcome;
    const isTimeOver = deadline === undefined || this.#leftMs(deadline) <= TIMER_MS;
    return isTimeOver && tookMs >= LIMITS.breakerFairMs ? 'failed' : 'unknown';
  }

  #leftMs(deadline: Instant | undefined): number {
    return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - this.#options.clock.now();
  }

  /** Why nothing at all is asked now. @param manner `quiet`: nobody is refused by it yet, so it is not counted */
  #refusal(manner: 'counted' | 'quiet' = 'counted'): BridgeError | undefined {
    const { breaker, onRefused } = this.#options;
    const heldOffMs = this.#heldOff.leftMs();
    if (heldOffMs > 0) {
      if (manner === 'counted') onRefused('held-off');
      return new BridgeError('BACKEND_BUSY', `the calendar system has asked for a pause; it is asked again in ${Math.ceil(heldOffMs / SECOND_MS)} s`, { temporary: true, retryAfterMs: heldOffMs });
    }
    const refusal = breaker.refusal();
    if (refusal !== undefined && manner === 'counted') onRefused('breaker-open');
    return refusal;
  }

  /** Why nobody may wait, where all turns are taken. */
  #queueRefusal(deadline: Instant | undefined): BridgeError | undefined {
    const place = this.#waiting.size + 1;
    // Its trial needs a turn, and those that hang have them all.
    if (!this.#options.breaker.isClosed) return this.#busy('breaker-open');
    if (place > this.#concurrency * LIMITS.waitersPerTurn) return this.#busy('queue-full');
    if (this.#options.waiting.total >= LIMITS.waitingForBackEnds) return this.#busy('all-queues-full');
    const waitMs = this.#waitMs(place);
    const leftMs = this.#leftMs(deadline);
    return waitMs > leftMs * LIMITS.waitingShare || waitMs + (this.#meanMs ?? 0) > leftMs ? this.#busy('too-late') : undefined;
  }

  #waitMs(place: number): number {
    return ((this.#meanMs ?? 0) * place) / this.#concurrency;
  }

  #busy(reason: BackEndRefusal): BridgeError {
    this.#options.onRefused(reason);
    const retryAfterMs = Math.min(Math.max(SECOND_MS, Math.ceil(this.#waitMs(this.#waiting.size))), LIMITS.retryAfterMs);
    return new BridgeError('BACKEND_BUSY', 'the calendar system is asked too much at the moment', { temporary: true, retryAfterMs, details: { reason, waiting: this.#waiting.size } });
  }
}

/** Timers of one instant fire a little apart. */
const TIMER_MS = 50;

function bounded(concurrency: number): number {
  return Math.min(Math.max(1, Math.floor(concurrency) || 1), LIMITS.mostRequestsPerBackEnd);
}

function outOfTime(): BridgeError {
  return new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
}
