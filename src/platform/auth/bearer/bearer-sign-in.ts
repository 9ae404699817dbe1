import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock, Instant } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { mayUse } from '../account-book.ts';
import type { AccountBook, ClientAccount } from '../account-book.ts';
import { readToken, shownValue, verifyToken } from './json-web-token.ts';
import type { Claims, ReadToken } from './json-web-token.ts';
import type { KnownIssuer } from './token-issuers.ts';

export interface BearerSignInOptions {
  readonly accounts: AccountBook;
  readonly issuers: readonly KnownIssuer[];
  readonly clock: Clock;
}

/** A token that was brought, and who it says to be; not judged yet: whoever does may hold back the result first. */
export interface BroughtToken {
  readonly account: ClientAccount | undefined;
  /** For counting failures; the same for what is the same client to its issuer. */
  readonly triedName: string;
  /** At once for a token that was right before; else the promise rejects with BridgeError BACKEND_UNREACHABLE where the issuer would have to be asked and does not answer. */
  readonly judge: () => BearerVerdict | Promise<BearerVerdict>;
}

export type BearerVerdict =
  | { readonly kind: 'right'; /** When the token ends. */ readonly until: Instant }
  /** Signed and over. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'wrong'; /** For the log. */ readonly reason: string };

interface Remembered {
  readonly account: ClientAccount;
  readonly triedName: string;
  readonly expires: Instant;
  /** When it is looked at again in any case. */
  readonly until: Instant;
  readonly issuer: KnownIssuer;
  /** Of the keys it was verified with. */
  readonly version: string;
}

/** By which of its claims a client is known, for the log and for counting. */
const IDENTIFYING = ['azp', 'appid', 'client_id', 'sub'] as const;

/**
 * OAuth 2 bearer tokens (RFC 6750) that are JWTs (RFC 9068), checked against the configured issuers' keys. A client is whoever has a token of its issuer with its claims; the first one that fits.
 * A token that was right is remembered by its digest until it ends, the issuer's keys change or the configuration does.
 */
export class BearerSignIn {
  readonly #options: BearerSignInOptions;
  readonly #issuers: ReadonlyMap<string, KnownIssuer>;
  /** The oldest first. */
  readonly #right = new Map<string, Remembered>();

  constructor(options: BearerSignInOptions) {
    this.#options = options;
    this.#issuers = new Map(options.issuers.map((one) => [one.issuer.issuer, one]));
  }

  /** The token of an Authorization header of this scheme, empty where there is none; undefined for any other scheme. Never from a query or a form (RFC 6750 §2.2, §2.3). */
  static tokenOf({ headers }: IncomingMessage): string | undefined {
    const match = /^bearer(?: +([\w.~+/-]+=*))? *$/i.exec(headers.authorization ?? '');
    if (match !== null) return match[1] ?? '';
    return /^bearer(?:\s|$)/i.test(headers.authorization ?? '') ? '' : undefined;
  }

  read(text: string): BroughtToken {
    const digest = createHash('sha256').update(text).digest('base64');
    const known = this.#remembered(digest);
    if (known !== undefined) return { account: known.account, triedName: known.triedName, judge: () => ({ kind: 'right', until: known.expires }) };
    const token = readToken(text);
    if (typeof token === 'string') return { account: undefined, triedName: 'bearer', judge: () => ({ kind: 'wrong', reason: token }) };
    const account = this.#options.accounts.byToken(token.issuer, token.claims);
    const triedName = `bearer ${JSON.stringify([token.issuer, ...IDENTIFYING.map((name) => token.claims[name])])}`;
    return { account, triedName, judge: () => this.#judge(token, digest, account, triedName) };
  }

  async #judge(token: ReadToken, digest: string, account: ClientAccount | undefined, triedName: string): Promise<BearerVerdict> {
    const { clock } = this.#options;
    const issuer = this.#issuers.get(token.issuer);
    if (issuer === undefined) return { kind: 'wrong', reason: `the token's issuer${named(token.issuer)} is none of issuers (upper and lower case and a slash at the end count)` };
    const keys = await issuer.keys.keysFor(token.keyId);
    const now = clock.now();
    const verdict = await verifyToken(token, keys, { issuer: issuer.issuer.issuer, audience: issuer.issuer.audience, now });
    if (verdict.kind !== 'right') return verdict;
    // The account was chosen by what the token said before anybody had verified it: it is chosen again by what its issuer has signed.
    if (account === undefined || this.#options.accounts.byToken(token.issuer, verdict.claims) !== account) return { kind: 'wrong', reason: `no client has a token with these claims: ${claimsInWords(verdict.claims)}` };
    if (!mayUse(account, 'bearer')) return { kind: 'wrong', reason: 'its auth does not list bearer' };
    this.#remember(digest, { account, triedName, expires: verdict.expires, until: Math.min(verdict.expires, now + LIMITS.verifiedTokenMs), issuer, version: keys.version });
    return { kind: 'right', until: verdict.expires };
  }

  #remembered(digest: string): Remembered | undefined {
    const known = this.#right.get(digest);
    if (known === undefined) return undefined;
    if (known.until > this.#options.clock.now() && known.issuer.keys.version() === known.version) return known;
    this.#right.delete(digest);
    return undefined;
  }

  #remember(digest: string, one: Remembered): void {
    this.#right.delete(digest);
    this.#right.set(digest, one);
    if (this.#right.size > LIMITS.verifiedTokens) this.#right.delete(this.#right.keys().next().value!);
  }
}

function named(value: unknown): string {
  const text = shownValue(value);
  return text === undefined ? '' : ` ${text}`;
}

/** What an administrator writes under `token.claims`. */
function claimsInWords(claims: Claims): string {
  const said = [...IDENTIFYING, 'roles', 'scp', 'scope'].flatMap((name) => {
    const text = shownValue(claims[name]);
    return text === undefined ? [] : [`${name} ${text}`];
  });
  return said.length === 0 ? 'none of azp, appid, client_id, sub' : said.join(', ');
}
