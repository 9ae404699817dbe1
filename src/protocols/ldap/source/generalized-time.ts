import type { Instant } from '../../../core/clock.ts';

/** Reads `20261129201424Z`, as modifyTimestamp has it (RFC 4517 §3.3.13); a fraction and an offset are understood, minutes and seconds may be missing. Undefined for anything else. */
export function parseGeneralizedTime(text: string): Instant | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d)(\d\d)?)$/.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute = '0', second = '0', fraction, sign, offsetHours = '0', offsetMinutes = '0'] = found;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) + Math.floor(Number(`0.${fraction ?? '0'}`) * 1000);
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return time - offset;
}

/** `20261129201424Z`, rounded down to the second. */
export function formatGeneralizedTime(time: Instant): string {
  return `${new Date(Math.max(0, time)).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
