import type { Clock } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import { within } from '../../core/within.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import type { BackEndLoads } from '../../platform/http-client/load/back-end-load.ts';
import type { ServerTls } from '../../platform/server-tls.ts';
import { problemAbout } from './answer-problem.ts';
import { OwaConnection } from './client-connection.ts';
import type { Asking, OwaAnswer, OwaExchange } from './client-connection.ts';
import type { FormSession } from './client-logon.ts';
import { placeOf } from './redirect-rule.ts';
import { ServerHealth } from './server-health.ts';
import { SignInRefusals } from './sign-in-refusals.ts';

/** Where an Exchange 2000, 2003 or 2007 is, and as whom it is asked. */
export interface OwaEndpoint extends ServerTls {
  /** Roots, to which `/public/…` is appended; at least one. They stand for each other, the first that answers is asked. */
  readonly servers: readonly URL[];
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly username: string;
  readonly password: string;
  /** Further hosts to which a redirect may lead, beside the servers: `name` or `name:port`. */
  readonly hosts: readonly string[];
  /** Absent: as much as there is. */
  readonly loads?: BackEndLoads | undefined;
  /** Requests at the same time, a server; absent: LIMITS.webdavConcurrency. */
  readonly concurrency?: number | undefined;
}

export interface OwaServersOptions extends OwaEndpoint {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How several servers are asked. */
export interface Manner<T> {
  /** Asked before the others, as long as it is well. */
  readonly preferred?: OwaConnection | undefined;
  /** Whether an answer leaves it open that another server has more to say: "there is no such thing here". */
  readonly isElsewhere?: (value: T) => boolean;
  /** Whether another may be asked after that failure; default: whenever it is not about the account. */
  readonly mayGoOn?: (error: BridgeError) => boolean;
}

/** A form that refuses has looked at the password; a 401 may be a server that stumbles. */
const FORM_REFUSALS_FROM = 2;

/** All servers of one system, asked one after the other. */
export class OwaServers {
  /** In the configured order; at least one. */
  readonly all: readonly OwaConnection[];
  /** Where redirects and addresses of folders may lead. */
  readonly hosts: readonly string[];
  readonly #options: OwaServersOptions;
  readonly #https: readonly HttpClient[];
  readonly #health: ReadonlyMap<OwaConnection, ServerHealth>;

  constructor(options: OwaServersOptions) {
    const { servers, auth, username, password, ca, nameCheck, minTlsVersion, loads, concurrency = LIMITS.webdavConcurrency, clock } = options;
    this.#options = options;
    this.hosts = [...new Set([...options.hosts, ...(servers.length > 1 ? servers.map(placeOf) : [])])];
    const refusals = new SignInRefusals(clock, auth === 'form' ? FORM_REFUSALS_FROM : 0);
    const sessions = new Map<string, FormSession>();
    const made = servers.map((url) => {
      const authentication = auth === 'form' ? undefined : ({ kind: auth, username, password } as const);
      const http = new HttpClient({ ca, nameCheck, minTlsVersion, redirectHosts: this.hosts, authentication, load: loads?.of(url.origin, username.toLowerCase(), concurrency) });
      return { http, connection: new OwaConnection({ url, auth, username, password, http, clock, refusals, hosts: this.hosts, sessions }) };
    });
    this.all = made.map(({ connection }) => connection);
    this.#https = made.map(({ http }) => http);
    this.#health = new Map(this.all.map((one) => [one, new ServerHealth(clock)]));
  }

  /** The one for requests that belong to no other. */
  get first(): OwaConnection {
    return this.all[0]!;
  }

  /** Whose address that is; the first where it is nobody's (a listed host to which a server sent us). */
  at(url: URL): OwaConnection {
    return this.all.find((one) => one.url.origin === url.origin) ?? this.first;
  }

  /** Whether it is asked last, because it failed. */
  isAside(server: OwaConnection): boolean {
    return this.#health.get(server)?.isAside === true;
  }

  /** A request to an address that belongs to one server. @throws BridgeError as OwaConnection */
  exchange(request: OwaExchange): Promise<OwaAnswer> {
    const server = this.at(request.url);
    return this.#run(server, () => server.exchange(request));
  }

  /**
   * Asks one server after the other until one knows: those that are well first, each for its share of the time. One that failed is asked last for a growing while.
   *
   * @throws BridgeError what `work` threw, of the first server that failed; also where all others say that it is elsewhere: then that one may have it
   */
  async ask<T>(ctx: Asking, work: (server: OwaConnection, ctx: Asking) => Promise<T>, { preferred, isElsewhere, mayGoOn }: Manner<T> = {}): Promise<T> {
    const order = this.#order(preferred);
    let elsewhere: { readonly value: T } | undefined;
    let failure: BridgeError | undefined;
    for (const [index, server] of order.entries()) {
      const health = this.#health.get(server)!;
      if (elsewhere !== undefined && health.isAside) {
        failure ??= health.trouble;
        continue;
      }
      try {
        const value = await this.#run(server, () => this.#share(ctx, order.length - index, (one) => work(server, one)));
        if (isElsewhere?.(value) !== true) return value;
        elsewhere ??= { value };
      } catch (thrown) {
        const error = toBridgeError(thrown);
        if (ctx.signal.aborted || !isOfOne(error) || mayGoOn?.(error) === false) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return elsewhere!.value;
  }

  /** Ends all connections; whoever shares them takes leave by OwaConnections. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all(this.#https.map((one) => one.close()));
  }

  async #run<T>(server: OwaConnection, work: () => Promise<T>): Promise<T> {
    const health = this.#health.get(server)!;
    const { logger, username } = this.#options;
    const fields = { protocol: 'owa-webdav', address: server.url.host, client: username };
    try {
      const value = await work();
      if (health.answered()) logger.info(fields, 'the server answers again');
      return value;
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (this.all.length > 1 && isOfServer(error) && health.failed(error)) logger.warn({ ...fields, code: error.code, reason: error.publicMessage }, 'the server is put aside: the others are asked first');
      throw error;
    }
  }

  #order(preferred: OwaConnection | undefined): readonly OwaConnection[] {
    if (this.all.length === 1) return this.all;
    const byWish = preferred === undefined ? this.all : [preferred, ...this.all.filter((one) => one !== preferred)];
    const well = new Set(byWish.filter((one) => this.#health.get(one)!.mayTry()));
    return [...well, ...byWish.filter((one) => !well.has(one))];
  }

  /** The last one has all the time that is left. */
  async #share<T>(ctx: Asking, left: number, work: (ctx: Asking) => Promise<T>): Promise<T> {
    if (left <= 1) return work(ctx);
    const { least, most } = LIMITS.webdavServerShareMs;
    const remaining = ctx.deadline === undefined ? Infinity : ctx.deadline - this.#options.clock.now();
    return within(Math.min(Math.max(remaining / left, least), most), ctx.signal, (signal) => work({ ...ctx, signal }));
  }
}

/** Failures at one server, which say nothing of the others. */
function isOfOne(error: BridgeError): boolean {
  return OF_A_SERVER.has(error.code) && problemAbout(error) !== 'account';
}

/** Among these those that it would answer to everything. */
function isOfServer(error: BridgeError): boolean {
  return isOfOne(error) && problemAbout(error) !== 'place';
}

const OF_A_SERVER: ReadonlySet<ErrorCode> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_AUTH', 'BACKEND_BUSY', 'BACKEND_REDIRECT', 'BACKEND_FAULT', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'DEADLINE']);
