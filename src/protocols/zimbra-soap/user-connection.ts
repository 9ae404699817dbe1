import type { Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { below } from '../../platform/http-client/below.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import { zimbraHopCount } from '../../platform/http-client/interceptors.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { encodeEnvelope } from '../soap/envelope.ts';
import { decodeAuthResponse, encodeAuthRequest } from './auth.ts';
import type { AuthResponse } from './auth.ts';
import type { ZimbraConnectionOptions } from './connection-options.ts';
import { encodeRequestHeader } from './context-header.ts';
import { SOAP_PATH } from './names.ts';
import { ZimbraSession } from './session.ts';
import { isTokenRefusal, readZimbraAnswer } from './upstream-answer.ts';
import type { ZimbraExchange } from './upstream-answer.ts';

export interface ZimbraUserOptions extends ZimbraConnectionOptions {
  /** The server's root; `/service/soap/` is appended. */
  readonly url: URL;
}

/** On whose time, and at whose cost a request is sent. */
export interface ZimbraCall {
  readonly signal: AbortSignal;
  readonly budget: RequestBudget;
  /** When the answer is worth nothing any more (epoch ms). */
  readonly deadline?: Instant | undefined;
  /** Of the question so far; absent where there is none. */
  readonly hops?: number | undefined;
}

/** An ordinary account's session with a Zimbra: SOAP 1.2 in XML with one token, which is renewed when the server no longer takes it. */
export class ZimbraUserConnection {
  readonly #options: ZimbraUserOptions;
  readonly #endpoint: URL;
  readonly #http: HttpClient;
  readonly #session: ZimbraSession;

  constructor(options: ZimbraUserOptions) {
    this.#options = options;
    this.#endpoint = below(options.url, SOAP_PATH);
    const load = options.loads?.of(this.#endpoint.origin, options.username.toLowerCase(), options.concurrency ?? LIMITS.zimbraConcurrency);
    this.#http = new HttpClient({ ca: options.ca, minTlsVersion: options.minTlsVersion, redirectHosts: options.hosts, load, interceptors: [zimbraHopCount()] });
    this.#session = new ZimbraSession((budget) => this.#signIn(budget), options.clock);
  }

  /** The token, from a sign-in where there is none. @throws BridgeError as the server refused; DEADLINE */
  async token(signal: AbortSignal, budget: RequestBudget): Promise<string> {
    return this.#session.token(signal, budget);
  }

  /** Sends a request with the token; where Zimbra no longer takes it, signs in again and tries once more. @throws BridgeError as `send` and `token` */
  async call(request: XmlNode, call: ZimbraCall): Promise<ZimbraExchange> {
    const token = await this.token(call.signal, call.budget);
    try {
      return await this.send(request, token, call);
    } catch (error) {
      if (!isTokenRefusal(error)) throw error;
      this.#options.logger.info({ system: this.#options.name, protocol: 'zimbra-soap' }, 'the token is no longer taken, signing in again');
      this.#session.discard(token);
      return this.send(request, await this.token(call.signal, call.budget), call);
    }
  }

  /** Sends a request once, without a token where there is none. @throws BridgeError as `readZimbraAnswer` and HttpClient */
  async send(request: XmlNode, token: string | undefined, { signal, budget, deadline, hops }: ZimbraCall): Promise<ZimbraExchange> {
    const answer = await this.#http.request({
      method: 'POST',
      url: this.#endpoint,
      headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
      body: writeXml(encodeEnvelope('1.2', { header: [encodeRequestHeader(token)], body: [request] })),
      signal,
      deadline,
      budget,
      ...(hops === undefined ? {} : { hops }),
    });
    return { response: await readZimbraAnswer(answer), date: answer.headers['date'] };
  }

  /** Ends its connections; calls under way fail. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  async #signIn(budget: RequestBudget): Promise<AuthResponse> {
    const { username, password } = this.#options;
    try {
      const { response } = await this.send(encodeAuthRequest({ account: username, password }), undefined, { signal: AbortSignal.timeout(LIMITS.logonTimeoutMs), budget });
      return decodeAuthResponse(response);
    } catch (error) {
      // To an AuthRequest these say nothing about a token of ours: nobody must sign in once more because of them.
      if (isTokenRefusal(error)) throw new BridgeError('BACKEND_AUTH', 'the calendar system refuses our account', { cause: error });
      throw error;
    }
  }
}
