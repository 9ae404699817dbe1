import type { Clock } from '../../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import { untilAborted } from '../../../core/until-aborted.ts';
import { within } from '../../../core/within.ts';
import { ISSUER } from '../authentication.ts';
import type { TokenSource } from '../authentication.ts';
import { HttpClient } from '../http-client.ts';
import { RequestBudget } from '../request-budget.ts';
import { AssertionSigner } from './client-assertion.ts';
import type { CertificateCredential } from './client-assertion.ts';
import { decodeTokenAnswer } from './token-answer.ts';
import type { IssuedToken } from './token-answer.ts';

export interface OAuthTokenSourceOptions {
  /** The token endpoint; no redirect leads away from it. */
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly credential: { readonly kind: 'secret'; readonly secret: string } | ({ readonly kind: 'certificate' } & CertificateCredential);
  /** Blanks between several; empty: none is sent. */
  readonly scope: string;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A way of proving who we are: the fields and headers it adds to a request. */
interface Proof {
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A token that is in use. */
interface Held {
  readonly token: string;
  /** Epoch ms. */
  readonly since: number;
  readonly until: number;
}

/**
 * Tokens by the client credentials grant (RFC 6749 §4.4). One request at a time, whoever waits; a token is kept until shortly before its end, a failure for some
 * seconds, so that a thousand lookups are one question to the issuer.
 *
 * Secrets go into the body (client_secret_post, as Entra and AD FS document it) and, where the issuer says invalid_client to that, into the header
 * (client_secret_basic); assertions are signed by PS256 and, in the same case, by RS256. What was taken is kept to. Where Entra says by a code of its own what is
 * wrong, nothing else is tried.
 */
export class OAuthTokenSource implements TokenSource {
  readonly #options: OAuthTokenSourceOptions;
  readonly #http: HttpClient;
  readonly #proofs: readonly (() => Promise<Proof>)[];
  readonly #closing = new AbortController();
  /** The proof that was taken last. */
  #proof = 0;
  #held: Held | undefined;
  #flight: Promise<Held> | undefined;
  #failure: { readonly error: BridgeError; readonly since: number; readonly until: number } | undefined;
  #refusedAt = -Infinity;

  /** @throws BridgeError CONFIGURATION as AssertionSigner */
  constructor(options: OAuthTokenSourceOptions) {
    this.#options = options;
    this.#http = new HttpClient({ ca: options.ca });
    const { credential } = options;
    this.#proofs = credential.kind === 'secret' ? secretProofs(options.clientId, credential.secret) : assertionProofs(options, new AssertionSigner(credential));
  }

  /** @throws BridgeError as TokenSource, and BACKEND_BUSY, BACKEND_REDIRECT */
  async token(signal: AbortSignal): Promise<string> {
    const now = this.#options.clock.now();
    if (this.#held !== undefined && isWithin(now, this.#held)) return this.#held.token;
    if (this.#failure !== undefined && isWithin(now, this.#failure)) throw this.#failure.error;
    const flight = (this.#flight ??= this.#renew());
    try {
      return (await untilAborted(flight, signal)).token;
    } catch (error) {
      // The flight's own end is none of these: whoever asked waits no longer.
      throw error instanceof BridgeError && error.code === 'DEADLINE' ? new BridgeError('DEADLINE', error.publicMessage, { temporary: true, details: { by: ISSUER }, cause: error }) : error;
    }
  }

  /**
   * The next question for a token fetches one. But a server that refuses the new one as well wants none of ours: then that one stays, or every lookup would be
   * a question to the issuer.
   */
  refused(token: string): void {
    if (this.#held?.token !== token) return;
    const now = this.#options.clock.now();
    const isNew = Math.abs(now - this.#held.since) < LIMITS.tokenRefusedForMs;
    if (isNew && Math.abs(now - this.#refusedAt) < LIMITS.tokenRefusedForMs) return;
    this.#refusedAt = now;
    this.#held = undefined;
  }

  /** Ends its connections; whoever waits for a token gets none. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#http.close();
  }

  async #renew(): Promise<Held> {
    const { clock, logger } = this.#options;
    const since = clock.now();
    try {
      const { token, lifeMs } = await within(LIMITS.tokenTimeoutMs, this.#closing.signal, (signal) => this.#ask(signal));
      // A short-lived one is used for three quarters of its life.
      const until = since + Math.max(lifeMs - LIMITS.tokenMarginMs, (lifeMs * 3) / 4);
      this.#failure = undefined;
      this.#held = { token, since, until };
      return this.#held;
    } catch (thrown) {
      const error = ofIssuer(toBridgeError(thrown));
      const now = clock.now();
      this.#failure = { error, since: now, until: now + holdMs(error) };
      const { reason } = error.details;
      logger.warn({ code: error.code, operation: 'token', ...(reason === undefined ? {} : { reason: String(reason) }) }, 'no token from the issuer');
      throw error;
    } finally {
      this.#flight = undefined;
    }
  }

  async #ask(signal: AbortSignal): Promise<IssuedToken> {
    const { tokenUrl, clientId, scope } = this.#options;
    let first: BridgeError | undefined;
    for (let tries = 1; ; tries++) {
      const { fields, headers } = await this.#proofs[this.#proof]!();
      const answer = await this.#http.request({
        method: 'POST',
        url: tokenUrl,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', 'user-agent': 'freebusy-bridge', ...headers },
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...(scope === '' ? {} : { scope }), ...fields }).toString(),
        signal,
        budget: new RequestBudget(),
        redirect: 'manual',
      });
      try {
        return decodeTokenAnswer(answer);
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        const { reason } = error.details;
        // Another way that is not understood at all says nothing of who we are.
        if (first !== undefined && reason === 'invalid_request') throw first;
        if (tries === this.#proofs.length || reason !== 'invalid_client') throw error;
        first ??= error;
        this.#proof = (this.#proof + 1) % this.#proofs.length;
      }
    }
  }
}

/** Not before its beginning either: then the clock was set back, and nothing is known of it. */
function isWithin(now: number, { since, until }: { readonly since: number; readonly until: number }): boolean {
  return now >= since && now < until;
}

function secretProofs(clientId: string, secret: string): readonly (() => Promise<Proof>)[] {
  // RFC 6749 §2.3.1: both are form-encoded first.
  const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
  const authorization = `Basic ${Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString('base64')}`;
  return [async () => ({ fields: { client_secret: secret }, headers: {} }), async () => ({ fields: {}, headers: { authorization } })];
}

function assertionProofs({ clientId, tokenUrl, clock }: OAuthTokenSourceOptions, signer: AssertionSigner): readonly (() => Promise<Proof>)[] {
  return signer.algorithms.map((algorithm) => async () => ({
    fields: { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await signer.sign(algorithm, clientId, tokenUrl.href, clock) },
    headers: {},
  }));
}

function holdMs(error: BridgeError): number {
  const most = Math.min(error.retryAfterMs ?? LIMITS.tokenAwayForMs, LIMITS.tokenLongestHoldMs);
  return error.temporary ? most : LIMITS.tokenRefusedForMs;
}

/** What HttpClient says of a calendar system is about the issuer here: `by` says so to whoever judges servers by errors. */
function ofIssuer(error: BridgeError): BridgeError {
  const { temporary, retryAfterMs, details, cause } = error;
  const again = (code: BridgeError['code'], message: string, hint?: string): BridgeError => new BridgeError(code, message, { temporary, retryAfterMs, cause, details: { ...(hint === undefined ? {} : { hint }), ...details, by: ISSUER } });
  if (error.code === 'BACKEND_TLS') return again(error.code, 'the issuer of tokens could not be trusted', 'the certificate of tokenUrl is not trusted here: look at it with `openssl s_client`, and at the authorities configured for it');
  if (error.code === 'BACKEND_UNREACHABLE') return again(error.code, 'the issuer of tokens cannot be reached', REACH_HINT);
  if (error.code === 'BACKEND_MALFORMED' && details['hint'] === undefined) return again(error.code, 'the issuer of tokens breaks off its answer, or does not speak HTTP', 'see what answers at tokenUrl: the port may be another service, or one with TLS');
  return error.code === 'DEADLINE' ? again('BACKEND_UNREACHABLE', 'the issuer of tokens does not answer', REACH_HINT) : again(error.code, error.publicMessage, error.code === 'BACKEND_BUSY' ? 'the issuer is down, or asks for a pause: look at its state, or try again later' : undefined);
}

const REACH_HINT = 'look at tokenUrl, and at a firewall or proxy in between';
