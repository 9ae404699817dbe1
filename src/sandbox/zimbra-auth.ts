import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Instant } from '../core/clock.ts';
import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { ZimbraFault } from './zimbra-fault.ts';
import type { ZimbraOptions } from './zimbra.ts';

/** Of a user, or of a global administrator. */
export type TokenRank = 'user' | 'admin';

export interface Tokens {
  readonly lifetimeMs: number;
  issue(rank: TokenRank): string;
  /** Undefined for what is no token of ours: to Zimbra a malformed token is no token. @throws ZimbraFault service.AUTH_EXPIRED */
  check(token: string): TokenRank | undefined;
  revokeAll(): void;
}

/** Tokens of the form `0_<hmac hex>_<hex of "id=36:…;exp=13:…;…">` (zimbra.md §1.3). */
export function createTokens(clock: Clock, lifetimeMs: number): Tokens {
  const key = randomBytes(32);
  const accountId = randomUUID();
  const issued = new Map<string, { readonly expires: Instant; readonly rank: TokenRank }>();
  const revoked = new Set<string>();
  return {
    lifetimeMs,
    issue(rank) {
      const expires = clock.now() + lifetimeMs;
      const tokenId = randomBytes(4).readUInt32BE().toString();
      const data = Buffer.from(`id=36:${accountId};exp=13:${expires};${rank === 'admin' ? 'admin=1:1;' : ''}type=6:zimbra;tid=${tokenId.length}:${tokenId};`, 'utf8').toString('hex');
      const token = `0_${createHmac('sha1', key).update(data).digest('hex')}_${data}`;
      issued.set(token, { expires, rank });
      return token;
    },
    check(token) {
      const found = issued.get(token);
      if (found === undefined) return undefined;
      if (revoked.has(token) || clock.now() >= found.expires) throw new ZimbraFault('service.AUTH_EXPIRED', 'auth credentials have expired');
      return found.rank;
    },
    revokeAll() {
      for (const token of issued.keys()) revoked.add(token);
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
  return xml`<AuthResponse xmlns="urn:zimbraAccount"><authToken>${tokens.issue('user')}</authToken><lifetime>${tokens.lifetimeMs - 1}</lifetime><skin>harmony</skin></AuthResponse>`;
}

/**
 * AuthRequest of the admin namespace: one code for who is no administrator, another for a wrong password (zimbra.md §1.3).
 *
 * @param admin undefined: this server has no administrator
 */
export function answerAdminAuth(request: XmlElement, admin: Credentials | undefined, tokens: Tokens): XmlText {
  const name = childText(request, 'name') ?? childText(request, 'account');
  const password = childText(request, 'password');
  if (name === undefined || password === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: must specify name and password');
  if (admin === undefined || name.toLowerCase() !== admin.username.toLowerCase()) throw new ZimbraFault('service.PERM_DENIED', 'permission denied: Error in Authentication');
  if (password !== admin.password) throw new ZimbraFault('account.AUTH_FAILED', `authentication failed for [${name}]`);
  return xml`<AuthResponse xmlns="urn:zimbraAdmin"><authToken>${tokens.issue('admin')}</authToken><lifetime>${tokens.lifetimeMs - 1}</lifetime></AuthResponse>`;
}
