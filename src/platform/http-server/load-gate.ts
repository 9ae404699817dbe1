import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { LIMITS } from '../../core/limits.ts';
import { noMetrics } from '../../core/metrics.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { BusyAnswer } from './busy-answer.ts';
import { LoopLag } from './loop-lag.ts';
import { noteForLog } from './request-scope.ts';

export interface LoadGateOptions {
  readonly metrics?: Pick<Metrics, 'shed'>;
  /** Looks while something is in flight. */
  readonly lag?: Pick<LoopLag, 'isLate' | 'start' | 'stop'>;
}

const leaves = new WeakMap<IncomingMessage, () => void>();

/**
 * Sheds load: beyond LIMITS.requestsInFlight, and where the event loop is so late that an answer would be too. Whoever is let in gets an answer in time; the others are told at once.
 * One for the life of the process: over all listeners, and over reloads.
 */
export class LoadGate {
  readonly #metrics: Pick<Metrics, 'shed'>;
  readonly #lag: Pick<LoopLag, 'isLate' | 'start' | 'stop'>;
  #inFlight = 0;

  constructor({ metrics = noMetrics, lag = new LoopLag() }: LoadGateOptions = {}) {
    this.#metrics = metrics;
    this.#lag = lag;
  }

  /**
   * Lets requests in, or answers them as their face does when it is busy; 503 in plain words where it says no more than that.
   *
   * @param answers of the faces behind it
   */
  handlerFor(answers: readonly BusyAnswer[] = []): RequestHandler {
    return (request, response, next) => {
      const admitted = this.enter();
      if (typeof admitted === 'function') {
        leaves.set(request, admitted);
        response.once('close', admitted);
        next();
        return;
      }
      noteForLog(request, { code: 'BACKEND_BUSY', reason: admitted === 'full' ? 'too many requests at once' : 'answers would come late' });
      response.setHeader('Retry-After', String(Math.ceil(LIMITS.shedRetryMs / 1000)));
      if (!answers.some((answer) => answer(request, response, LIMITS.shedRetryMs))) response.status(503).type('text/plain').send('busy\n');
    };
  }

  /** Counts something in; what it gives counts it out, once. Or why it must not come in, which has been counted. For faces that are not HTTP. */
  enter(): (() => void) | 'full' | 'late' {
    const reason = this.#inFlight >= LIMITS.requestsInFlight ? 'full' : this.#lag.isLate ? 'late' : undefined;
    if (reason !== undefined) {
      this.#metrics.shed(reason);
      return reason;
    }
    this.#inFlight += 1;
    this.#lag.start();
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#lag.stop();
    };
  }
}

/** An answer that goes on for hours is load no more; it has a bound of its own. */
export function leaveGate(request: IncomingMessage): void {
  leaves.get(request)?.();
}
