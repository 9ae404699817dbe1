import { createHmac, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../../core/limits.ts';
import type { Preauth } from './sign-in.ts';

/**
 * Whether a portal's value is signed with this key and of now (zimbra.md §1.4): the timestamp within LIMITS.preauthGraceMs
 * either side of `now` (epoch ms), `expires` 0 or still to come. The key is a domain's preauth key with Zimbra; a client of
 * ours has nothing but its password. A value is good for as often as it is sent within its time, as with Zimbra.
 */
export function isRightPreauth({ account, by, timestamp, expires, digest }: Preauth, key: string, now: number): boolean {
  const expected = createHmac('sha1', Buffer.from(key, 'utf8')).update([account, by, expires, timestamp].join('|')).digest();
  const given = /^[0-9a-f]{40}$/i.test(digest) ? Buffer.from(digest, 'hex') : Buffer.alloc(expected.length);
  const isSigned = timingSafeEqual(expected, given);
  const isNow = isInstant(timestamp) && Math.abs(Number(timestamp) - now) <= LIMITS.preauthGraceMs;
  return isSigned && isNow && by === 'name' && isInstant(expires) && (Number(expires) === 0 || Number(expires) > now);
}

function isInstant(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
