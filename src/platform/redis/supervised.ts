import { pauseAfter } from '../../core/back-off.ts';
import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { OVER } from '../../core/over.ts';
import { pause } from '../../core/pause.ts';
import type { Logger } from '../../core/logger.ts';

/** What one start gives: something that runs, and the promise of its end, which never rejects. */
export interface Run {
  readonly ended: Promise<string>;
}

/** Keeps something running: starts it again whenever it ended, with growing pauses, until `stop`. */
export class Supervised<R extends Run> {
  readonly #start: (signal: AbortSignal) => Promise<R>;
  readonly #stopped = new AbortController();
  readonly #logger: Logger;
  #current: R | undefined;
  #watching: Promise<void>;

  private constructor(first: R, start: (signal: AbortSignal) => Promise<R>, logger: Logger) {
    this.#start = start;
    this.#logger = logger;
    this.#current = first;
    this.#watching = this.#watch(first);
  }

  /**
   * @param start gives up, and ends what it began, when its signal fires
   * @throws what the first start throws; later ones are logged and tried again
   */
  static async run<R extends Run>(start: (signal: AbortSignal) => Promise<R>, logger: Logger): Promise<Supervised<R>> {
    return new Supervised(await start(new AbortController().signal), start, logger);
  }

  /** The one that runs now; undefined between its death and its next start. */
  get current(): R | undefined {
    return this.#current;
  }

  /** From now on nothing is started again; resolves with what still runs, which the caller ends. */
  async stop(): Promise<R | undefined> {
    this.#stopped.abort(OVER);
    // A start that is under way gives up; it is waited for, or what it began would outlive us.
    if (this.#current === undefined) await this.#watching;
    return this.#current;
  }

  async #watch(first: R): Promise<void> {
    for (let run = first, failures = 0; ; ) {
      const startedAt = performance.now();
      const reason = await run.ended;
      this.#current = undefined;
      if (this.#isStopped) return;
      if (performance.now() - startedAt > LIMITS.ownRedisRanWellMs) failures = 0;
      this.#logger.error({ code: 'STORE_UNAVAILABLE', reason }, "the bridge's own Redis ended and is started again");
      let next: R | undefined;
      for (let told = ''; next === undefined; ) {
        await pause(pauseAfter(++failures, LIMITS.ownRedisRestartPauses), this.#stopped.signal);
        if (this.#isStopped) return;
        try {
          next = await this.#start(this.#stopped.signal);
        } catch (error) {
          if (this.#isStopped) return;
          const { publicMessage } = toBridgeError(error);
          if (publicMessage !== told) this.#logger.error({ code: 'STORE_UNAVAILABLE', attempt: failures }, `the bridge's own Redis does not start: ${publicMessage}`);
          told = publicMessage;
        }
      }
      run = this.#current = next;
      if (this.#isStopped) return;
    }
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }
}
