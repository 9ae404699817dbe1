import { createHash } from 'node:crypto';
import type { FreeBusy } from '../freebusy/free-busy.ts';

/** Of a message that was taken away because its mailbox is no data. No digest of a calendar looks like it. */
export const REMOVED = 'removed';

/**
 * What a publication says, in 43 characters: equal digests mean that writing again would change nothing. Bound to the message
 * (its legacyExchangeDN, without case) and to the window; `freeBusy` is canonical, so equal calendars are equal texts.
 */
export function digestOf(identity: string, { window, busy }: FreeBusy): string {
  const stretches = busy.map((one) => [one.start, one.end, one.busyType]);
  return createHash('sha256').update(JSON.stringify([identity.toLowerCase(), window.start, window.end, stretches])).digest('base64url');
}
