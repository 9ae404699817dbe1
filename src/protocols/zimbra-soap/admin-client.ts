import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { below } from '../../platform/http-client/below.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { writeXml } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { encodeEnvelope } from '../soap/envelope.ts';
import { decodeAuthResponse, encodeAdminAuthRequest } from './auth.ts';
import type { AuthResponse } from './auth.ts';
import type { ZimbraConnectionOptions } from './connection-options.ts';
import { encodeRequestHeader } from './context-header.ts';
import { ADMIN_SOAP_PATH } from './names.ts';
import { ZimbraSession } from './session.ts';
import { isTokenRefusal, readZimbraAnswer } from './upstream-answer.ts';
import { within } from '../../core/within.ts';

export interface ZimbraAdminOptions extends ZimbraConnectionOptions {
  /** The admin port's root; `/service/admin/soap/` is appended. */
  readonly adminUrl: URL;
}

/**
 * An administrator at a Zimbra: WaitSets and the look-up of accounts, nothing else. Free/busy is never read with this token: it would
 * show what users have denied.
 */
export class ZimbraAdmin {
  /** The SOAP address of `adminUrl`. */
  readonly endpoint: URL;
  readonly #options: ZimbraAdminOptions;
  readonly #http: HttpClient;
  readonly #session: ZimbraSession;

  constructor(options: ZimbraAdminOptions) {
    this.#options = options;
    this.endpoint = below(options.adminUrl, ADMIN_SOAP_PATH);
    this.#http = new HttpClient({ ca: options.ca, minTlsVersion: options.minTlsVersion, redirectHosts: options.hosts });
    this.#session = new ZimbraSession((budget) => this.#signIn(budget), options.clock);
  }

  /** Whether the configuration lets the token go there; a server's own word never does. */
  permits(url: URL): boolean {
    if (url.origin === this.endpoint.origin) return true;
    if (url.protocol !== this.endpoint.protocol) return false;
    const place = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
    return this.#options.hosts.some((host) => host.toLowerCase() === url.hostname || host.toLowerCase() === place);
  }

  /** Gets a token, or has one. @throws BridgeError as the server refused */
  async signIn(signal: AbortSignal): Promise<void> {
    await this.#session.token(signal, new RequestBudget());
  }

  /**
   * Sends one request and gives the element in the answer's Body. A token that is no longer taken (AUTH_EXPIRED, AUTH_REQUIRED, 401) is
   * renewed and the request sent once more.
   *
   * @param at another mail store's SOAP address; default: `endpoint`
   * @param patienceMs how long the answer may take; default: LIMITS.zimbraAdminCallMs
   * @param isHeld the server answers when something happens: it takes nobody's turn
   * @throws BridgeError as `readZimbraAnswer` and HttpClient; DEADLINE; CONFIGURATION where `at` is not permitted
   */
  async call(request: XmlNode, signal: AbortSignal, at: URL = this.endpoint, patienceMs: number = LIMITS.zimbraAdminCallMs, isHeld = false): Promise<XmlElement | undefined> {
    if (!this.permits(at)) throw new BridgeError('CONFIGURATION', 'the token may not go there', { details: { target: at.host, hint: 'list it under `hosts`' } });
    return within(patienceMs, signal, async (either) => {
      const budget = new RequestBudget();
      const token = await this.#session.token(either, budget);
      try {
        return await this.#send(request, token, at, either, budget, isHeld);
      } catch (error) {
        if (!isTokenRefusal(error) && !isUnauthorized(error)) throw error;
        const { name: system, logger } = this.#options;
        logger.info({ system, protocol: 'zimbra-soap', operation: 'admin' }, 'the token is no longer taken, signing in again');
        this.#session.discard(token);
        return this.#send(request, await this.#session.token(either, budget), at, either, budget, isHeld);
      }
    });
  }

  /** Ends its connections; calls under way fail. */
  async close(): Promise<void> {
    await this.#http.close();
  }

  async #signIn(budget: RequestBudget): Promise<AuthResponse> {
    const { username, password } = this.#options;
    try {
      const request = encodeAdminAuthRequest({ account: username, password });
      return decodeAuthResponse(await this.#send(request, undefined, this.endpoint, AbortSignal.timeout(LIMITS.logonTimeoutMs), budget));
    } catch (error) {
      // To an AuthRequest these say nothing about a token of ours: nobody must sign in once more because of them.
      if (isTokenRefusal(error) || isUnauthorized(error)) throw new BridgeError('BACKEND_AUTH', 'the calendar system refuses our administrator', { cause: error });
      throw error;
    }
  }

  async #send(request: XmlNode, token: string | undefined, url: URL, signal: AbortSignal, budget: RequestBudget, isHeld = false): Promise<XmlElement | undefined> {
    const body = writeXml(encodeEnvelope('1.2', { header: [encodeRequestHeader(token)], body: [request] }));
    const { loads, username, concurrency = LIMITS.zimbraConcurrency } = this.#options;
    // Every mail store has its own.
    const load = isHeld ? 'none' : loads?.of(url.origin, username.toLowerCase(), concurrency);
    const answer = await this.#http.request({ method: 'POST', url, headers: { 'content-type': 'application/soap+xml; charset=utf-8' }, body, signal, load, budget });
    return readZimbraAnswer(answer);
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'BACKEND_AUTH' && error.details['status'] === 401;
}
