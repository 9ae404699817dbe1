import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../core/clock.ts';
import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { ZimbraFault } from './zimbra-fault.ts';
import type { ZimbraOptions } from './zimbra.ts';

export interface Tokens {
  readonly lifetimeMs: number;
  issue(): string;
  /** False for what is no token of ours: to Zimbra a malformed token is no token. @throws ZimbraFault service.AUTH_EXPIRED */
  check(token: string): boolean;
  revokeAll(): void;
}

/** Tokens of the form `0_<hmac hex>_<hex of "id=36:…;exp=13:…;…">` (zimbra.md §1.3). */
export function createTokens(clock: Clock, lifetimeMs: number): Tokens {
  const key = randomBytes(32);
  const accountId = randomUUID();
  const expiries = new Map<string, Instant>();
  const revoked = new Set<string>();
  return {
    lifetimeMs,
    issue() {
      const expires = clock.now() + lifetimeMs;
      const tokenId = randomBytes(4).readUInt32BE().toString();
      const data = Buffer.from(`id=36:${accountId};exp=13:${expires};type=6:zimbra;tid=${tokenId.length}:${tokenId};`, 'utf8').toString('hex');
      const token = `0_${createHmac('sha1', key).update(data).digest('hex')}_${data}`;
      expiries.set(token, expires);
      return token;
    },
    check(token) {
      const expires = expiries.get(token);
      if (expires === undefined) return false;
      if (revoked.has(token) || clock.now() >= expires) throw new ZimbraFault('service.AUTH_EXPIRED', 'auth credentials have expired');
      return true;
    },
    revokeAll() {
      for (const token of expiries.keys()) revoked.add(token);
    },
  };
}

/** AuthRequest by account name and password; one fault for an unknown account and a wrong password. */
export function answerAuth(request: XmlElement, options: Pick<ZimbraOptions, 'username' | 'password'>, tokens: Tokens): XmlText {
  const account = child(request, 'account');
  const password = childText(request, 'password');
  if (account === undefined || password === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: must specify account and password');
  const isKnown = (attribute(account, 'by') ?? 'name') === 'name' && account.text.trim().toLowerCase() === options.username.toLowerCase();
  if (!isKnown || password !== options.password) throw new ZimbraFault('account.AUTH_FAILED', `authentication failed for [${account.text.trim()}]`);
  return xml`<AuthResponse xmlns="urn:zimbraAccount"><authToken>${tokens.issue()}</authToken><lifetime>${tokens.lifetimeMs - 1}</lifetime><skin>harmony</skin></AuthResponse>`;
}
