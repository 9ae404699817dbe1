/** An instant: integer epoch milliseconds, UTC. Local time exists only inside a protocol room, at the edge. */
export type Instant = number;

/** Injected wherever time matters, so that tests choose the hour. */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };

export const SECOND_MS = 1000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
