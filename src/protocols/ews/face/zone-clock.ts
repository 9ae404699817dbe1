import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../core/clock.ts';
import type { Instant } from '../../../core/clock.ts';

/**
 * A zone's wall clock, for answers with thousands of times: offsets are kept by the day, those of a day on which the clocks change by the hour, and
 * a naive time is put together from ready pieces. Kept over requests (ZoneClocks); what it remembers is bounded.
 */
export class ZoneClock {
  readonly #offsetAt: (instant: Instant) => number;
  /** By the day of UTC; NaN: the offset changes on it. */
  readonly #days = new Map<number, number>();
  readonly #dates = new Map<number, string>();

  /** @param offsetAt local minus UTC in ms, pure */
  constructor(offsetAt: (instant: Instant) => number) {
    this.#offsetAt = offsetAt;
  }

  /** Local minus UTC at an instant, ms. */
  offsetAt(instant: Instant): number {
    const day = Math.floor(instant / DAY_MS);
    let offset = this.#days.get(day);
    if (offset === undefined) {
      const first = this.#offsetAt(day * DAY_MS);
      offset = HOURS.every((hour) => this.#offsetAt(day * DAY_MS + hour * HOUR_MS) === first) ? first : Number.NaN;
      remember(this.#days, day, offset);
    }
    return Number.isNaN(offset) ? this.#offsetAt(instant) : offset;
  }

  /** The instant as `2026-03-10T09:00:00` on this clock; fractions of a second are cut off. Behind the year 9999, where "for ever" may end, it is that year's last second. */
  naive(instant: Instant): string {
    const local = Math.min(instant + this.offsetAt(instant), LAST_LOCAL);
    const day = Math.floor(local / DAY_MS);
    let date = this.#dates.get(day);
    if (date === undefined) {
      date = new Date(day * DAY_MS).toISOString().slice(0, 11);
      remember(this.#dates, day, date);
    }
    const inDay = local - day * DAY_MS;
    const minute = Math.floor(inDay / MINUTE_MS);
    return date + MINUTES[minute]! + SECONDS[Math.floor((inDay - minute * MINUTE_MS) / SECOND_MS)]!;
  }

  /**
   * The instant of a wall clock time (`local` as Date.UTC gives it for year, month, day …). The hour that comes twice is the later one, standard
   * time; the hour that never comes is read with the offset before it, so 02:30 is 03:30 (exchange.md §6.1, as bias-rules does).
   */
  instantOf(local: number): Instant {
    const around = [this.offsetAt(local - DAY_MS), this.offsetAt(local + DAY_MS)];
    const standard = Math.min(...around);
    if (this.offsetAt(local - standard) === standard) return local - standard;
    const daylight = Math.max(...around);
    return this.offsetAt(local - daylight) === daylight ? local - daylight : local - standard;
  }
}

/** The last time that four digits of a year can say. */
const LAST_LOCAL = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Samples of a day: its start, and its end, where the next one begins; between them a real zone changes at most once. */
const HOURS = [12, 24];

/** Three years of days; an answer has 62 and what its events reach into. */
const KEPT_DAYS = 1_100;

function remember<Value>(map: Map<number, Value>, day: number, value: Value): void {
  if (map.size >= KEPT_DAYS) map.clear();
  map.set(day, value);
}

const two = (value: number): string => String(value).padStart(2, '0');
const MINUTES = Array.from({ length: 1_440 }, (_, minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`);
const SECONDS = Array.from({ length: 60 }, (_, second) => `:${two(second)}`);

/** Clocks by what their zone is called or is made of; the least recently made goes. */
export class ZoneClocks {
  readonly #clocks = new Map<string, ZoneClock>();

  /** @param make the zone's offsets, asked for only where the clock is not known */
  get(key: string, make: () => (instant: Instant) => number): ZoneClock {
    const known = this.#clocks.get(key);
    if (known !== undefined) return known;
    const made = new ZoneClock(make());
    if (this.#clocks.size >= KEPT_CLOCKS) this.#clocks.delete(this.#clocks.keys().next().value!);
    this.#clocks.set(key, made);
    return made;
  }

  /** A clock for one request only. */
  once(offsetAt: (instant: Instant) => number): ZoneClock {
    return new ZoneClock(offsetAt);
  }
}

/** Windows has 140 zones; a client may make up more. 100 KB each at most. */
const KEPT_CLOCKS = 150;
