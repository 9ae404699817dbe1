import { pauseAfter } from '../core/back-off.ts';
import { DAY_MS } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { groupsOf } from '../freebusy/ask-in-parts.ts';
import { floorTo } from '../freebusy/interval.ts';

export interface SweepOptions {
  readonly system: string;
  readonly everyone: (signal: AbortSignal) => AsyncIterable<readonly MailboxAddress[]>;
  /** How many wait in the fullest queue. */
  readonly waiting: () => Promise<number>;
  readonly add: (mailboxes: readonly MailboxAddress[]) => Promise<void>;
  /** From the end of one pass to the beginning of the next. */
  readonly sweepMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Passes over every mailbox of one system: at start, again after a while, after midnight UTC (the window moved), and when a feed has
 * lost its place. A pass hands mailboxes to the queue no faster than they are worked off, so that no change ever stands behind it;
 * one that breaks off is taken up again until everybody was listed.
 */
export class Sweep {
  readonly #options: SweepOptions;
  #wanted = false;
  /** Whom the pass under way has handed over: one that broke off goes on where it was. */
  #seen = new Set<MailboxAddress>();
  /** By then everybody's turn has come again, however often the pass broke off. */
  #seenUntil = -Infinity;
  #wake: () => void = () => undefined;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /** Asks for a pass, as soon as the one under way is done. */
  now(): void {
    this.#wanted = true;
    // Whoever was passed may have changed since.
    this.#seen = new Set();
    this.#wake();
  }

  /** Until `signal` fires; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      this.#wanted = false;
      if (await this.#pass(signal)) {
        failures = 0;
        await this.#sleep(this.#pauseMs(clock.now()), signal);
      } else {
        failures += 1;
        await this.#sleep(pauseAfter(failures, LIMITS.retryPauses), signal);
      }
    }
  }

  /** Whether it was complete. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    const { system, everyone, add, logger } = this.#options;
    const began = performance.now();
    const now = this.#options.clock.now();
    if (now >= this.#seenUntil) {
      this.#seen = new Set();
      this.#seenUntil = now + this.#pauseMs(now);
    }
    const seen = this.#seen;
    try {
      for await (const page of everyone(signal)) {
        const fresh = page.filter((one) => !seen.has(one));
        for (const some of groupsOf(fresh, LIMITS.sweepAhead)) {
          if (!(await this.#room(signal))) return false;
          await add(some);
          for (const one of some) seen.add(one);
        }
      }
    } catch (thrown) {
      if (signal.aborted) return false;
      const { code, publicMessage } = toBridgeError(thrown);
      logger.warn({ system, code, reason: publicMessage, count: seen.size }, 'a pass over all mailboxes broke off, it is taken up again');
      return false;
    }
    if (this.#seen === seen) this.#seen = new Set();
    logger.info({ system, count: seen.size, durationMs: Math.round(performance.now() - began) }, 'every mailbox was handed to the queue');
    return true;
  }

  /** From a pass to the next. */
  #pauseMs(now: number): number {
    return Math.min(this.#options.sweepMs, untilAfterMidnight(now));
  }

  /** Waits until little enough waits; false where the signal fired first. */
  async #room(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if ((await this.#options.waiting()) < LIMITS.sweepAhead) return true;
      await pause(LIMITS.sweepLooksMs, signal);
    }
    return false;
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#wanted) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await pause(ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = () => undefined;
  }
}

/** To a moment shortly after the next midnight UTC, spread so that many bridges do not come at once. */
function untilAfterMidnight(now: number): number {
  return floorTo(now, DAY_MS) + DAY_MS - now + Math.random() * LIMITS.dailySpreadMs;
}
