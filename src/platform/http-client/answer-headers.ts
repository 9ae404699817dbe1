import { SECOND_MS } from '../../core/clock.ts';

type Headers = Readonly<Record<string, string>>;

/** Retry-After in milliseconds, by seconds or by date (RFC 9110 §10.2.3); undefined where there is none that can be read. */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,6}$/.test(value)) return Number(value) * SECOND_MS;
  const until = Date.parse(value);
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now());
}

/** `charset` of a Content-Type, without its quotes. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([\w.:-]{1,40})"?/i.exec(contentType ?? '')?.[1];
}
