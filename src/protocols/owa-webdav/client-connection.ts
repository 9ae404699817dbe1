import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { HttpAnswer, HttpClient } from '../../platform/http-client/http-client.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { isLogonPage, problemOf } from './answer-problem.ts';
import { FormSession } from './client-logon.ts';
import { MSIE_USER_AGENT } from './names.ts';

/** What is sent, whatever comes back. */
export interface OwaExchange {
  readonly method: 'GET' | 'PROPFIND' | 'PROPPATCH' | 'DELETE' | 'SEARCH' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'POLL';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ctx: Pick<RequestContext, 'signal'> & Partial<Pick<RequestContext, 'hops'>>;
  readonly budget: RequestBudget;
  /** Arriving twice would do harm (HttpRequest.once). */
  readonly once?: boolean;
}

export interface OwaRequest extends OwaExchange {
  /** The one status that means success. */
  readonly expected: 200 | 207;
}

export interface OwaAnswer extends HttpAnswer {
  /** See AnswerHead. */
  readonly isLetIn?: boolean;
}

export interface OwaConnectionOptions {
  readonly url: URL;
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly username: string;
  readonly password: string;
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** Sends requests as the service account: with Basic, which the HTTP client adds, or with the cookies of a form logon. */
export class OwaConnection {
  readonly #http: HttpClient;
  readonly #session: FormSession | undefined;

  constructor(options: OwaConnectionOptions) {
    this.#http = options.http;
    this.#session = options.auth === 'form' ? new FormSession({ ...options, root: options.url }) : undefined;
  }

  /** The answer, whose status is the expected one. @throws BridgeError see problemOf and `exchange` */
  async send(request: OwaRequest): Promise<HttpAnswer> {
    const answer = await this.exchange(request);
    const problem = problemOf(answer, request.expected);
    if (problem !== undefined) throw problem;
    return answer;
  }

  /**
   * The answer, whatever its status. A session that the server has forgotten (401, 440, or its logon page) is renewed once; a 401 even then is not about the session.
   *
   * @throws BridgeError BACKEND_AUTH where the form logon fails, and those of HttpClient
   */
  async exchange(request: OwaExchange): Promise<OwaAnswer> {
    const first = await this.#once(request);
    if (this.#session === undefined || !isSignedOut(first.answer)) return first.answer;
    const second = await this.#once(request, first.session);
    if (second.answer.status === 401) return { ...second.answer, isLetIn: true };
    if (isSignedOut(second.answer)) throw new BridgeError('BACKEND_AUTH', 'the server does not accept its own logon', { details: { status: second.answer.status } });
    return second.answer;
  }

  async #once(request: OwaExchange, dead?: Awaited<ReturnType<FormSession['get']>>) {
    const { method, url, headers, body, ctx, budget, once } = request;
    const session = await this.#session?.get(budget, ctx.signal, dead);
    const answer = await this.#http.request({
      method,
      url,
      headers: { 'user-agent': MSIE_USER_AGENT, ...headers, ...(session === undefined ? {} : { cookie: session.cookies.header() }) },
      body,
      signal: ctx.signal,
      budget,
      ...(ctx.hops === undefined ? {} : { hops: ctx.hops }),
      ...(once === undefined ? {} : { once }),
    });
    // Exchange 2007 renews cadata as it goes.
    if (!isSignedOut(answer)) session?.cookies.store(answer.cookies);
    return { answer, session };
  }
}

function isSignedOut(answer: HttpAnswer): boolean {
  return answer.status === 440 || answer.status === 401 || isLogonPage(answer);
}
