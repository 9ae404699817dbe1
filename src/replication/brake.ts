import type { Clock } from '../core/clock.ts';
import type { BridgeError } from '../core/errors.ts';
import { pauseAfter } from '../core/back-off.ts';
import type { Pauses } from '../core/back-off.ts';
import { inWords } from './turn.ts';

/** Leave to try, to be handed back with what came of it. */
export interface Pass {
  readonly epoch: number;
  /** The one that tries while everybody else waits. */
  readonly isTrial: boolean;
}

/** Why and until when nobody is tried. */
export interface Blocked {
  readonly code: string;
  readonly reason: string;
  /** Name of the system that refused; undefined where nobody said which. */
  readonly system: string | undefined;
  /** From then on one mailbox may try; by the brake's clock. */
  readonly until: number;
}

/**
 * Holds a whole route back while a server refuses us as a whole: thousands of mailboxes with one wrong password would lock the account.
 * When the pause is over one mailbox tries; where the system that refused does what it is asked to, all are released, and another refusal doubles the pause.
 * A turn that had nothing to ask of that system says nothing about it, and the next one tries.
 *
 * What began before the brake was pulled (or released) no longer moves it: thirty turns that fail together are one refusal.
 */
export class Brake {
  readonly #clock: Clock;
  readonly #pauses: Pauses;
  #blocked: Blocked | undefined;
  #refusals = 0;
  #epoch = 0;
  #isTrying = false;

  /** @param clock should only go forward: a pause must not grow by the hour that somebody sets the system's clock back */
  constructor(clock: Clock, pauses: Pauses) {
    this.#clock = clock;
    this.#pauses = pauses;
  }

  get blocked(): Blocked | undefined {
    return this.#blocked;
  }

  /** Leave to try now; undefined where the mailbox must wait. */
  admit(): Pass | undefined {
    if (this.#blocked === undefined) return { epoch: this.#epoch, isTrial: false };
    if (this.#isTrying || this.#clock.now() < this.#blocked.until) return undefined;
    this.#isTrying = true;
    return { epoch: this.#epoch, isTrial: true };
  }

  /** The server refused us as a whole. @returns whether this pulled the brake; false for a turn older than its last move */
  refused(pass: Pass, error: BridgeError, system: string | undefined): boolean {
    if (pass.epoch !== this.#epoch) return false;
    this.#refusals += 1;
    this.#epoch += 1;
    this.#isTrying = false;
    this.#blocked = { code: error.code, reason: inWords(error, system), system, until: this.#clock.now() + pauseAfter(this.#refusals, this.#pauses, error.retryAfterMs) };
    return true;
  }

  /** These systems did what they were asked to. @returns whether this released the brake */
  succeeded(pass: Pass, systems: readonly string[]): boolean {
    if (!pass.isTrial || pass.epoch !== this.#epoch) return false;
    const system = this.#blocked?.system;
    if (system === undefined || systems.includes(system)) return this.release();
    this.undecided(pass);
    return false;
  }

  /** The turn ended in a way that says nothing about the server as a whole: the next one tries. */
  undecided(pass: Pass): void {
    if (pass.isTrial && pass.epoch === this.#epoch) this.#isTrying = false;
  }

  /** Everybody may try again. @returns whether anybody was held back */
  release(): boolean {
    const wasBlocked = this.#blocked !== undefined;
    this.#blocked = undefined;
    this.#refusals = 0;
    this.#epoch += 1;
    this.#isTrying = false;
    return wasBlocked;
  }
}
