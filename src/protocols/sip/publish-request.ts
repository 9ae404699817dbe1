import { SECOND_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { PIDF_TYPE } from '../pidf/names.ts';
import type { SipQuestion } from './client.ts';
import { deltaSeconds } from './header-value.ts';
import { headerOf } from './message.ts';
import type { SipResponse } from './message.ts';
import { PRESENCE_EVENT, TOKEN } from './names.ts';

/**
 * A PUBLISH (RFC 3903 §4): with a document and no tag an initial publication, with both a change of it, with the tag alone a refresh (the probe asks so), and with no time to live its removal.
 */
export function publishQuestion(uri: string, { document, etag, expiresMs }: { readonly document?: string | undefined; readonly etag?: string | undefined; readonly expiresMs: number }): SipQuestion {
  return {
    method: 'PUBLISH',
    uri,
    headers: [
      { name: 'Event', value: PRESENCE_EVENT },
      { name: 'Expires', value: String(Math.ceil(expiresMs / SECOND_MS)) },
      ...(etag === undefined ? [] : [{ name: 'SIP-If-Match', value: etag }]),
      ...(document === undefined ? [] : [{ name: 'Content-Type', value: PIDF_TYPE }]),
    ],
    ...(document === undefined ? {} : { body: Buffer.from(document) }),
  };
}

/** A publication as the server holds it. */
export interface GrantedPublication {
  /** New with every 200 (RFC 3903 §6.6). */
  readonly etag: string;
  readonly expiresMs: number;
}

/**
 * What a 200 grants: the server may shorten the time (RFC 3903 §6.2), and one that says none grants what was asked for; undefined where it says no tag, without which a publication could never be changed, or keeps it no second.
 */
export function grantedBy(response: SipResponse, askedMs: number): GrantedPublication | undefined {
  const etag = headerOf(response, 'sip-etag');
  if (etag === undefined || !TOKEN.test(etag) || etag.length > LIMITS.sipEntityTagCharacters) return undefined;
  const seconds = deltaSeconds(headerOf(response, 'expires'));
  if (seconds === 0 && askedMs > 0) return undefined;
  return { etag, expiresMs: seconds === undefined ? askedMs : Math.min(seconds * SECOND_MS, LIMITS.sipLongestExpiresMs) };
}

/** The least that a 423 allows (RFC 3903 §6.2), bounded; undefined where it does not say, or says more than we would do. */
export function leastExpiresMs(response: SipResponse): number | undefined {
  const seconds = deltaSeconds(headerOf(response, 'min-expires'));
  return seconds === undefined || seconds * SECOND_MS > LIMITS.sipLongestExpiresMs ? undefined : seconds * SECOND_MS;
}
