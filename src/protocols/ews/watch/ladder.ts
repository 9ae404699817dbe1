import type { Clock, Instant } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { Subscription, Way, WayName } from './way.ts';

/** Which way of hearing is used: the first that the server does not refuse, and now and then a look whether a better one has come to work. */
export class Ladder {
  readonly #ways: readonly Way[];
  readonly #clock: Clock;
  #at = 0;
  #betterAt: Instant = Infinity;
  #trial: { readonly subscription: Subscription; readonly index: number; readonly until: Instant; readonly signal: AbortSignal } | undefined;
  #isTrying = false;
  #reason: string | undefined;

  constructor(ways: readonly Way[], clock: Clock) {
    this.#ways = ways;
    this.#clock = clock;
  }

  /** Undefined: none is left, calendars are polled. */
  get way(): Way | undefined {
    return this.#ways[this.#at];
  }

  get hasNext(): boolean {
    return this.#at + 1 < this.#ways.length;
  }

  /** Why it is not the first. */
  get reason(): string | undefined {
    return this.#at === 0 ? undefined : this.#reason;
  }

  wayOf(name: WayName): Way | undefined {
    return this.#ways.find((one) => one.name === name);
  }

  /** The present one is refused. */
  down(reason: string): void {
    this.#at += 1;
    this.#reason = reason;
    this.#betterAt = this.#clock.now() + LIMITS.ewsBetterWayMs;
  }

  /** Tries the better ones with one mailbox, from the best on, where it is time for that. `up` is called when one of them has proved itself. */
  tick(mailbox: MailboxAddress | undefined, signal: AbortSignal, up: (way: Way) => void): void {
    const now = this.#clock.now();
    const trial = this.#trial;
    if (trial !== undefined && (trial.subscription.isProved || now >= trial.until)) {
      this.#trial = undefined;
      void this.#ways[trial.index]!.leave(trial.subscription, true);
      if (!trial.subscription.isProved) void this.#try(trial.index + 1, trial.subscription.mailbox, trial.signal);
      else if (trial.index < this.#at) {
        this.#at = trial.index;
        this.#betterAt = this.#at === 0 ? Infinity : now + LIMITS.ewsBetterWayMs;
        up(this.#ways[trial.index]!);
      }
      return;
    }
    if (this.#at === 0 || trial !== undefined || this.#isTrying || mailbox === undefined || now < this.#betterAt) return;
    this.#betterAt = now + LIMITS.ewsBetterWayMs;
    void this.#try(0, mailbox, signal);
  }

  /** Whether it is the one on trial; what comes through it is of no other use. */
  isTrial(subscription: Subscription): boolean {
    return this.#trial?.subscription === subscription;
  }

  /** The one on trial is no good. */
  failed(): void {
    const trial = this.#trial;
    if (trial !== undefined) this.#trial = { ...trial, until: 0 };
  }

  async #try(from: number, mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    this.#isTrying = true;
    try {
      for (let index = from; index < this.#at && !signal.aborted; index++) {
        const subscription = await this.#ways[index]!.subscribe({ mailbox, watermark: undefined, isAlone: true, signal }).catch(() => undefined);
        if (subscription === undefined) continue;
        this.#trial = { subscription, index, until: this.#clock.now() + LIMITS.ewsPushProofMs, signal };
        return;
      }
    } finally {
      this.#isTrying = false;
    }
  }
}
