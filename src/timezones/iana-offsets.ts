import type { Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';

/**
 * Offsets (local minus UTC, ms) of an IANA zone at any instant, by the tzdata of the runtime. Costs microseconds a call: keep what it says.
 *
 * @throws BridgeError INVALID_REQUEST where Intl does not know the zone
 */
export function offsetsOfIana(ianaName: string): (instant: Instant) => number {
  const formatter = wallClockOf(ianaName);
  return (instant) => {
    const whole = Math.floor(instant / 1000) * 1000;
    const read: Record<string, number> = {};
    for (const part of formatter.formatToParts(whole)) read[part.type] = Number(part.value);
    return Date.UTC(read['year']!, read['month']! - 1, read['day'], read['hour'], read['minute'], read['second']) - whole;
  };
}

function wallClockOf(ianaName: string): Intl.DateTimeFormat {
  const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: ianaName, calendar: 'iso8601', hourCycle: 'h23', ...fields });
  } catch (error) {
    throw new BridgeError('INVALID_REQUEST', 'unknown time zone', { cause: error });
  }
}
