import type { Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import type { Interval } from '../freebusy/interval.ts';
import { tiles } from '../freebusy/slots.ts';
import type { PresenceMapping } from './mapping.ts';
import { CALENDAR_STATES } from './presence.ts';
import type { CalendarState } from './presence.ts';

/** States of one calendar in a number: `at * STATES + state`. */
const STATES = 8;

/**
 * What a calendar says of its owner, as the instants at which that changes: neighbours of the same state are one, so that back-to-back meetings
 * do not flap and Free to Tentative is no change. Outside of its window it is unknown. A few hundred bytes for a busy week.
 */
export class Timeline {
  /** Ascending; the first one where the window begins. */
  readonly #steps: readonly number[];
  readonly #end: Instant;

  private constructor(steps: readonly number[], end: Instant) {
    this.#steps = steps;
    this.#end = end;
  }

  /** What it speaks of; empty where nothing is known. */
  get window(): Interval {
    return { start: this.#steps.length === 0 ? this.#end : Math.floor(this.#steps[0]! / STATES), end: this.#end };
  }

  /** @param from what was before is not asked about any more: it begins with the state at that instant; it ends with the last of LIMITS.presenceSteps changes */
  static of(freeBusy: FreeBusy, mapping: PresenceMapping, from: Instant): Timeline {
    const steps: number[] = [];
    let { end } = freeBusy.window;
    let last: CalendarState | undefined;
    for (const tile of tiles(freeBusy)) {
      const state = mapping[tile.busyType];
      if (state === last) continue;
      if (steps.length === LIMITS.presenceSteps) {
        end = tile.start;
        break;
      }
      if (tile.start <= from) steps.length = 0;
      steps.push(tile.start * STATES + CALENDAR_STATES.indexOf(state));
      last = state;
    }
    // A copy is as long as it has to be: pushing makes room for more.
    return new Timeline(steps.slice(), end);
  }

  /** Nothing is known. */
  static unknown(at: Instant): Timeline {
    return new Timeline([], at);
  }

  stateAt(at: Instant): CalendarState {
    if (!this.#covers(at)) return 'unknown';
    return CALENDAR_STATES[this.#steps[this.#indexAt(at)]! % STATES]!;
  }

  /** Since when it has said what it says at `at`; the window's start where it said so then already, `at` outside of it. */
  since(at: Instant): Instant {
    if (!this.#covers(at)) return at;
    return Math.floor(this.#steps[this.#indexAt(at)]! / STATES);
  }

  /** The first instant after `at` at which it says something else; undefined: none that is known. */
  changeAfter(at: Instant): Instant | undefined {
    if (at >= this.#end) return undefined;
    const next = this.#covers(at) ? this.#steps[this.#indexAt(at) + 1] : this.#steps[0];
    return next === undefined ? undefined : Math.floor(next / STATES);
  }

  #covers(at: Instant): boolean {
    return at < this.#end && this.#steps.length > 0 && at * STATES + STATES - 1 >= this.#steps[0]!;
  }

  /** Of the last step that is not behind `at`, by halving. */
  #indexAt(at: Instant): number {
    let low = 0;
    let high = this.#steps.length - 1;
    const wanted = at * STATES + STATES - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#steps[middle]! <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
