import { MINUTE_MS, SECOND_MS } from '../../core/clock.ts';
import type { Instant } from '../../core/clock.ts';

/** 1601-01-01T00:00:00Z, where MAPI begins to count. */
const MAPI_EPOCH = -11_644_473_600 * SECOND_MS;

/** Reads PublishStart and PublishEnd: minutes since 1601 (exchange.md §1.4). Never assume that they lie on a day or a month. */
export function decodePublishMinutes(minutes: number): Instant {
  return MAPI_EPOCH + minutes * MINUTE_MS;
}

/** Minutes since 1601; part minutes are dropped. */
export function encodePublishMinutes(instant: Instant): number {
  return Math.floor((instant - MAPI_EPOCH) / MINUTE_MS);
}
