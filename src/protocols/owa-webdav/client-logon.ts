import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { isLoopback } from '../../core/loopback.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { within } from '../../core/within.ts';
import { below } from '../../platform/http-client/below.ts';
import type { HttpAnswer, HttpClient } from '../../platform/http-client/http-client.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { isLogonLocation, isLogonPage, problemOf } from './answer-problem.ts';
import { CookieJar } from './cookie-jar.ts';
import { encodeLogonForm } from './form-logon.ts';
import { LOGON_PATHS, MSIE_USER_AGENT } from './names.ts';
import type { SignInRefusals } from './sign-in-refusals.ts';

export interface FormSessionOptions {
  readonly root: URL;
  readonly username: string;
  readonly password: string;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Shared by all who use the account. */
  readonly refusals: SignInRefusals;
}

/** The cookies of one logon; compared by identity, so that a session found dead is renewed once, not by everyone who found it. */
export interface Session {
  readonly cookies: CookieJar;
  /** Something was answered in it. One that never was any good is not renewed: the server takes wrong passwords for logons. */
  hasWorked: boolean;
}

/** Forms-based authentication at one server (exchange.md §2.6): one logon at a time, its cookies kept until the server forgets them. */
export class FormSession {
  readonly #options: FormSessionOptions;
  #session: Promise<Session> | undefined;
  /** Where the last logon went well. */
  #form: URL | undefined;

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

  /** Its cookies are worth nothing. */
  forget(dead: Session): void {
    const current = this.#session;
    void current?.then((session) => {
      if (session === dead && this.#session === current) this.#session = undefined;
    });
  }

  async #begin(budget: RequestBudget, signal: AbortSignal): Promise<Session> {
    this.#options.refusals.check();
    // One sign-in serves everybody who waits for it: nobody's own deadline ends it.
    const logon = within(LIMITS.logonTimeoutMs, new AbortController().signal, (time) => this.#logOn(budget, time));
    this.#session = logon;
    logon.catch(() => {
      if (this.#session === logon) this.#session = undefined;
    });
    return untilAborted(logon, signal);
  }

  async #logOn(budget: RequestBudget, signal: AbortSignal): Promise<Session> {
    const { root } = this.#options;
    if (root.protocol === 'http:' && !isLoopback(root.hostname)) {
      throw new BridgeError('BACKEND_AUTH', 'a form logon needs https', { details: { about: 'server', hint: 'write https:// in the url: over http the password could be read on its way' } });
    }
    const cookies = new CookieJar();
    // 2007 and 2010 refuse a form whose browser has not been given this cookie by their logon page.
    cookies.store(['PBack=0']);
    if (this.#form !== undefined) {
      const answer = await this.#post(this.#form, cookies, budget, signal);
      if (!isNoForm(answer)) return this.#sessionOf(answer);
      this.#form = undefined;
    }
    const { forms, challenge } = await this.#findForms(cookies, budget, signal);
    for (const form of forms) {
      const answer = await this.#post(form, cookies, budget, signal);
      if (isNoForm(answer)) continue;
      const session = this.#sessionOf(answer);
      this.#form = form;
      return session;
    }
    const hint = challenge === '' ? 'set auth: basic or ntlm, or check the url' : `the server asks for ${challenge}: set auth: ${/\bbasic\b/i.test(challenge) ? 'basic' : 'ntlm'}`;
    throw new BridgeError('BACKEND_AUTH', 'the server has no form logon', { details: { about: 'server', hint } });
  }

  /** Where the form is posted to: the page to which the server leads whoever has no cookie lies beside it. Its HTML is not read: 2007's is made by a script. */
  async #findForms(cookies: CookieJar, budget: RequestBudget, signal: AbortSignal): Promise<{ readonly forms: readonly URL[]; readonly challenge: string }> {
    const { http, root } = this.#options;
    const known = LOGON_PATHS.map((path) => below(root, path));
    const answer = await http.request({ method: 'GET', url: below(root, '/public/'), headers: { 'user-agent': MSIE_USER_AGENT, cookie: cookies.header() }, signal, budget, redirect: 'manual' });
    if (answer.status === 403 || answer.status === 503) throw problemOf({ ...answer, auth: 'form' }, 200)!;
    cookies.store(answer.cookies);
    const challenge = answer.status === 401 ? schemesIn(answer) : '';
    const location = answer.headers['location'] ?? '';
    if (!isLogonLocation(location) || !URL.canParse(location, answer.url.href)) return { forms: known, challenge };
    const page = new URL(location, answer.url);
    if (page.hostname !== root.hostname) {
      throw new BridgeError('BACKEND_REDIRECT', 'the logon page of the server is on another host', { details: { about: 'server', target: page.origin, hint: 'give that host as the url: a logon is worth something only where it was made' } });
    }
    // Behind what ends TLS a server believes that it speaks http: of its word only the path counts.
    const beside = ['owaauth.dll', '../auth.owa'].map((name) => new URL(new URL(name, page).pathname, root.origin));
    const forms = new Map([...beside, ...known].map((one) => [one.href, one]));
    return { forms: [...forms.values()], challenge };
  }

  async #post(form: URL, cookies: CookieJar, budget: RequestBudget, signal: AbortSignal): Promise<HttpAnswer> {
    const { root, username, password, http } = this.#options;
    return http.request({
      method: 'POST',
      url: form,
      headers: { 'user-agent': MSIE_USER_AGENT, 'content-type': 'application/x-www-form-urlencoded', cookie: cookies.header() },
      body: encodeLogonForm(below(root, '/public/'), username, password),
      signal,
      budget,
      redirect: 'manual',
      // Twice would be two wrong passwords.
      once: true,
    });
  }

  /** Exchange redirects after a wrong password as well, on 2003 even with cookies: where to tells them apart. */
  #sessionOf(answer: HttpAnswer): Session {
    const location = answer.headers['location'] ?? '';
    const reason = /[?&]reason=(\d{1,3})\b/i.exec(location)?.[1];
    if (reason === '4') throw this.#refused('the server wants the password of the account changed', 'change the password, then write the new one here; a service account should have one that never expires');
    if (isLogonLocation(location) && (reason === undefined || reason === '2')) throw this.#refused('the server refuses the user name or password');
    if (reason !== undefined && (reason !== '0' || isLogonLocation(location))) throw this.#refused(`the server refuses the logon (reason ${reason})`);
    const isRedirect = answer.status >= 300 && answer.status < 400;
    if (!isRedirect) {
      if (isLogonPage(answer)) throw this.#refused('the server refuses the user name or password');
      const failed = answer.status === 200 ? undefined : problemOf({ ...answer, auth: 'form' }, 200);
      if (failed !== undefined) throw answer.status === 401 ? this.#options.refusals.refused(failed) : failed;
    }
    const cookies = new CookieJar();
    cookies.store(answer.cookies);
    if (cookies.isEmpty) throw this.#refused('the form logon gives no cookie', this.#withoutCookie(answer));
    return { cookies, hasWorked: false };
  }

  /** What a server has that takes the form and gives nothing for it. */
  #withoutCookie({ headers, url }: HttpAnswer): string {
    const location = headers['location'];
    const target = location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (target !== undefined && target.hostname !== this.#options.root.hostname) return `it leads to ${target.origin}: give the url of the server that has Outlook Web Access itself, or set auth: basic or ntlm`;
    return 'is it Outlook Web Access that answers there? check the url, then username and password in a browser';
  }

  #refused(message: string, hint = 'check username and password in a browser'): BridgeError {
    return this.#options.refusals.refused(new BridgeError('BACKEND_AUTH', message, { details: { about: 'account', hint } }));
  }
}

/** Nothing there takes a form. */
function isNoForm({ status }: HttpAnswer): boolean {
  return status === 404 || status === 405 || status === 501;
}

/** `Basic, NTLM`, as far as they are words. */
function schemesIn({ headers }: HttpAnswer): string {
  return ['Basic', 'NTLM', 'Negotiate'].filter((one) => new RegExp(`\\b${one}\\b`, 'i').test(headers['www-authenticate'] ?? '')).join(', ');
}
