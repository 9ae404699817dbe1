import type { Instant } from './clock.ts';

/** `20261129120000Z` (RFC 4517 §3.3.13): to the second, because Zimbra's pattern `yyyyMMddHHmmss'Z'` reads no fraction; what is beyond is cut off. */
export function formatGeneralizedTime(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

const FORM = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d|60)?)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)$/;

/**
 * Reads a generalized time, with the fraction that Active Directory writes (`20261129120000.0Z`) and any zone; undefined where it is none. Minutes and seconds may be missing.
 */
export function parseGeneralizedTime(text: string): Instant | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute, second, fraction, sign, zoneHours = '0', zoneMinutes = '0'] = found;
  const unitMs = second !== undefined ? 1_000 : minute !== undefined ? 60_000 : 3_600_000;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnight);
  // Date.UTC turns the thirtieth of February into March.
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute ?? 0) > 59) return undefined;
  const ahead = (sign === '-' ? -1 : 1) * (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  const within = Number(hour) * 3_600_000 + Number(minute ?? 0) * 60_000 + Number(second ?? 0) * 1_000 + Math.floor(Number(`0.${(fraction ?? '0').slice(0, 9)}`) * unitMs);
  return midnight + within - ahead;
}
