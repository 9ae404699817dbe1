import type { IncomingMessage } from 'node:http';
import type { Instant } from '../../core/clock.ts';
import type { Requester } from '../../core/request-context.ts';

/** What a token is good for; one made for the one is nothing to the other. */
export type TokenPurpose = 'owa-cookie' | 'zimbra-token';

/** What a portal signs instead of sending a password; times are epoch ms as text, as they were signed. */
export interface Preauth {
  readonly account: string;
  /** `name` */
  readonly by: string;
  readonly timestamp: string;
  /** 0: the token's usual lifetime. */
  readonly expires: string;
  /** Lower- or upper-case hex of HMAC-SHA1 over `account|by|expires|timestamp`. */
  readonly digest: string;
}

/** How faces learn who asks. No face answers without a Requester from here. */
export interface SignIn {
  /**
   * By `Authorization: Basic`, `NTLM` or `Bearer`; where the request carries no Authorization at all, whoever signed in on its connection
   * by NTLM or in its TLS handshake by a certificate, else an anonymous client for its address. Reads no body and no query, and leaves what a 401 is to ask for to
   * `setChallenge`: two of NTLM's three requests end in one.
   *
   * @throws BridgeError AUTH_REQUIRED (nothing sent and nobody anonymous, or a handshake has begun), AUTH_FAILED, TOO_MANY_ATTEMPTS, BACKEND_UNREACHABLE (temporary: a token's
   *   issuer does not answer, and nobody can say whether the token is good)
   */
  fromRequest(request: IncomingMessage): Promise<Requester>;
  /** By a name and password that stood elsewhere (a form, a SOAP body), for clients that may use basic. @throws BridgeError AUTH_FAILED, TOO_MANY_ATTEMPTS */
  withPassword(username: string, password: string, request: IncomingMessage): Promise<Requester>;
  /**
   * By a value signed with the client's password in place of the password (zimbra.md §1.4).
   *
   * @throws BridgeError AUTH_FAILED (signature, account, or a time more than five minutes off), TOO_MANY_ATTEMPTS
   */
  withPreauth(preauth: Preauth, request: IncomingMessage): Promise<Requester>;
  /** The anonymous client for this request's address, if one is configured. */
  anonymous(request: IncomingMessage): Requester | undefined;
  /** A signed token of `[A-Za-z0-9_.-]` only. It dies with the client's entry or password in the configuration. */
  issueToken(requester: Requester, purpose: TokenPurpose, lifetimeMs: number): string;
  /** @throws BridgeError AUTH_EXPIRED; AUTH_FAILED when malformed, forged, for another purpose, or from an address the client may not use */
  fromToken(token: string, purpose: TokenPurpose, request: IncomingMessage): Promise<Requester>;
  /** When a token that `fromToken` took ends. */
  expiryOf(token: string): Instant;
}

/** How a client signs in where there is no HTTP: an LDAP bind. */
export interface PasswordSignIn {
  /**
   * By a name and a password, for clients that may use basic.
   *
   * @param address the client's, plain
   * @param note is told what was wrong, for the log, and which client it was said to be
   * @throws BridgeError AUTH_FAILED, TOO_MANY_ATTEMPTS
   */
  withPasswordFrom(username: string, password: string, address: string, note: (reason: string | undefined, client: string | undefined) => void): Promise<Requester>;
}
