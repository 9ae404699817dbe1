import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { buildConnector, Client } from 'undici';
import type { Dispatcher } from 'undici';
import { systemClock } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { OVER } from '../../../core/over.ts';
import type { NtlmAccount } from '../../auth/ntlm/client/account.ts';
import { encodeAuthenticate } from '../../auth/ntlm/client/authenticate.ts';
import { channelBindings } from '../../auth/ntlm/client/channel-bindings.ts';
import { decodeChallenge } from '../../auth/ntlm/client/challenge.ts';
import type { Challenge } from '../../auth/ntlm/client/challenge.ts';
import { encodeNegotiate } from '../../auth/ntlm/client/negotiate.ts';
import { encodeFiletime } from '../../auth/ntlm/filetime.ts';
import { CONNECTION, connectOptions } from '../agent.ts';
import { challengesOf, schemesOf } from '../authenticate-challenges.ts';
import { isDeadConnection } from '../connection-error.ts';
import type { HttpClientOptions } from '../http-client.ts';
import { hopCount } from '../interceptors.ts';
import { readAway } from '../read-away.ts';
import { signInRefused } from '../sign-in-refusal.ts';
import type { WireRequest } from '../wire.ts';

/** The connection ended before anything of the request was sent on it: another one takes it. */
export class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone';
  /** To everybody else it is a connection that broke off. */
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection has ended');
  }
}

/**
 * One socket and who has signed in on it: NTLM signs in connections, not requests ([MS-NTHT]). It never connects twice; a message that belongs to one socket must not
 * go over another.
 */
export class NtlmConnection {
  readonly #account: NtlmAccount;
  readonly #origin: URL;
  readonly #client: Client;
  readonly #dispatcher: Dispatcher;
  readonly #ending = new AbortController();
  #socket: Socket | undefined;
  #isSignedIn = false;
  #isGone = false;
  #isSpent = false;

  /** @param gone told once, when the socket has ended */
  constructor(origin: string, options: HttpClientOptions, account: NtlmAccount, gone: () => void) {
    this.#account = account;
    this.#origin = new URL(origin);
    // A resumed session need not have the server's certificate, which the channel bindings are made of.
    const connect = buildConnector({ ...connectOptions(options, this.#ending.signal), maxCachedSessions: 0 });
    let isUsed = false;
    this.#client = new Client(origin, {
      ...CONNECTION,
      connect: (target, callback) => {
        if (isUsed) return queueMicrotask(() => callback(new ConnectionGone(), null));
        isUsed = true;
        connect(target, (...[error, socket]) => {
          if (error !== null) return callback(error, null);
          this.#socket = socket;
          callback(null, socket);
        });
      },
    });
    this.#client.on('disconnect', () => {
      this.#isGone = true;
      gone();
    });
    this.#dispatcher = this.#client.compose(...[hopCount(), ...(options.interceptors ?? [])].reverse());
  }

  /** Whether another request may go over it. */
  get isUsable(): boolean {
    return !this.#isGone && !this.#isSpent;
  }

  /** Signs in where nobody has, or the server has forgotten it. @throws ConnectionGone, BridgeError BACKEND_AUTH, and what undici throws */
  async request(request: WireRequest): Promise<Dispatcher.ResponseData> {
    if (!this.#isSignedIn) return this.#signIn(request);
    const answer = await this.#dispatcher.request(request);
    if (answer.statusCode !== 401) return this.#remember(answer);
    this.#isSignedIn = false;
    if (!(await readAway(answer))) {
      this.#isSpent = true;
      throw new ConnectionGone();
    }
    return this.#signIn(request);
  }

  async destroy(): Promise<void> {
    this.#isSpent = true;
    const destroyed = this.#client.destroy();
    this.#ending.abort(OVER);
    await destroyed;
  }

  async #signIn(request: WireRequest): Promise<Dispatcher.ResponseData> {
    const negotiate = encodeNegotiate();
    // After HEAD undici ends the connection.
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const first = await this.#dispatcher.request({ ...request, method, body: request.body === null ? null : '', headers: authorized(request, negotiate) });
    if (first.statusCode !== 401) return this.#withoutSignIn(request, first);
    first.body.on('error', () => undefined);
    const challenge = challengeOf(first.headers);
    if (!(await readAway(first))) throw closes();
    const answer = await this.#dispatcher.request({ ...request, headers: authorized(request, this.#answerTo(challenge, negotiate)) }).catch((error: unknown) => {
      throw !request.signal.aborted && isDeadConnection(error) ? closes(error) : error;
    });
    if (answer.statusCode === 401) {
      // Whatever the server thinks of this connection now, nobody else gets it.
      this.#isSpent = true;
      return answer;
    }
    return this.#remember(answer);
  }

  /** The answer to a request without its body, to which nobody was asked to sign in: a redirect or "busy" is one, everything else is asked again as it was meant. */
  async #withoutSignIn(request: WireRequest, first: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    const { statusCode } = first;
    if ((statusCode >= 300 && statusCode < 400) || statusCode === 429 || statusCode === 503 || (request.body === null && request.method !== 'HEAD')) return first;
    if (!(await readAway(first))) throw closes();
    return this.#remember(await this.#dispatcher.request(request));
  }

  #remember(answer: Dispatcher.ResponseData): Dispatcher.ResponseData {
    // IIS can be told to sign in every request anew (authPersistSingleRequest), and says so.
    this.#isSignedIn = answer.statusCode !== 401 && !/^\s*false\s*$/i.test(String(answer.headers['persistent-auth'] ?? ''));
    return answer;
  }

  #answerTo(challenge: Challenge, negotiate: Buffer): Buffer {
    const certificate = this.#socket instanceof TLSSocket ? this.#socket.getPeerX509Certificate()?.raw : undefined;
    return encodeAuthenticate(this.#account, {
      challenge,
      negotiate,
      clientChallenge: randomBytes(8),
      time: encodeFiletime(systemClock.now()),
      targetName: `HTTP/${this.#origin.hostname}`,
      channelBindings: certificate === undefined ? undefined : channelBindings(certificate),
    });
  }
}

function authorized({ headers }: WireRequest, message: Buffer): Record<string, string> {
  return { ...headers, authorization: `NTLM ${message.toString('base64')}` };
}

/** @throws BridgeError BACKEND_AUTH */
function challengeOf(headers: Dispatcher.ResponseData['headers']): Challenge {
  const offered = challengesOf(headers['www-authenticate']);
  const offers = schemesOf(offered);
  const ntlm = offered.filter(({ scheme }) => scheme === 'ntlm');
  if (ntlm.length === 0) {
    const instead = offered.some(({ scheme }) => scheme === 'negotiate') ? 'add NTLM to the providers of its Windows Authentication' : 'switch Windows Authentication (NTLM) on, or set another auth';
    throw signInRefused(`the server does not offer NTLM: ${instead}`, { offers });
  }
  const token = ntlm.find((one) => one.token !== undefined)?.token;
  if (token === undefined) throw signInRefused('the server offers NTLM and begins none: a proxy in between that does not pass it on, or NTLM is restricted there', { offers });
  if (token.length > Math.ceil(LIMITS.ntlmServerMessageBytes / 3) * 4 || !/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return decodeChallenge(Buffer.alloc(0));
  return decodeChallenge(Buffer.from(token, 'base64'));
}

function closes(cause?: unknown): Error {
  return signInRefused('the server closes the connection within the NTLM handshake: a proxy in between, or HTTP keep-alive is off', { reason: 'connection closed' }, { temporary: true, cause });
}
