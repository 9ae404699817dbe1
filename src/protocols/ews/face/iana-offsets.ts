import type { Instant } from '../../../core/clock.ts';

/** Offsets (local minus UTC, ms) of an IANA zone at any instant, by the tzdata of the runtime. Costs microseconds a call: keep what it says. */
export function offsetsOfIana(ianaName: string): (instant: Instant) => number {
  const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
  const formatter = new Intl.DateTimeFormat('en-US', { timeZone: ianaName, calendar: 'iso8601', hourCycle: 'h23', ...fields });
  return (instant) => {
    const whole = Math.floor(instant / 1000) * 1000;
    const read: Record<string, number> = {};
    for (const part of formatter.formatToParts(whole)) read[part.type] = Number(part.value);
    return Date.UTC(read['year']!, read['month']! - 1, read['day'], read['hour'], read['minute'], read['second']) - whole;
  };
}
