import type { Clock } from '../../core/clock.ts';

/** How many calls each address may make in a second; a bounded number of addresses is remembered, the oldest forgotten. */
export class SourceRate {
  readonly #perSecond: number;
  readonly #addresses: number;
  readonly #clock: Clock;
  readonly #seen = new Map<string, { left: number; at: number }>();

  constructor(perSecond: number, addresses: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#addresses = addresses;
    this.#clock = clock;
  }

  /** Whether it may call now; counts. */
  take(address: string): boolean {
    const now = this.#clock.now();
    const known = this.#seen.get(address);
    const refilled = known === undefined ? this.#perSecond : Math.min(this.#perSecond, known.left + (Math.max(0, now - known.at) * this.#perSecond) / 1_000);
    this.#seen.delete(address);
    if (this.#seen.size >= this.#addresses) this.#seen.delete(this.#seen.keys().next().value!);
    this.#seen.set(address, { left: refilled >= 1 ? refilled - 1 : refilled, at: now });
    return refilled >= 1;
  }
}
