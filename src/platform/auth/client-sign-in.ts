import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Requester } from '../../core/request-context.ts';
import { noteForLog, scopeOf } from '../http-server/request-scope.ts';
import type { AddressSet } from './address-set.ts';
import { basicCredentials } from './basic-credentials.ts';
import type { FailureMemory, Pair } from './failure-memory.ts';
import type { Preauth, SignIn, TokenPurpose } from './sign-in.ts';

/** One entry of `clients:`. */
export interface ClientAccount {
  readonly requester: Requester;
  /** Absent for an anonymous client. */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  /** Where it may come from; absent: from anywhere. */
  readonly addresses?: AddressSet | undefined;
}

export interface ClientSignInOptions {
  readonly accounts: readonly ClientAccount[];
  readonly failures: FailureMemory;
  /** Signs tokens; made once for a process, so that a reload keeps everyone signed in. */
  readonly tokenKey: Buffer;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Signs in the configured clients, and nobody else. User names are compared without regard to case, as Exchange does. */
export class ClientSignIn implements SignIn {
  readonly #options: ClientSignInOptions;
  readonly #byUsername: ReadonlyMap<string, ClientAccount>;
  readonly #byName: ReadonlyMap<string, ClientAccount>;
  readonly #anonymous: readonly ClientAccount[];
  /** Passwords are compared as keyed digests: equal length, and nothing to learn from the time it takes. */
  readonly #digestKey = randomBytes(32);
  readonly #passwords: ReadonlyMap<ClientAccount, Buffer>;
  readonly #noPassword: Buffer;

  constructor(options: ClientSignInOptions) {
    this.#options = options;
    const named = options.accounts.flatMap((account) => (account.credentials === undefined ? [] : [[account.credentials.username.toLowerCase(), account] as const]));
    this.#byUsername = new Map(named);
    this.#byName = new Map(options.accounts.map((account) => [account.requester.name, account]));
    this.#anonymous = options.accounts.filter((account) => account.requester.anonymous);
    this.#passwords = new Map(options.accounts.map((account) => [account, this.#digest(account.credentials?.password ?? '')]));
    this.#noPassword = this.#digest('');
  }

  async fromRequest(request: IncomingMessage): Promise<Requester> {
    const credentials = basicCredentials(request);
    if (credentials !== undefined) return this.withPassword(credentials.username, credentials.password, request);
    const anonymous = this.anonymous(request);
    if (anonymous === undefined) throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    return anonymous;
  }

  async withPassword(username: string, password: string, request: IncomingMessage): Promise<Requester> {
    const { failures } = this.#options;
    const { address } = scopeOf(request);
    const account = this.#byUsername.get(username.toLowerCase());
    const name = account?.requester.name ?? this.#digest(username.slice(0, LIMITS.credentialCharacters).toLowerCase()).toString('base64');
    const pair: Pair = { name, isKnown: account !== undefined, address };
    const holdMs = failures.hold(pair);
    if (holdMs === undefined) throw this.#refused('TOO_MANY_ATTEMPTS', 'too many failed attempts, try again later', LIMITS.failureDelayMs);
    try {
      if (holdMs > 0) await pause(holdMs);
    } finally {
      if (holdMs > 0) failures.release(pair);
    }
    // The comparison happens for unknown names too, so that they take as long.
    const expected = (account === undefined ? undefined : this.#passwords.get(account)) ?? this.#noPassword;
    const matches = timingSafeEqual(expected, this.#digest(password));
    if (account?.credentials === undefined || !matches || account.addresses?.has(address) === false) {
      failures.failed(pair);
      noteForLog(request, { address, client: account?.requester.name, reason: account === undefined ? 'unknown client' : matches ? 'address not allowed' : 'wrong password' });
      throw this.#refused('AUTH_FAILED', 'wrong user name or password');
    }
    failures.succeeded(pair);
    return account.requester;
  }

  async withPreauth(_preauth: Preauth, _request: IncomingMessage): Promise<Requester> {
    throw this.#refused('AUTH_FAILED', 'DRAFT');
  }

  anonymous(request: IncomingMessage): Requester | undefined {
    const { address } = scopeOf(request);
    return this.#anonymous.find((account) => account.addresses?.has(address) === true)?.requester;
  }

  issueToken(requester: Requester, purpose: TokenPurpose, lifetimeMs: number): string {
    const claims = [requester.name, purpose, this.#options.clock.now() + lifetimeMs];
    const payload = Buffer.from(JSON.stringify(claims)).toString('hex');
    return `0_${this.#sign(payload, requester.name)}_${payload}`;
  }

  async fromToken(token: string, purpose: TokenPurpose, request: IncomingMessage): Promise<Requester> {
    const { address } = scopeOf(request);
    const parts = token.length > LIMITS.credentialCharacters ? null : /^0_([0-9a-f]{64})_((?:[0-9a-f]{2})+)$/.exec(token);
    const claims = parts === null ? undefined : readClaims(parts[2]!);
    const account = claims === undefined ? undefined : this.#byName.get(claims.name);
    if (parts === null || claims === undefined || account === undefined) throw this.#refused('AUTH_FAILED', 'the token is not valid');
    const signed = timingSafeEqual(Buffer.from(parts[1]!), Buffer.from(this.#sign(parts[2]!, claims.name)));
    if (!signed || claims.purpose !== purpose || account.addresses?.has(address) === false) throw this.#refused('AUTH_FAILED', 'the token is not valid');
    if (claims.expires <= this.#options.clock.now()) throw this.#refused('AUTH_EXPIRED', 'the token has expired');
    return account.requester;
  }

  /** The client's password is part of what is signed: changing it voids every token. */
  #sign(payload: string, name: string): string {
    const password = this.#byName.get(name)?.credentials?.password ?? '';
    return createHmac('sha256', this.#options.tokenKey).update(JSON.stringify([payload, password])).digest('hex');
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#digestKey).update(text).digest();
  }

  #refused(code: 'AUTH_FAILED' | 'AUTH_EXPIRED' | 'TOO_MANY_ATTEMPTS', message: string, retryAfterMs?: number): BridgeError {
    this.#options.metrics.signInFailed(code);
    return new BridgeError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
}

function readClaims(payload: string): { name: string; purpose: string; expires: number } | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'hex').toString('utf8'));
    if (!Array.isArray(claims) || claims.length !== 3) return undefined;
    const [name, purpose, expires] = claims as unknown[];
    return typeof name === 'string' && typeof purpose === 'string' && typeof expires === 'number' ? { name, purpose, expires } : undefined;
  } catch {
    // Not JSON: forged or cut off, which the caller reports like any other invalid token.
    return undefined;
  }
}
