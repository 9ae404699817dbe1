import type { Clock, Instant } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { below } from '../../platform/http-client/below.ts';
import type { HttpAnswer, HttpClient } from '../../platform/http-client/http-client.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { isLogonLocation, isLogonPage, problemOf } from './answer-problem.ts';
import { CookieJar } from './cookie-jar.ts';
import { encodeLogonForm } from './form-logon.ts';
import { LOGON_PATHS, MSIE_USER_AGENT } from './names.ts';

export interface FormSessionOptions {
  readonly root: URL;
  readonly username: string;
  readonly password: string;
  readonly http: HttpClient;
  readonly clock: Clock;
}

/** The cookies of one logon; compared by identity, so that a session found dead is renewed once, not by everyone who found it. */
export interface Session {
  readonly cookies: CookieJar;
}

/** Forms-based authentication (exchange.md §2.6): one logon at a time, its cookies kept until the server forgets them. */
export class FormSession {
  readonly #options: FormSessionOptions;
  #session: Promise<Session> | undefined;
  #refused: { readonly until: Instant; readonly error: BridgeError } | undefined;

  constructor(options: FormSessionOptions) {
    this.#options = options;
  }

  /**
   * The session to use, logging on where there is none. `dead`: a session the server no longer knows.
   *
   * @throws BridgeError BACKEND_AUTH (also while a refusal is remembered), those of HttpClient, DEADLINE when the signal fires first
   */
  async get(budget: RequestBudget, signal: AbortSignal, dead?: Session): Promise<Session> {
    const current = this.#session;
    if (current === undefined) return this.#begin(budget, signal);
    const session = await untilAborted(current, signal);
    if (session !== dead) return session;
    if (this.#session === current) this.#session = undefined;
    return this.#session === undefined ? this.#begin(budget, signal) : untilAborted(this.#session, signal);
  }

  async #begin(budget: RequestBudget, signal: AbortSignal): Promise<Session> {
    if (this.#refused !== undefined && this.#options.clock.now() < this.#refused.until) throw this.#refused.error;
    const logon = this.#logOn(budget);
    this.#session = logon;
    logon.catch((error: unknown) => {
      if (this.#session === logon) this.#session = undefined;
      if (error instanceof BridgeError && error.code === 'BACKEND_AUTH') this.#refused = { until: this.#options.clock.now() + LIMITS.logonRefusedForMs, error };
    });
    return untilAborted(logon, signal);
  }

  async #logOn(budget: RequestBudget): Promise<Session> {
    const { root, username, password, http } = this.#options;
    const destination = below(root, '/public/');
    const signal = AbortSignal.timeout(LIMITS.logonTimeoutMs);
    for (const path of LOGON_PATHS) {
      const answer = await http.request({
        method: 'POST',
        url: below(root, path),
        // 2007 and 2010 refuse a form whose browser has not been given this cookie by their logon page.
        headers: { 'user-agent': MSIE_USER_AGENT, 'content-type': 'application/x-www-form-urlencoded', cookie: 'PBack=0' },
        body: encodeLogonForm(destination, username, password),
        signal,
        budget,
        redirect: 'manual',
      });
      if (answer.status !== 404) return sessionOf(answer);
    }
    throw new BridgeError('BACKEND_AUTH', 'the server has no form logon', { details: { hint: 'set auth: basic, or check the url' } });
  }
}

/** Exchange redirects after a wrong password as well, on 2003 even with cookies: where to tells them apart. */
function sessionOf(answer: HttpAnswer): Session {
  const location = answer.headers['location'] ?? '';
  const reason = /[?&]reason=(\d+)/i.exec(location)?.[1];
  if (reason === '4') throw refusedLogon('the server wants the password of the account changed');
  if (isLogonLocation(location) || (reason !== undefined && reason !== '0')) throw refusedLogon('the server refuses the user name or password');
  const isRedirect = answer.status >= 300 && answer.status < 400;
  if (!isRedirect) {
    if (isLogonPage(answer) && answer.cookies.length === 0) throw refusedLogon('the server refuses the user name or password');
    const failed = answer.status === 200 ? undefined : problemOf(answer, 200);
    if (failed !== undefined) throw failed;
  }
  const cookies = new CookieJar();
  cookies.store(answer.cookies);
  if (cookies.isEmpty) throw refusedLogon('the form logon gives no cookie');
  return { cookies };
}

function refusedLogon(message: string): BridgeError {
  return new BridgeError('BACKEND_AUTH', message, { details: { hint: 'check username and password in a browser' } });
}
