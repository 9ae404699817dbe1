import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { within } from '../../core/within.ts';
import { challengesOf, schemesOf } from '../../platform/http-client/authenticate-challenges.ts';
import type { Authentication } from '../../platform/http-client/authentication.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import type { HttpAnswer, HttpClientOptions } from '../../platform/http-client/http-client.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { decodeAnswered } from './answered.ts';
import { encodePoxQuestion } from './ask-pox.ts';
import { GET_USER_SETTINGS, encodeUserSettingsQuestion } from './ask-user-settings.ts';
import { jsonQuestion } from './json-reply.ts';
import { XML_CONTENT_TYPE } from './names.ts';
import type { Reply } from './reply.ts';
import type { Service } from './service.ts';

export interface AutodiscoverConnectionOptions extends Pick<HttpClientOptions, 'ca' | 'nameCheck' | 'minTlsVersion' | 'interceptors'> {
  /** At least one; the next is tried where one is refused. */
  readonly authentications: readonly Authentication[];
}

interface Asked {
  readonly signal: AbortSignal;
  readonly budget: RequestBudget;
}

/** The one way in which questions go to services of Autodiscover. Whom it may ask is its caller's to know. */
export class AutodiscoverConnection {
  readonly #unsigned: HttpClient;
  readonly #accounts: readonly { readonly kind: Authentication['kind']; readonly http: HttpClient }[];

  constructor({ authentications, ...options }: AutodiscoverConnectionOptions) {
    this.#unsigned = new HttpClient(options);
    this.#accounts = authentications.map((authentication) => ({ kind: authentication.kind, http: new HttpClient({ ...options, authentication }) }));
  }

  /**
   * Asks one service about one mailbox, first without saying who we are: only a server that answers 401 learns it. A web server that has no
   * Autodiscover, or sends us elsewhere, never sees the password.
   *
   * @throws BridgeError as HttpClient and decodeAnswered; BACKEND_AUTH (no account is let in, or ours is none of the schemes that it `offers`)
   */
  async ask(service: Service, mailbox: string, asked: Asked): Promise<Reply> {
    const answer = await this.#send(this.#unsigned, service, mailbox, asked);
    return decodeAnswered(service.dialect, answer.status === 401 ? await this.#signed(answer, service, mailbox, asked) : answer);
  }

  /** Where plain http says that the service is (exchange.md §4.1): nothing is said of who asks, and no body is sent. @throws BridgeError as HttpClient */
  async locationOf(url: URL, { signal, budget }: Asked): Promise<{ readonly status: number; readonly location: string | undefined }> {
    const { status, headers } = await within(LIMITS.autodiscoverRequestMs, signal, (limited) => this.#unsigned.request({ method: 'GET', url, headers: HEADERS, signal: limited, budget, redirect: 'manual' }));
    return { status, location: status >= 300 && status < 400 ? headers['location'] : undefined };
  }

  /** Ends all connections; safe to call twice. */
  async close(): Promise<void> {
    await Promise.all([this.#unsigned, ...this.#accounts.map(({ http }) => http)].map((one) => one.close()));
  }

  /** The answer to one of the accounts. @throws BridgeError BACKEND_AUTH where none is let in, or none can say so */
  async #signed(unsigned: HttpAnswer, service: Service, mailbox: string, asked: Asked): Promise<HttpAnswer> {
    const offered = challengesOf(unsigned.headers['www-authenticate']);
    const able = this.#accounts.filter(({ kind }) => kind !== 'basic' || offered.length === 0 || offered.some(({ scheme }) => scheme === 'basic'));
    if (able.length === 0) throw notOffered(schemesOf(offered));
    let refused: BridgeError | undefined;
    for (const { http } of able) {
      try {
        const answer = await this.#send(http, service, mailbox, asked);
        if (answer.status !== 401) return answer;
        refused = answer.refusal;
      } catch (error) {
        // NTLM says so by itself.
        if (!(error instanceof BridgeError) || error.code !== 'BACKEND_AUTH') throw error;
        refused = error;
      }
    }
    throw new BridgeError('BACKEND_AUTH', 'Autodiscover refuses the sign-in of the bridge', { details: { ...refused?.details, status: 401 }, cause: refused });
  }

  async #send(http: HttpClient, { dialect, url }: Service, mailbox: string, { signal, budget }: Asked): Promise<HttpAnswer> {
    const question = ((): Pick<Parameters<HttpClient['request']>[0], 'method' | 'url' | 'headers' | 'body'> => {
      switch (dialect) {
        case 'soap':
          return { method: 'POST', url, headers: { ...HEADERS, 'content-type': XML_CONTENT_TYPE, accept: 'text/xml', soapaction: `"${GET_USER_SETTINGS}"` }, body: encodeUserSettingsQuestion(url, mailbox) };
        case 'pox':
          return { method: 'POST', url, headers: { ...HEADERS, 'content-type': XML_CONTENT_TYPE, accept: 'text/xml' }, body: encodePoxQuestion(mailbox) };
        case 'json':
          return { method: 'GET', url: jsonQuestion(url, mailbox), headers: { ...HEADERS, accept: 'application/json' } };
      }
    })();
    return within(LIMITS.autodiscoverRequestMs, signal, (limited) => http.request({ ...question, signal: limited, budget, redirect: 'manual' }));
  }
}

/** `reason` of a 401 to which nothing was answered: no password was sent. */
export const NOT_OFFERED = 'not-offered';

const HEADERS = { 'user-agent': 'freebusy-bridge' } as const;

function notOffered(offers: string): BridgeError {
  return new BridgeError('BACKEND_AUTH', 'Autodiscover does not take the way in which the bridge signs in', { details: { status: 401, offers, reason: NOT_OFFERED } });
}
