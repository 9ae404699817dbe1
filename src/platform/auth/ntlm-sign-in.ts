import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { noteForLog } from '../http-server/request-scope.ts';
import { mayUse, unknownClient } from './account-book.ts';
import type { AccountBook, ClientAccount } from './account-book.ts';
import { clientOfConnection, rememberChallenge, rememberClient, takeChallenge } from './ntlm-connection.ts';
import { decodeAuthenticate } from './ntlm/authenticate.ts';
import type { Authenticate } from './ntlm/authenticate.ts';
import { encodeChallenge } from './ntlm/challenge.ts';
import { messageTypeOf, unreadable } from './ntlm/message.ts';
import { decodeNegotiate } from './ntlm/negotiate.ts';
import { isIntact, isRightResponse, ntHash, responseKey } from './ntlm/response.ts';

export interface NtlmSignInOptions {
  readonly accounts: AccountBook;
  readonly tokenKey: Buffer;
  readonly clock: Clock;
}

/** What a client says with `Authorization: NTLM`. */
export type NtlmStep =
  | { readonly kind: 'challenged'; /** Goes into WWW-Authenticate, alone. */ readonly challenge: string }
  | { readonly kind: 'answered'; readonly answer: NtlmAnswer };

/** An answer to a challenge, not judged yet: whoever does may hold back the result first. */
export interface NtlmAnswer {
  readonly account: ClientAccount | undefined;
  /** As the client calls itself, for counting failures. */
  readonly triedName: string;
  /** What is wrong, for the log; undefined where the account is proven. */
  readonly judge: () => string | undefined;
}

/** The server's side of NTLMv2 ([MS-NLMP] 3.2): challenges, and judges the answers. The book's passwords are the only truth; nothing is passed on to anybody. */
export class NtlmSignIn {
  readonly #options: NtlmSignInOptions;
  /** NT hashes, made when first wanted; and one that no password has, for unknown names. */
  readonly #hashes = new Map<ClientAccount, Buffer>();
  readonly #noHash = randomBytes(16);

  constructor(options: NtlmSignInOptions) {
    this.#options = options;
  }

  /** The credentials of an Authorization header of this scheme; undefined for any other. */
  static credentialsOf({ headers }: IncomingMessage): string | undefined {
    const match = /^ntlm(?:\s+(.*))?$/is.exec(headers.authorization ?? '');
    return match === null ? undefined : (match[1] ?? '');
  }

  /**
   * Takes the next message of a handshake. A NEGOTIATE begins one, whatever went before; an AUTHENTICATE uses its challenge up, right or wrong.
   *
   * @throws BridgeError AUTH_FAILED for what is neither, or answers no challenge of this connection of the last LIMITS.ntlmChallengeMs (or of a time to come: the clock was set back)
   */
  next(request: IncomingMessage, credentials: string): NtlmStep {
    const message = decodeBase64(credentials);
    if (messageTypeOf(message) === 'negotiate') return { kind: 'challenged', challenge: this.#challenge(request, message) };
    const pending = takeChallenge(request);
    const answer = decodeAuthenticate(message);
    const now = this.#options.clock.now();
    if (pending === undefined || Math.abs(now - pending.issuedAt) > LIMITS.ntlmChallengeMs) {
      noteForLog(request, { reason: 'answers no NTLM challenge of this connection, or one too old' });
      throw unreadable();
    }
    const account = this.#options.accounts.byDomainUser(answer.domain, answer.username);
    const judge = (): string | undefined => {
      const key = responseKey(this.#hashOf(account), answer.username, answer.domain);
      return answer.response !== undefined && isRightResponse(answer.response, key, pending.serverChallenge)
        ? this.#mistakeOf(account, answer, isIntact(answer, key, pending.negotiate, pending.challenge), now)
        : wrongAnswer(account, answer);
    };
    return { kind: 'answered', answer: { account, triedName: `${answer.domain}\\${answer.username}`, judge } };
  }

  /** The connection is this account's from now on. */
  remember(request: IncomingMessage, account: ClientAccount): void {
    rememberClient(request, { name: account.requester.name, seal: this.#sealOf(account) });
  }

  /** Whose connection this is; undefined where nobody has signed in on it, or the configuration has another password for it by now. */
  clientOf(request: IncomingMessage): ClientAccount | undefined {
    const client = clientOfConnection(request);
    const account = client === undefined ? undefined : this.#options.accounts.byName(client.name);
    if (client === undefined || account === undefined || !mayUse(account, 'ntlm')) return undefined;
    return this.#sealOf(account).equals(client.seal) ? account : undefined;
  }

  #challenge(request: IncomingMessage, negotiate: Buffer): string {
    const issuedAt = this.#options.clock.now();
    const serverChallenge = randomBytes(8);
    const challenge = encodeChallenge(decodeNegotiate(negotiate), serverChallenge, issuedAt);
    rememberChallenge(request, { serverChallenge, negotiate, challenge, issuedAt });
    return challenge.toString('base64');
  }

  #mistakeOf(account: ClientAccount | undefined, { response, domain }: Authenticate, intact: boolean, now: number): string | undefined {
    if (account === undefined) return unknownClient(domain);
    if (!mayUse(account, 'ntlm')) return 'its auth does not list ntlm';
    if (!intact) return 'the NTLM messages were changed on the way';
    return Math.abs(response!.timestamp - now) > LIMITS.ntlmClockSkewMs ? "the client's clock is more than 36 hours off" : undefined;
  }

  #hashOf(account: ClientAccount | undefined): Buffer {
    // Of a password whose hash alone is known, NTLM could be proved by nobody.
    if (account?.credentials?.password === undefined) return this.#noHash;
    const known = this.#hashes.get(account) ?? ntHash(account.credentials.password);
    this.#hashes.set(account, known);
    return known;
  }

  #sealOf({ requester, credentials }: ClientAccount): Buffer {
    return createHmac('sha256', this.#options.tokenKey).update(JSON.stringify(['ntlm', requester.name, credentials?.username, credentials?.password])).digest();
  }
}

function wrongAnswer(account: ClientAccount | undefined, { response, domain }: Authenticate): string {
  if (account === undefined) return unknownClient(domain);
  return response === undefined ? 'NTLMv1, LM or no response; only NTLMv2 is taken' : 'wrong password';
}

/** @throws BridgeError AUTH_FAILED */
function decodeBase64(text: string): Buffer {
  const encoded = /^([A-Za-z0-9+/]+={0,2})\s*$/.exec(text)?.[1];
  if (encoded === undefined || encoded.length > Math.ceil(LIMITS.ntlmMessageBytes / 3) * 4) throw unreadable();
  return Buffer.from(encoded, 'base64');
}
