import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock, Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Requester } from '../../core/request-context.ts';
import { BASIC_CHALLENGE } from '../http-server/challenge.ts';
import { noteForLog, scopeOf } from '../http-server/request-scope.ts';
import { AddressSet } from './address-set.ts';
import { AccountBook, mayUse, unknownClient } from './account-book.ts';
import type { ClientAccount } from './account-book.ts';
import { basicCredentials } from './basic-credentials.ts';
import { isDirectConnection } from './direct-connection.ts';
import type { FailureMemory, Pair } from './failure-memory.ts';
import { NtlmSignIn } from './ntlm-sign-in.ts';
import { isRightPreauth } from './preauth.ts';
import type { PasswordSignIn, Preauth, SignIn, TokenPurpose } from './sign-in.ts';

export type { ClientAccount, ClientAuth } from './account-book.ts';

export interface ClientSignInOptions {
  readonly accounts: readonly ClientAccount[];
  readonly failures: FailureMemory;
  /** Signs tokens; made once for a process, so that a reload keeps everyone signed in. */
  readonly tokenKey: Buffer;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Everybody comes through a proxy, which gives one connection to many clients: no NTLM. */
  readonly behindProxy?: boolean | undefined;
  /** Addresses and networks that do the same. */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** Signs in the configured clients, and nobody else. User names are compared without regard to case, as Exchange does. */
export class ClientSignIn implements SignIn, PasswordSignIn {
  readonly #options: ClientSignInOptions;
  readonly #accounts: AccountBook;
  readonly #ntlm: NtlmSignIn;
  readonly #proxies: AddressSet;
  /** Passwords are compared as keyed digests: equal length, and nothing to learn from the time it takes. */
  readonly #digestKey = randomBytes(32);
  readonly #passwords: ReadonlyMap<ClientAccount, Buffer>;
  readonly #noPassword: Buffer;

  constructor(options: ClientSignInOptions) {
    this.#options = options;
    this.#accounts = new AccountBook(options.accounts);
    this.#ntlm = new NtlmSignIn({ accounts: this.#accounts, tokenKey: options.tokenKey, clock: options.clock });
    this.#proxies = new AddressSet(options.trustedProxies ?? []);
    this.#passwords = new Map(options.accounts.map((account) => [account, this.#digest(account.credentials?.password ?? '')]));
    this.#noPassword = this.#digest('');
  }

  async fromRequest(request: IncomingMessage): Promise<Requester> {
    this.#offer(request);
    const ntlm = NtlmSignIn.credentialsOf(request);
    if (ntlm !== undefined) return this.#byNtlm(request, ntlm);
    const credentials = basicCredentials(request);
    if (credentials !== undefined) return this.withPassword(credentials.username, credentials.password, request);
    const known = this.#ofConnection(request) ?? this.anonymous(request);
    if (known === undefined) throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    return known;
  }

  async withPassword(username: string, password: string, request: IncomingMessage): Promise<Requester> {
    const account = this.#accounts.byTypedName(username);
    return this.#judged(request, account, username, () => this.#passwordMistake(account, username, password));
  }

  async withPasswordFrom(username: string, password: string, address: string, note: (reason: string | undefined, client: string | undefined) => void): Promise<Requester> {
    const account = this.#accounts.byTypedName(username);
    return this.#judgedAt(address, account, username, () => this.#passwordMistake(account, username, password), note);
  }

  async withPreauth(preauth: Preauth, request: IncomingMessage): Promise<Requester> {
    const account = this.#accounts.byUsername(preauth.account);
    return this.#judged(request, account, preauth.account, () => {
      const isRight = isRightPreauth(preauth, account?.credentials?.password ?? this.#noPassword.toString('hex'), this.#options.clock.now());
      if (account?.credentials === undefined) return unknownClient('');
      return isRight ? undefined : 'wrong preauth';
    });
  }

  anonymous(request: IncomingMessage): Requester | undefined {
    this.#offer(request);
    return this.#accounts.anonymousAt(scopeOf(request).address)?.requester;
  }

  issueToken(requester: Requester, purpose: TokenPurpose, lifetimeMs: number): string {
    const claims = [requester.name, purpose, this.#options.clock.now() + lifetimeMs];
    const payload = Buffer.from(JSON.stringify(claims)).toString('hex');
    return `0_${this.#sign(payload, requester.name)}_${payload}`;
  }

  async fromToken(token: string, purpose: TokenPurpose, request: IncomingMessage): Promise<Requester> {
    this.#offer(request);
    const { address } = scopeOf(request);
    const parts = token.length > LIMITS.credentialCharacters ? null : /^0_([0-9a-f]{64})_((?:[0-9a-f]{2})+)$/.exec(token);
    const claims = parts === null ? undefined : readClaims(parts[2]!);
    const account = claims === undefined ? undefined : this.#accounts.byName(claims.name);
    if (parts === null || claims === undefined || account === undefined) throw this.#refused('AUTH_FAILED', 'the token is not valid');
    const signed = timingSafeEqual(Buffer.from(parts[1]!), Buffer.from(this.#sign(parts[2]!, claims.name)));
    if (!signed || claims.purpose !== purpose || account.addresses?.has(address) === false) throw this.#refused('AUTH_FAILED', 'the token is not valid');
    if (claims.expires <= this.#options.clock.now()) throw this.#refused('AUTH_EXPIRED', 'the token has expired');
    return account.requester;
  }

  expiryOf(token: string): Instant {
    return readClaims(token.slice(token.lastIndexOf('_') + 1))?.expires ?? 0;
  }

  async #byNtlm(request: IncomingMessage, credentials: string): Promise<Requester> {
    if (!this.#mayUseNtlm(request)) throw this.#refused('AUTH_FAILED', 'the credentials cannot be read');
    const step = this.#ntlm.next(request, credentials);
    if (step.kind === 'challenged') {
      scopeOf(request).challenges = [`NTLM ${step.challenge}`];
      noteForLog(request, { reason: 'an NTLM handshake begins' });
      throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    }
    const { account, triedName, judge } = step.answer;
    const requester = await this.#judged(request, account, triedName, judge);
    this.#ntlm.remember(request, account!);
    return requester;
  }

  /** What is wrong with a password, for the log; undefined where nothing is. */
  #passwordMistake(account: ClientAccount | undefined, username: string, password: string): string | undefined {
    // The comparison happens for unknown names too, so that they take as long.
    const expected = (account === undefined ? undefined : this.#passwords.get(account)) ?? this.#noPassword;
    const matches = timingSafeEqual(expected, this.#digest(password));
    if (account?.credentials === undefined) return unknownClient(username.includes('\\') ? username.slice(0, username.indexOf('\\')) : '');
    if (!matches) return 'wrong password';
    return mayUse(account, 'basic') ? undefined : 'its auth does not list basic';
  }

  /** Who signed in on this connection before, looked at anew: the configuration and the client's address may have changed. */
  #ofConnection(request: IncomingMessage): Requester | undefined {
    const account = this.#mayUseNtlm(request) ? this.#ntlm.clientOf(request) : undefined;
    return account?.addresses?.has(scopeOf(request).address) === false ? undefined : account?.requester;
  }

  #mayUseNtlm(request: IncomingMessage): boolean {
    return this.#options.behindProxy !== true && this.#accounts.hasAuth('ntlm') && isDirectConnection(request, this.#proxies);
  }

  /** What a 401 will ask for: what some client may use here, the stronger one first as Exchange has it. A 401 asks for something even where nobody has anything (RFC 9110 11.6.1). */
  #offer(request: IncomingMessage): void {
    const scope = scopeOf(request);
    if (scope.challenges !== undefined) return;
    const ntlm = this.#mayUseNtlm(request) ? ['NTLM'] : [];
    scope.challenges = this.#accounts.hasAuth('basic') || ntlm.length === 0 ? [...ntlm, BASIC_CHALLENGE] : ntlm;
  }

  /** Judges whoever says to be `account`, after the time that earlier failures of the same name at the same address cost. `judge` gives what is wrong, for the log. */
  async #judged(request: IncomingMessage, account: ClientAccount | undefined, triedName: string, judge: () => string | undefined): Promise<Requester> {
    const { address } = scopeOf(request);
    this.#offer(request);
    return this.#judgedAt(address, account, triedName, judge, (reason, client) => noteForLog(request, { address, client, reason }));
  }

  /** @param note is told what was wrong, for the log, and which client it was said to be */
  async #judgedAt(
    address: string,
    account: ClientAccount | undefined,
    triedName: string,
    judge: () => string | undefined,
    note: (reason: string | undefined, client: string | undefined) => void,
  ): Promise<Requester> {
    const { failures } = this.#options;
    const name = account?.requester.name ?? this.#digest(triedName.slice(0, LIMITS.credentialCharacters).toLowerCase()).toString('base64');
    const pair: Pair = { name, isKnown: account !== undefined, address };
    const holdMs = failures.hold(pair);
    if (holdMs === undefined) throw this.#refused('TOO_MANY_ATTEMPTS', 'too many failed attempts, try again later', LIMITS.failureDelayMs);
    try {
      if (holdMs > 0) await pause(holdMs);
    } finally {
      if (holdMs > 0) failures.release(pair);
    }
    const mistake = judge() ?? (account?.addresses?.has(address) === false ? 'address not allowed' : undefined);
    if (account === undefined || mistake !== undefined) {
      failures.failed(pair);
      note(mistake, account?.requester.name);
      throw this.#refused('AUTH_FAILED', 'wrong user name or password');
    }
    failures.succeeded(pair);
    return account.requester;
  }

  /** The client's password is part of what is signed: changing it voids every token. */
  #sign(payload: string, name: string): string {
    const password = this.#accounts.byName(name)?.credentials?.password ?? '';
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
