import { HOUR_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { below } from '../../platform/http-client/below.ts';
import type { HttpAnswer, HttpClient } from '../../platform/http-client/http-client.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { isLogonLocation, isLogonPage, problem, problemAbout, problemOf } from './answer-problem.ts';
import { FormSession } from './client-logon.ts';
import type { Session } from './client-logon.ts';
import { encodeFreeBusyQuery } from './free-busy-query.ts';
import { MSIE_USER_AGENT, NOBODY } from './names.ts';
import { mayLeadTo } from './redirect-rule.ts';
import type { SignInRefusals } from './sign-in-refusals.ts';

/** For whom something is asked, and how long. */
export type Asking = Pick<RequestContext, 'signal'> & Partial<Pick<RequestContext, 'hops' | 'deadline'>>;

/** What is sent, whatever comes back. */
export interface OwaExchange {
  readonly method: 'GET' | 'PROPFIND' | 'PROPPATCH' | 'DELETE' | 'SEARCH' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'POLL';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ctx: Asking;
  readonly budget: RequestBudget;
  /** Arriving twice would do harm (HttpRequest.once). */
  readonly once?: boolean;
}

export interface OwaRequest extends OwaExchange {
  /** The one status that means success. */
  readonly expected: 200 | 207;
}

export interface OwaAnswer extends HttpAnswer {
  /** See AnswerHead, both. */
  readonly isLetIn?: boolean;
  readonly auth?: 'basic' | 'form' | 'ntlm';
}

export interface OwaConnectionOptions {
  /** The server's root. */
  readonly url: URL;
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly username: string;
  readonly password: string;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly refusals: SignInRefusals;
  /** Where a redirect may lead, as HttpClientOptions.redirectHosts. */
  readonly hosts: readonly string[];
  /** The logons of the account, by origin; shared by its connections. */
  readonly sessions: Map<string, FormSession>;
}

/** Sends requests to one server as the service account: with Basic or NTLM, which the HTTP client adds, or with the cookies of a form logon. */
export class OwaConnection {
  readonly url: URL;
  readonly #options: OwaConnectionOptions;
  /** The password was taken since it was refused last. */
  #isKnown = false;
  #first: Promise<unknown> | undefined;
  #looking: Promise<boolean> | undefined;

  constructor(options: OwaConnectionOptions) {
    this.#options = options;
    this.url = options.url;
  }

  /** The answer, whose status is the expected one. @throws BridgeError see problemOf and `exchange` */
  async send(request: OwaRequest): Promise<OwaAnswer> {
    const answer = await this.exchange(request);
    const refused = problemOf(answer, request.expected);
    if (refused !== undefined) throw refused;
    return answer;
  }

  /**
   * The answer, whatever its status; `isLetIn` with a 401 that is about what was asked for. A session that the server has forgotten (401, 440, or its logon page) is renewed once.
   *
   * @throws BridgeError BACKEND_AUTH where the account is refused (also while that is remembered), and those of HttpClient
   */
  async exchange(request: OwaExchange): Promise<OwaAnswer> {
    const { auth, refusals } = this.#options;
    refusals.check();
    if (auth === 'form') return { ...(await this.#inSession(request)), auth };
    return { ...(await this.#oneFirst(request)), auth };
  }

  /** Before the password was taken once, one request goes alone: a wrong one must not be sent with everything that waits. */
  async #oneFirst(request: OwaExchange): Promise<OwaAnswer> {
    if (this.#isKnown) return this.#signedIn(request);
    if (this.#first !== undefined) {
      await untilAborted(this.#first, request.ctx.signal);
      this.#options.refusals.check();
      return this.#signedIn(request);
    }
    const first = this.#signedIn(request);
    const over = first.then(
      () => undefined,
      () => undefined,
    );
    this.#first = over;
    void over.then(() => (this.#first = undefined));
    return first;
  }

  async #signedIn(request: OwaExchange): Promise<OwaAnswer> {
    const { auth, refusals } = this.#options;
    const answer: OwaAnswer = { ...(await this.#direct(request)), auth };
    if (answer.status !== 401) {
      if (answer.status < 300 && !isLogonPage(answer)) this.#accepted();
      return answer;
    }
    // With Basic and NTLM a 401 means a wrong password, or no right to this very thing (exchange.md §2.2).
    const refused = problem401(answer);
    if (problemAbout(refused) === 'server') return answer;
    if (request.method !== 'GET' && (await this.#isLetIn(request))) return { ...answer, isLetIn: true };
    this.#isKnown = false;
    refusals.refused(refused);
    return answer;
  }

  #accepted(): void {
    this.#isKnown = true;
    this.#options.refusals.accepted();
  }

  /** Whether the account is let in at all: by a question that needs no right, once for everybody who waits. */
  async #isLetIn(request: OwaExchange): Promise<boolean> {
    this.#looking ??= this.#look(request).finally(() => (this.#looking = undefined));
    return untilAborted(this.#looking, request.ctx.signal);
  }

  async #look({ url: asked, ctx, budget }: OwaExchange): Promise<boolean> {
    const { clock } = this.#options;
    const url = below(this.url, '/public/');
    url.search = encodeFreeBusyQuery({ window: { start: clock.now(), end: clock.now() + HOUR_MS }, intervalMinutes: 60, addresses: [NOBODY] });
    const answer = await this.#direct({ method: 'GET', url, ctx, budget });
    const isAnswered = problemOf(answer, 200) === undefined;
    // A server without the command says so only to whom it lets in, where it has just asked for a password in the same virtual directory.
    const isBeside = asked.pathname.toLowerCase().startsWith(url.pathname.toLowerCase());
    const isLetIn = isAnswered || (isBeside && NO_SUCH_COMMAND.has(answer.status));
    if (isLetIn) this.#accepted();
    return isLetIn;
  }

  async #direct(request: OwaExchange): Promise<HttpAnswer> {
    for (let url = request.url; ; ) {
      const answer = await this.#send(request, url, {});
      const location = redirectOf(answer);
      if (location === undefined) return answer;
      url = this.#followed(request, url, location);
    }
  }

  async #inSession(request: OwaExchange): Promise<OwaAnswer> {
    const first = await this.#withSession(request);
    if (isUsed(first)) return first.answer;
    const isForgotten = first.session.hasWorked;
    const last = isForgotten ? await this.#withSession(request, first.session) : first;
    if (isUsed(last)) return last.answer;
    if (last.answer.status === 401) return { ...last.answer, isLetIn: true };
    last.form.forget(last.session);
    const details = { status: last.answer.status, about: 'account', hint: 'check username and password in a browser; some servers answer a wrong password as if it were right' } as const;
    const error = new BridgeError('BACKEND_AUTH', 'the server does not accept its own logon', { details });
    // After a session that was good it may have been a restart; the next try decides.
    throw isForgotten ? error : this.#options.refusals.refused(error);
  }

  /** A session is worth something only at the server where it was made: a redirect to another one leads into another. */
  async #withSession(request: OwaExchange, dead?: Session): Promise<InSession> {
    const { ctx, budget } = request;
    for (let url = request.url; ; ) {
      const form = this.#formAt(url);
      const session = await form.get(budget, ctx.signal, dead);
      const answer = await this.#send(request, url, { cookie: session.cookies.header() });
      // Exchange 2007 renews cadata as it goes.
      if (!isSignedOut(answer)) session.cookies.store(answer.cookies);
      const location = redirectOf(answer);
      if (location === undefined) return { answer, form, session, refusals: this.#options.refusals };
      url = this.#followed(request, url, location);
    }
  }

  /** Redirects are followed here and not by HttpClient: one to a logon page, wherever it lies, is the answer. */
  #followed({ budget }: OwaExchange, from: URL, location: string): URL {
    const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (target === undefined || (!mayLeadTo(target, from, this.#options.hosts) && target.origin !== this.url.origin)) {
      throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects elsewhere', { details: { about: 'server', target: target?.origin ?? 'unreadable', hint: 'list the host under `hosts` if it is right' } });
    }
    if (!budget.mayFollow()) throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects in circles', { details: { about: 'server', target: target.origin } });
    return target;
  }

  #formAt(url: URL): FormSession {
    const { sessions, username, password, http, clock, refusals } = this.#options;
    const there = sessions.get(url.origin);
    if (there !== undefined) return there;
    const made = new FormSession({ root: url.origin === this.url.origin ? this.url : new URL(this.url.pathname, url.origin), username, password, http, clock, refusals });
    sessions.set(url.origin, made);
    return made;
  }

  #send({ method, headers, body, ctx, budget, once }: OwaExchange, url: URL, further: Readonly<Record<string, string>>): Promise<HttpAnswer> {
    return this.#options.http.request({
      method,
      url,
      headers: { 'user-agent': MSIE_USER_AGENT, ...headers, ...further },
      body,
      signal: ctx.signal,
      budget,
      redirect: 'manual',
      ...(ctx.deadline === undefined ? {} : { deadline: ctx.deadline }),
      ...(ctx.hops === undefined ? {} : { hops: ctx.hops }),
      ...(once === undefined ? {} : { once }),
    });
  }
}

interface InSession {
  readonly answer: HttpAnswer;
  readonly form: FormSession;
  readonly session: Session;
  readonly refusals: SignInRefusals;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Where an answer leads to, unless it is a logon page. */
function redirectOf({ status, headers }: HttpAnswer): string | undefined {
  const { location } = headers;
  return REDIRECTS.has(status) && location !== undefined && !isLogonLocation(location) ? location : undefined;
}

/** Of a server whose OWA is older, newer or not there. */
const NO_SUCH_COMMAND: ReadonlySet<number> = new Set([400, 404, 405, 501]);

/** Whether the session was worth something; it is noted. */
function isUsed({ answer, session, refusals }: InSession): boolean {
  if (isSignedOut(answer)) return false;
  if (!session.hasWorked) refusals.accepted();
  session.hasWorked = true;
  return true;
}

function isSignedOut(answer: HttpAnswer): boolean {
  return answer.status === 440 || answer.status === 401 || isLogonPage(answer);
}

function problem401(answer: OwaAnswer): BridgeError {
  return problemOf(answer, 200) ?? problem('wrong-credentials', answer);
}
