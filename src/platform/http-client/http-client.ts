import type { Dispatcher } from 'undici';
import { BridgeError } from '../../core/errors.ts';
import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { DecompressError, decompress } from '../decompress.ts';
import type { ServerTls } from '../server-tls.ts';
import { retryAfterMs } from './answer-headers.ts';
import { tokenReady } from './authentication.ts';
import type { Authentication } from './authentication.ts';
import { connectionError, isDeadConnection } from './connection-error.ts';
import type { HopOptions } from './interceptors.ts';
import type { BackEndLoad, TurnOutcome } from './load/back-end-load.ts';
import { newWire } from './new-wire.ts';
import { isRefusal } from './request-budget.ts';
import type { RequestBudget } from './request-budget.ts';
import { refusalOf } from './sign-in-refusal.ts';
import type { Wire } from './wire.ts';

/** Of TLS too (`ca`, `nameCheck`, `minTlsVersion`); verification itself is never switched off. */
export interface HttpClientOptions extends ServerTls {
  /** Hosts to which a redirect may lead beside the one that was asked: `name` (any port of it) or `name:port`. */
  readonly redirectHosts?: readonly string[];
  /** Absent: nothing is said of who asks. */
  readonly authentication?: Authentication | undefined;
  /** Whose turn every request waits for. Absent: as much as there is. */
  readonly load?: BackEndLoad | undefined;
  /** Added in order; the last one is nearest to the wire. */
  readonly interceptors?: readonly Dispatcher.DispatcherComposeInterceptor[];
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PROPFIND' | 'PROPPATCH' | 'DELETE' | 'SEARCH' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'POLL' | 'HEAD';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with Content-Length, never chunked (grommunio answers chunked bodies 400). */
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /** When the answer is worth nothing any more (epoch ms): it is not sent where its turn would come too late. */
  readonly deadline?: Instant | undefined;
  /** In place of the client's own; `none`: the server answers when something happens, so it takes nobody's turn. */
  readonly load?: BackEndLoad | 'none' | undefined;
  readonly budget: RequestBudget;
  /** Hops of the question so far; the header carries one more. */
  readonly hops?: number;
  /** `follow` (default): within the rules of `redirectHosts`, method and body unchanged. `manual`: the 3xx is the answer. */
  readonly redirect?: 'follow' | 'manual';
  /** Arriving twice would do harm: it is not sent again over a new connection. Default: false. */
  readonly once?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, `, except set-cookie, which `cookies` has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  /** Decompressed. */
  readonly body: Buffer;
  /** Where it came from in the end. */
  readonly url: URL;
  /** With 401 only: what to throw where it is about the account as a whole and not about one mailbox: BACKEND_AUTH with a `hint` of what to do. */
  readonly refusal?: BridgeError | undefined;
}

/**
 * Speaks HTTP to one calendar system: keep-alive pool, bounded answers, redirects only where allowed, one retry when a
 * kept-alive connection turned out dead before anything came back (what we send is safe to send twice: reads, and writes that replace).
 *
 * Every method throws BridgeError only: BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_REDIRECT, BACKEND_TOO_LARGE,
 * BACKEND_MALFORMED (a body of the wrong length or encoding), BACKEND_BUSY (budget, load), DEADLINE (the signal fired), BACKEND_AUTH (no sign-in comes
 * about: no NTLM is offered, its handshake breaks off, the issuer gives no token; `hint` says what to do). A 401 to a whole sign-in is an answer.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #retired = new Set<Wire>();
  #wire: Wire;
  #isClosed = false;

  constructor(options: HttpClientOptions = {}) {
    this.#options = options;
    this.#wire = newWire(options);
  }

  /** Sends one request and reads the whole answer, whatever its status; redirects and a second try are part of its turn. A server that asks for a pause (429 or 503 with Retry-After) gets it. */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const load = request.load ?? this.#options.load;
    await tokenReady(this.#options.authentication, request.signal);
    if (load === undefined || load === 'none') return this.#exchange(request);
    const turn = await load.enter(request.signal, request.deadline);
    const seen: Seen = { outcome: 'given-up' };
    try {
      const answer = await this.#exchange(request, seen);
      const pauseMs = answer.status === 429 || answer.status === 503 ? (retryAfterMs(answer.headers) ?? 0) : 0;
      if (pauseMs > 0) load.holdOff(Math.min(pauseMs, LIMITS.retryAfterLongestMs));
      return answer;
    } finally {
      turn.done(seen.outcome);
    }
  }

  /**
   * Starts over with new connections; requests under way finish on the old ones. For servers seen sending a second, unasked-for
   * answer on the same connection (grommunio, after a fault with status 200).
   */
  retire(): void {
    if (this.#isClosed) return;
    const old = this.#wire;
    this.#wire = newWire(this.#options);
    this.#retired.add(old);
    const forget = (): boolean => this.#retired.delete(old);
    // `close` may destroy it before it has ended by itself; then there is nothing left to forget but itself.
    old.close().then(forget, forget);
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#wire, ...this.#retired].map((wire) => wire.destroy()));
  }

  async #exchange(request: HttpRequest, seen?: Seen): Promise<HttpAnswer> {
    let url = request.url;
    for (;;) {
      const answer = await this.#once(request, url, seen);
      const target = answer.headers['location'];
      if (request.redirect === 'manual' || !REDIRECTS.has(answer.status) || target === undefined) return answer;
      url = this.#follow(request, url, target);
    }
  }

  #follow(request: HttpRequest, from: URL, location: string): URL {
    const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (target === undefined || !this.#mayLeadTo(request.url, from, target)) {
      throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects elsewhere', {
        // Without path and query: they may carry a session.
        details: { target: target?.origin ?? 'unreadable', hint: 'list the host under `hosts` if it is right' },
      });
    }
    if (!request.budget.mayFollow()) {
      throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects in circles', { details: { target: target.origin } });
    }
    return target;
  }

  #mayLeadTo(configured: URL, from: URL, target: URL): boolean {
    if (target.origin === from.origin || target.origin === configured.origin) return true;
    if (target.protocol !== 'https:' && (target.protocol !== 'http:' || from.protocol !== 'http:')) return false;
    const place = `${target.hostname}:${target.port || defaultPort(target)}`;
    return (this.#options.redirectHosts ?? []).some((host) => host.toLowerCase() === target.hostname || host.toLowerCase() === place);
  }

  async #once(request: HttpRequest, url: URL, seen: Seen = { outcome: 'given-up' }): Promise<HttpAnswer> {
    request.budget.take();
    let refused = false;
    try {
      const answer = await this.#send(request, url, seen);
      refused = isRefusal(answer.status);
      return answer;
    } catch (error) {
      refused = error instanceof BridgeError && error.code === 'BACKEND_AUTH';
      const isAborted = request.signal.aborted;
      const classified = error instanceof BridgeError ? error : connectionError(error);
      // What is a BridgeError already is no connection's: the answer was none, or the issuer of a token could not be asked.
      if (isAborted || classified !== error) seen.outcome = isAborted ? (seen.isElsewhere === true ? 'given-up' : 'aborted') : this.#isClosed ? 'given-up' : classified.code === 'BACKEND_UNREACHABLE' ? 'failed' : 'answered';
      if (isAborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: error });
      throw classified;
    } finally {
      request.budget.done(refused);
    }
  }

  async #send(request: HttpRequest, url: URL, seen: Seen): Promise<HttpAnswer> {
    const { statusCode, headers, body } = await this.#dispatch(request, url, seen).catch((error: unknown) => {
      // No header of an answer has come: a kept-alive connection gone stale. What we send may arrive twice: reads, and writes that replace.
      if (request.once !== true && !request.signal.aborted && isDeadConnection(error)) return this.#dispatch(request, url, seen);
      throw error;
    });
    seen.outcome = 'answered';
    const raw = await readBounded(body, request.method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0));
    const joined: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && name !== 'set-cookie') joined[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    const cookies = headers['set-cookie'];
    return {
      status: statusCode,
      headers: joined,
      cookies: cookies === undefined ? [] : Array.isArray(cookies) ? cookies : [cookies],
      // The work may go on for a moment; nobody waits for it beyond the deadline.
      body: await untilAborted(decompressed(raw, joined['content-encoding']), request.signal),
      url,
      ...(statusCode === 401 ? { refusal: refusalOf(this.#options.authentication, headers) } : {}),
    };
  }

  async #dispatch(request: HttpRequest, url: URL, seen: Seen): Promise<Dispatcher.ResponseData> {
    const hop: HopOptions = request.hops === undefined ? {} : { hops: request.hops };
    const sent = this.#wire.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: { 'accept-encoding': 'gzip, deflate', ...request.headers },
      body: request.body ?? null,
      signal: request.signal,
      elsewhere: (isElsewhere) => (seen.isElsewhere = isElsewhere),
      ...hop,
    });
    // undici hears that nobody waits any more only once it has a connection: a handshake that stalls would outlast the deadline.
    return untilAborted(sent, request.signal);
  }
}

/** What a request has seen of its server so far. */
interface Seen {
  outcome: TurnOutcome;
  /** It waits for somebody else, as WireRequest has it. */
  isElsewhere?: boolean;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80';
}

async function readBounded(body: Dispatcher.ResponseData['body'], announced: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = announced > LIMITS.responseBodyBytes ? announced : 0;
  if (size === 0) {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LIMITS.responseBodyBytes) break;
      chunks.push(chunk);
    }
  }
  if (size <= LIMITS.responseBodyBytes) return Buffer.concat(chunks);
  body.on('error', () => undefined).destroy();
  throw tooLarge();
}

async function decompressed(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  try {
    return await decompress(body, encoding, LIMITS.responseBodyBytes);
  } catch (error) {
    if (error instanceof DecompressError && error.reason === 'too-large') throw tooLarge();
    throw new BridgeError('BACKEND_MALFORMED', 'the answer could not be decompressed', { cause: error });
  }
}

function tooLarge(): BridgeError {
  return new BridgeError('BACKEND_TOO_LARGE', 'the answer is too large', { details: { limitBytes: LIMITS.responseBodyBytes } });
}
