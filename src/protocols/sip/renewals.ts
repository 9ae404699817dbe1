import { SECOND_MS } from '../../core/clock.ts';
import type { Clock, Instant } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** Renewals are spread over this part of a publication's life: late enough to be few, early enough for several tries before it lapses. */
const EARLIEST = 0.5;
const LATEST = 0.75;

/** When each of many thousands is due, in one wheel of seconds with one timer; whoever is due waits in line until there is room. */
export class Renewals {
  readonly #clock: Clock;
  readonly #renew: (mailbox: MailboxAddress) => Promise<void>;
  readonly #inFlight: number;
  /** Second → who is due in it. */
  readonly #wheel = new Map<number, Set<MailboxAddress>>();
  readonly #secondOf = new Map<MailboxAddress, number>();
  readonly #waiting: MailboxAddress[] = [];
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #turnedTo: number;

  /** @param options.renew never rejects */
  constructor(options: { readonly clock: Clock; readonly inFlight: number; readonly renew: (mailbox: MailboxAddress) => Promise<void> }) {
    this.#clock = options.clock;
    this.#renew = options.renew;
    this.#inFlight = options.inFlight;
    this.#turnedTo = secondOf(options.clock.now());
  }

  get size(): number {
    return this.#secondOf.size;
  }

  has(mailbox: MailboxAddress): boolean {
    return this.#secondOf.has(mailbox);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.turn(), SECOND_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  /** Some time in the second half of a life that begins now, early in it if it is short; in place of any earlier plan. */
  planWithin(mailbox: MailboxAddress, lifeMs: number): void {
    this.planAt(mailbox, this.#clock.now() + lifeMs * (EARLIEST + Math.random() * (LATEST - EARLIEST)));
  }

  planAt(mailbox: MailboxAddress, at: Instant): void {
    this.forget(mailbox);
    // A second that the wheel has passed would never come again.
    const second = Math.max(secondOf(at), this.#turnedTo + 1);
    const slot = this.#wheel.get(second) ?? new Set();
    slot.add(mailbox);
    this.#wheel.set(second, slot);
    this.#secondOf.set(mailbox, second);
  }

  forget(mailbox: MailboxAddress): void {
    const second = this.#secondOf.get(mailbox);
    if (second === undefined) return;
    this.#secondOf.delete(mailbox);
    const slot = this.#wheel.get(second);
    slot?.delete(mailbox);
    if (slot?.size === 0) this.#wheel.delete(second);
  }

  /** Lets everybody be renewed who is due by now; the timer calls it every second. */
  turn(): void {
    const now = secondOf(this.#clock.now());
    // After a long sleep of the machine the wheel has fewer seconds with somebody in them than have passed.
    const due = now - this.#turnedTo > this.#wheel.size ? [...this.#wheel.keys()].filter((second) => second <= now).sort((a, b) => a - b) : range(this.#turnedTo + 1, now);
    this.#turnedTo = Math.max(now, this.#turnedTo);
    for (const second of due) {
      for (const mailbox of this.#wheel.get(second) ?? []) {
        this.#secondOf.delete(mailbox);
        this.#waiting.push(mailbox);
      }
      this.#wheel.delete(second);
    }
    this.#run();
  }

  #run(): void {
    while (this.#running < this.#inFlight) {
      const mailbox = this.#waiting.shift();
      if (mailbox === undefined) return;
      // Published or planned anew while it waited: not due any more.
      if (this.#secondOf.has(mailbox)) continue;
      this.#running++;
      void this.#renew(mailbox).then(() => {
        this.#running--;
        this.#run();
      });
    }
  }
}

function secondOf(instant: Instant): number {
  return Math.floor(instant / SECOND_MS);
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
