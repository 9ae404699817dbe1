import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock, Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { Requester } from '../../core/request-context.ts';
import { encodeScryptHash } from '../../core/scrypt-hash.ts';
import { BASIC_CHALLENGE, bearerChallenge } from '../http-server/challenge.ts';
import { noteForLog, scopeOf } from '../http-server/request-scope.ts';
import { AddressSet } from './address-set.ts';
import { AccountBook, mayUse, unknownClient } from './account-book.ts';
import type { ClientAccount } from './account-book.ts';
import { basicCredentials } from './basic-credentials.ts';
import { BearerSignIn } from './bearer/bearer-sign-in.ts';
import type { BearerVerdict } from './bearer/bearer-sign-in.ts';
import type { KnownIssuer } from './bearer/token-issuers.ts';
import { CertificateSignIn } from './certificate-sign-in.ts';
import { isDirectConnection } from './direct-connection.ts';
import { Attempts } from './attempts.ts';
import type { Attempt, Mistake } from './attempts.ts';
import type { FailureMemory } from './failure-memory.ts';
import { HashedPasswords } from './hashed-passwords.ts';
import { NtlmSignIn } from './ntlm-sign-in.ts';
import { PasswordJudge } from './password-judge.ts';
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
  /** Whose tokens clients bring; absent: nobody's. */
  readonly issuers?: readonly KnownIssuer[] | undefined;
  /** PEM certificates of the authorities that vouch for clients' own, as the listeners have them; absent: nobody does. */
  readonly clientCa?: readonly string[] | undefined;
  /** Made once for a process, so that a reload need not verify every client's password again; absent: its own. */
  readonly hashes?: HashedPasswords | undefined;
}

/** Signs in the configured clients, and nobody else. User names are compared without regard to case, as Exchange does. */
export class ClientSignIn implements SignIn, PasswordSignIn {
  readonly #options: ClientSignInOptions;
  readonly #accounts: AccountBook;
  readonly #attempts: Attempts;
  readonly #ntlm: NtlmSignIn;
  readonly #bearer: BearerSignIn;
  readonly #certificates: CertificateSignIn;
  readonly #passwords: PasswordJudge;
  readonly #proxies: AddressSet;
  /** Of preauths that nobody could have signed. */
  readonly #noKey = randomBytes(32).toString('hex');

  constructor(options: ClientSignInOptions) {
    this.#options = options;
    const { clock, tokenKey, clientCa } = options;
    const accounts = new AccountBook(options.accounts);
    this.#accounts = accounts;
    this.#attempts = new Attempts(options.failures, options.metrics);
    this.#ntlm = new NtlmSignIn({ accounts, tokenKey, clock });
    this.#bearer = new BearerSignIn({ accounts, issuers: options.issuers ?? [], clock });
    this.#certificates = new CertificateSignIn({ accounts, clientCa, clock });
    this.#passwords = new PasswordJudge(options.accounts, options.hashes ?? new HashedPasswords());
    this.#proxies = new AddressSet(options.trustedProxies ?? []);
  }

  async fromRequest(request: IncomingMessage): Promise<Requester> {
    this.#offer(request);
    const ntlm = NtlmSignIn.credentialsOf(request);
    if (ntlm !== undefined) return this.#byNtlm(request, ntlm);
    const token = BearerSignIn.tokenOf(request);
    if (token !== undefined) return this.#byBearer(request, token);
    const credentials = basicCredentials(request);
    if (credentials !== undefined) return this.withPassword(credentials.username, credentials.password, request);
    const known = this.#ofConnection(request) ?? this.anonymous(request);
    if (known === undefined) throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    return known;
  }

  async withPassword(username: string, password: string, request: IncomingMessage): Promise<Requester> {
    const account = this.#accounts.byTypedName(username);
    const { address } = scopeOf(request);
    return this.#judged(request, { account, triedName: username, judge: () => this.#passwordMistake(account, username, password, address) });
  }

  async withPasswordFrom(username: string, password: string, address: string, note: (reason: string | undefined, client: string | undefined) => void): Promise<Requester> {
    const account = this.#accounts.byTypedName(username);
    return this.#attempts.judged({ address, account, triedName: username, judge: () => this.#passwordMistake(account, username, password, address), note });
  }

  async withPreauth(preauth: Preauth, request: IncomingMessage): Promise<Requester> {
    const account = this.#accounts.byUsername(preauth.account);
    const judge = (): string | undefined => {
      const key = account?.credentials?.password;
      const isRight = isRightPreauth(preauth, key ?? this.#noKey, this.#options.clock.now());
      if (account?.credentials === undefined) return unknownClient('');
      if (key === undefined) return 'a preauth is signed with the password itself, and only its hash is configured';
      return isRight ? undefined : 'wrong preauth';
    };
    return this.#judged(request, { account, triedName: preauth.account, judge });
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
    if (parts === null || claims === undefined || account === undefined) throw this.#attempts.refused('AUTH_FAILED', 'the token is not valid');
    const signed = timingSafeEqual(Buffer.from(parts[1]!), Buffer.from(this.#sign(parts[2]!, claims.name)));
    if (!signed || claims.purpose !== purpose || account.addresses?.has(address) === false) throw this.#attempts.refused('AUTH_FAILED', 'the token is not valid');
    if (claims.expires <= this.#options.clock.now()) throw this.#attempts.refused('AUTH_EXPIRED', 'the token has expired');
    return account.requester;
  }

  expiryOf(token: string): Instant {
    return readClaims(token.slice(token.lastIndexOf('_') + 1))?.expires ?? 0;
  }

  async #byNtlm(request: IncomingMessage, credentials: string): Promise<Requester> {
    if (!this.#mayUseNtlm(request)) throw this.#attempts.refused('AUTH_FAILED', 'the credentials cannot be read');
    const step = this.#ntlm.next(request, credentials);
    if (step.kind === 'challenged') {
      scopeOf(request).challenges = [`NTLM ${step.challenge}`];
      noteForLog(request, { reason: 'an NTLM handshake begins' });
      throw new BridgeError('AUTH_REQUIRED', 'sign in first');
    }
    const { account, triedName, judge } = step.answer;
    const requester = await this.#judged(request, { account, triedName, judge });
    this.#ntlm.remember(request, account!);
    return requester;
  }

  async #byBearer(request: IncomingMessage, text: string): Promise<Requester> {
    if (!this.#accounts.hasAuth('bearer')) throw this.#attempts.refused('AUTH_FAILED', 'the credentials cannot be read');
    const { account, triedName, judge } = this.#bearer.read(text);
    const scope = scopeOf(request);
    const mistakeOf = (verdict: BearerVerdict): Mistake => {
      if (verdict.kind === 'right') scope.signedInUntil = verdict.until;
      if (verdict.kind !== 'expired') return verdict.kind === 'wrong' ? verdict.reason : undefined;
      // Every token comes to this; that is no guess of anybody's, and slows nobody down.
      noteForLog(request, { client: account?.requester.name, reason: 'the token has expired' });
      throw this.#attempts.refused('AUTH_FAILED', 'the token has expired');
    };
    try {
      return await this.#judged(request, {
        account,
        triedName,
        refusal: 'the token is not valid',
        judge: () => {
          const verdict = judge();
          return verdict instanceof Promise ? verdict.then(mistakeOf) : mistakeOf(verdict);
        },
      });
    } catch (error) {
      const isToken = error instanceof BridgeError && error.code === 'AUTH_FAILED';
      if (isToken) scope.challenges = (scope.challenges ?? []).map((one) => (one === bearerChallenge() ? bearerChallenge(error.publicMessage) : one));
      if (error instanceof BridgeError && error.temporary) noteForLog(request, { client: account?.requester.name, reason: String(error.details['reason'] ?? error.publicMessage) });
      throw error;
    }
  }

  /** What is wrong with a password; at once where no hash has to be verified. */
  #passwordMistake(account: ClientAccount | undefined, username: string, password: string, address: string): Mistake | Promise<Mistake> {
    const mistakeIf = (isRight: boolean): Mistake => {
      if (account?.credentials === undefined) return unknownClient(username.includes('\\') ? username.slice(0, username.indexOf('\\')) : '');
      if (!isRight) return 'wrong password';
      return mayUse(account, 'basic') ? undefined : 'its auth does not list basic';
    };
    const isRight = this.#passwords.isRight(account, username, password, address);
    return typeof isRight === 'boolean' ? mistakeIf(isRight) : isRight.then(mistakeIf);
  }

  /** Whose connection it is, by NTLM before or by a certificate, looked at anew: the configuration and the client's address may have changed. */
  #ofConnection(request: IncomingMessage): Requester | undefined {
    const account = (this.#mayUseNtlm(request) ? this.#ntlm.clientOf(request) : undefined) ?? this.#byCertificate(request);
    return account?.addresses?.has(scopeOf(request).address) === false ? undefined : account?.requester;
  }

  /** A certificate that is nobody's is as none, and the log says why. */
  #byCertificate(request: IncomingMessage): ClientAccount | undefined {
    if (this.#options.behindProxy === true || !this.#accounts.hasAuth('certificate') || !isDirectConnection(request, this.#proxies)) return undefined;
    const owner = this.#certificates.ownerOf(request);
    if (owner === undefined) return undefined;
    if ('account' in owner) {
      scopeOf(request).signedInUntil = owner.until;
      return owner.account;
    }
    noteForLog(request, { address: scopeOf(request).address, reason: owner.reason });
    return undefined;
  }

  #mayUseNtlm(request: IncomingMessage): boolean {
    return this.#options.behindProxy !== true && this.#accounts.hasAuth('ntlm') && isDirectConnection(request, this.#proxies);
  }

  /**
   * What a 401 will ask for: what some client may use here, the stronger one first as Exchange has it. Bearer stands last: old clients look at the first header only, and those that bring tokens are not old.
   * A 401 asks for something even where nobody has anything (RFC 9110 11.6.1).
   */
  #offer(request: IncomingMessage): void {
    const scope = scopeOf(request);
    if (scope.challenges !== undefined) return;
    const others = [...(this.#mayUseNtlm(request) ? ['NTLM'] : []), ...(this.#accounts.hasAuth('bearer') ? [bearerChallenge()] : [])];
    const basic = this.#accounts.hasAuth('basic') || others.length === 0 ? [BASIC_CHALLENGE] : [];
    scope.challenges = [...others.filter((one) => one === 'NTLM'), ...basic, ...others.filter((one) => one !== 'NTLM')];
  }

  /** Judges whoever says to be `account`, after the time that earlier failures of the same name at the same address cost. */
  async #judged(request: IncomingMessage, attempt: Omit<Attempt, 'address' | 'note'>): Promise<Requester> {
    const { address } = scopeOf(request);
    this.#offer(request);
    return this.#attempts.judged({ ...attempt, address, note: (reason, client) => noteForLog(request, { address, client, reason }) });
  }

  /** What the client proves itself with is part of what is signed: changing its password, or the hash of it, voids every token. */
  #sign(payload: string, name: string): string {
    const { credentials, token, certificate } = this.#accounts.byName(name) ?? {};
    const hash = credentials?.passwordHash;
    const proof = [credentials?.password ?? '', ...(hash === undefined ? [] : [encodeScryptHash(hash)]), ...(token === undefined ? [] : [token]), ...(certificate === undefined ? [] : [certificate])];
    return createHmac('sha256', this.#options.tokenKey).update(JSON.stringify([payload, ...proof])).digest('hex');
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
