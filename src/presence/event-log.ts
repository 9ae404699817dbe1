import { randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { PresenceEvent } from './presence-service.ts';
import type { PresenceChange } from './presence.ts';

/** The last changes, numbered, for watchers who come back; who has been away for longer starts over from a snapshot. */
export class EventLog {
  readonly #process = randomBytes(6).toString('hex');
  /** The last ones; numbers follow from the place. */
  readonly #events: { readonly change: PresenceChange; readonly at: Instant }[] = [];
  readonly #listeners = new Set<(event: PresenceEvent) => void>();
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(change: PresenceChange): void {
    this.#last += 1;
    const at = this.#clock.now();
    this.#events.push({ change, at });
    if (this.#events.length > LIMITS.presenceEventsKept * 1.25) this.#events.splice(0, this.#events.length - LIMITS.presenceEventsKept);
    if (this.#listeners.size === 0) return;
    const event = this.#numbered(change, at, this.#last);
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** See PresenceService.subscribe: what came behind `after` is given at once, before this returns. */
  subscribe(listener: (event: PresenceEvent) => void, after?: string): { readonly missed: boolean; stop(): void } {
    const from = after === undefined ? this.#last : this.#numberOf(after);
    // Of another process, of the future, or thrown away by now.
    const oldest = this.#last - this.#events.length;
    const missed = from === undefined || from > this.#last || from < oldest;
    if (!missed) this.#events.slice(from - oldest).forEach(({ change, at }, index) => listener(this.#numbered(change, at, from + index + 1)));
    this.#listeners.add(listener);
    return { missed, stop: () => this.#listeners.delete(listener) };
  }

  #numbered(change: PresenceChange, at: Instant, number: number): PresenceEvent {
    return { ...change, id: `${this.#process}-${number}`, at };
  }

  #numberOf(id: string): number | undefined {
    const found = /^([0-9a-f]{12})-([0-9]{1,15})$/.exec(id);
    return found?.[1] === this.#process ? Number(found[2]) : undefined;
  }
}
