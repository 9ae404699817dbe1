import type { Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { OVER } from '../core/over.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { TurnWork } from './turn.ts';

/** What a turn is about. */
export interface TurnFacts {
  readonly mailbox: MailboxAddress;
  readonly jobId: string;
  readonly storedAt: Instant;
  readonly attempt: number;
}

/** A turn under way in this process. */
export class RunningTurn implements TurnFacts {
  readonly mailbox: MailboxAddress;
  readonly jobId: string;
  readonly storedAt: Instant;
  readonly attempt: number;
  /** Why it was ended from outside: it took too long, the queue closes, or another process may have taken the mailbox over. */
  ended: 'late' | 'closing' | 'lost' | undefined;
  readonly #abort = new AbortController();
  readonly #settleMs: number;
  #giveUp: (error: BridgeError) => void = () => undefined;
  #deaf: NodeJS.Timeout | undefined;

  /** @param settleMs what work has left to end after its signal has fired */
  constructor({ mailbox, jobId, storedAt, attempt }: TurnFacts, settleMs: number) {
    this.mailbox = mailbox;
    this.jobId = jobId;
    this.storedAt = storedAt;
    this.attempt = attempt;
    this.#settleMs = settleMs;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Runs `work`, ended from outside where it does not end by itself: what ignores its signal must not keep its place for ever. @returns what `work` does. @throws what `work` throws; DEADLINE */
  async run(work: TurnWork, patienceMs: number): Promise<readonly string[]> {
    const late = setTimeout(() => this.end('late'), patienceMs);
    try {
      return await new Promise<readonly string[]>((resolve, reject) => {
        this.#giveUp = reject;
        work(this).then(resolve, reject);
      });
    } finally {
      clearTimeout(late);
      clearTimeout(this.#deaf);
    }
  }

  /** Fires its signal; a turn that was lost stays lost. */
  end(why: 'late' | 'closing' | 'lost'): void {
    if (this.ended !== 'lost') this.ended = why;
    if (this.#deaf !== undefined) return;
    this.#abort.abort(OVER);
    this.#deaf = setTimeout(() => this.#giveUp(new BridgeError('DEADLINE', 'the turn took too long', { temporary: true })), this.#settleMs);
  }
}

/** The turns under way in this process, at most one of each mailbox, and since when newer changes wait behind them. */
export class RunningTurns {
  readonly #turns = new Map<MailboxAddress, RunningTurn>();
  readonly #changedSince = new Map<MailboxAddress, Instant>();
  #idle: (() => void) | undefined;

  get size(): number {
    return this.#turns.size;
  }

  has(mailbox: MailboxAddress): boolean {
    return this.#turns.has(mailbox);
  }

  all(): readonly RunningTurn[] {
    return [...this.#turns.values()];
  }

  begin(turn: RunningTurn): void {
    this.#turns.set(turn.mailbox, turn);
  }

  end({ mailbox }: RunningTurn): void {
    this.#turns.delete(mailbox);
    if (this.#turns.size === 0) this.#idle?.();
  }

  /** A change was stored at `at`; where the mailbox is running, the next turn's age counts from the first such change. */
  changed(mailbox: MailboxAddress, at: Instant): void {
    if (this.#turns.has(mailbox) && !this.#changedSince.has(mailbox)) this.#changedSince.set(mailbox, at);
  }

  /** When the oldest change that a turn beginning now covers was stored; `at` is what the job knows of it. */
  storedAt(mailbox: MailboxAddress, at: Instant): Instant {
    const since = this.#changedSince.get(mailbox);
    this.#changedSince.delete(mailbox);
    return Math.min(at, since ?? at);
  }

  /** The turns of these jobs are somebody else's now. */
  lose(jobIds: readonly string[]): void {
    for (const turn of this.#turns.values()) {
      if (jobIds.includes(turn.jobId)) turn.end('lost');
    }
  }

  /** Ends all of them: they go back to the queue. */
  abortAll(): void {
    for (const turn of this.#turns.values()) turn.end('closing');
  }

  /** Resolves when none is under way, or after `patienceMs`. */
  async whenIdle(patienceMs: number): Promise<void> {
    if (this.#turns.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#idle = undefined;
  }
}
