import type { Clock, Instant } from '../core/clock.ts';

/** What can stand in an agenda; `place` is the agenda's own. An object stands in one agenda at most, once. */
export interface Planned {
  due: Instant;
  /** −1: it stands in none. */
  place: number;
}

/**
 * Things to do, each at its instant: a binary heap in which everything knows its place, so that thousands are moved without a trace. It has no timer of its own: see AgendaTimer.
 */
export class Agenda<T extends Planned> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** When the next one is due; undefined: nothing is planned. */
  get next(): Instant | undefined {
    return this.#heap[0]?.due;
  }

  /** Plans it, or moves it where it stands already. */
  plan(item: T, due: Instant): void {
    const isNew = item.place < 0;
    const isEarlier = !isNew && due < item.due;
    item.due = due;
    if (isNew) {
      item.place = this.#heap.length;
      this.#heap.push(item);
      this.#up(item);
    } else if (isEarlier) this.#up(item);
    else this.#down(item);
  }

  /** Takes it out; nothing happens where it is not in. */
  cancel(item: T): void {
    if (item.place < 0) return;
    const last = this.#heap.pop()!;
    if (last !== item) {
      this.#put(last, item.place);
      this.#up(last);
      this.#down(last);
    }
    item.place = -1;
  }

  /** Takes out the earliest one that is due by `now`. */
  take(now: Instant): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.cancel(first);
    return first;
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }

  #up(item: T): void {
    let { place } = item;
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1]!;
      if (parent.due <= item.due) break;
      this.#put(parent, place);
      place = (place - 1) >> 1;
    }
    this.#put(item, place);
  }

  #down(item: T): void {
    let { place } = item;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1]!.due < this.#heap[child]!.due) child += 1;
      const below = this.#heap[child]!;
      if (below.due >= item.due) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(item, place);
  }
}

/** A set clock or a machine that slept is noticed within this time. */
const LONGEST_SLEEP_MS = 30_000;

/** One timer for a whole agenda: calls `run` when something is due. */
export class AgendaTimer {
  readonly #next: () => Instant | undefined;
  readonly #run: () => void;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  /** What the timer stands for; undefined: it does not run. */
  #setFor: Instant | undefined;
  #isStopped = false;

  /** @param next when something is due; undefined: nothing is @param run does it; it may leave something over for the next time */
  constructor(next: () => Instant | undefined, run: () => void, clock: Clock) {
    this.#next = next;
    this.#run = run;
    this.#clock = clock;
  }

  /** To be called whenever the agenda may have changed. */
  set(): void {
    const next = this.#isStopped ? undefined : this.#next();
    // Thousands who are planned behind the first one leave it as it is.
    if (next !== undefined && next === this.#setFor) return;
    clearTimeout(this.#timer);
    this.#setFor = next;
    if (next === undefined) return;
    this.#timer = setTimeout(() => {
      this.#setFor = undefined;
      if ((this.#next() ?? Infinity) <= this.#clock.now()) this.#run();
      this.set();
    }, Math.min(Math.max(0, next - this.#clock.now()), LONGEST_SLEEP_MS));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
