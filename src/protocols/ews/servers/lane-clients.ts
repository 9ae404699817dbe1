import type { Clock } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { accountName } from '../../../platform/http-client/authentication.ts';
import type { Authentication } from '../../../platform/http-client/authentication.ts';
import { HttpClient } from '../../../platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../../platform/http-client/http-client.ts';
import type { BackEndLoad } from '../../../platform/http-client/load/back-end-load.ts';
import { openStream } from '../../../platform/http-client/open-stream.ts';
import type { HttpStream } from '../../../platform/http-client/open-stream.ts';
import type { XmlNode, XmlText } from '../../../platform/xml/write.ts';
import type { SoapEnvelope } from '../../soap/envelope.ts';
import { decodeAnswer } from '../answer.ts';
import type { EwsEndpoint, Exchange, RequestManner } from '../connection.ts';
import { encodeImpersonation, impersonationError } from '../impersonation.ts';
import { encodeRequest, soapAction } from '../names.ts';
import type { EwsOperation, RequestServerVersion } from '../names.ts';
import { isVersionRefusal, olderVersion, versionFor } from '../request-version.ts';
import { commonError, decodeFaultError } from '../response-message.ts';
import { decodeServerVersion, isModern } from '../server-version.ts';
import type { EwsLane, KnownAccount } from './knowledge.ts';

interface Client {
  readonly http: HttpClient;
  readonly options: HttpClientOptions;
  readonly load: BackEndLoad | undefined;
  /** Requests at the same time, as the load has been told. */
  concurrency: number;
}

/** One HTTP client for every account at every server, made when it is first used; sends one request there and nowhere else. */
export class LaneClients {
  readonly #endpoint: EwsEndpoint;
  readonly #authentications: ReadonlyMap<KnownAccount, Authentication>;
  readonly #clock: Clock;
  readonly #clients = new Map<EwsLane, Client>();
  #isClosed = false;

  constructor(endpoint: EwsEndpoint, authentications: ReadonlyMap<KnownAccount, Authentication>, clock: Clock) {
    this.#endpoint = endpoint;
    this.#authentications = authentications;
    this.#clock = clock;
  }

  loadOf(lane: EwsLane): BackEndLoad | undefined {
    return this.#clientOf(lane).load;
  }

  concurrencyOf(lane: EwsLane): number {
    return this.#clientOf(lane).concurrency;
  }

  /** The server has refused one request more than it takes at the same time. */
  refusedConnection(lane: EwsLane): void {
    const client = this.#clientOf(lane);
    if (this.#endpoint.concurrency !== undefined) return;
    lane.concurrency = Math.max(1, Math.min(lane.concurrency ?? Infinity, lane.inFlight - 1, client.concurrency));
    this.#setConcurrency(client, lane.concurrency);
  }

  /**
   * Sends one request, in an older version too where the server refuses ours (never what must not be sent twice).
   *
   * @throws BridgeError as decodeAnswer, as HttpClient, what a Fault means, and what an answer means in which everything is "busy"
   */
  async send(lane: EwsLane, operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange): Promise<SoapEnvelope> {
    for (;;) {
      const version = exchange.manner?.version ?? versionFor(operation, lane.server.version, lane.server.highestVersion);
      const envelope = await this.#sendOnce(lane, operation, body, exchange, version);
      this.#learnVersion(lane, envelope);
      exchange.inspect?.(envelope);
      const { fault } = envelope;
      if (fault === undefined) return this.#checked(envelope, operation, exchange);
      const older = exchange.manner?.version === undefined && isVersionRefusal(fault) ? olderVersion(operation, version) : undefined;
      if (older !== undefined) lane.server.highestVersion = older;
      if (older === undefined || operation === 'CreateItem') throw this.#impersonates(exchange) ? impersonationError(decodeFaultError(fault)) : decodeFaultError(fault);
    }
  }

  /** @throws BridgeError as openStream */
  async stream(lane: EwsLane, operation: EwsOperation, body: XmlNode, manner: RequestManner, silenceMs: number, signal: AbortSignal): Promise<HttpStream> {
    const { options } = this.#clientOf(lane);
    const version = manner.version ?? versionFor(operation, lane.server.version, lane.server.highestVersion);
    return openStream(options, { url: lane.server.url, headers: headersOf(operation, manner), body: encodeRequest(body, version, ...(manner.blocks ?? [])), silenceMs, signal });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#clients.values()].map(({ http }) => http.close()));
  }

  async #sendOnce(lane: EwsLane, operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange, version: RequestServerVersion): Promise<SoapEnvelope> {
    const { ctx, budget } = exchange;
    const { http, options } = this.#clientOf(lane);
    const manner = this.#mannerOf(exchange);
    exchange.asking?.(lane);
    const answer = await http.request({
      method: 'POST',
      url: lane.server.url,
      headers: headersOf(operation, manner),
      body: encodeRequest(body, version, ...(manner.blocks ?? [])),
      signal: ctx.signal,
      deadline: ctx.deadline,
      budget,
      hops: ctx.hops,
      // Sent twice it makes two items. Whoever tries again looks first what is there.
      once: operation === 'CreateItem',
    });
    exchange.cookies?.(answer.cookies);
    exchange.dated?.(answer.headers['date']);
    const envelope = await decodeAnswer(answer, options.authentication?.kind);
    // grommunio sends a second, unasked-for answer on the connection on which a Fault came with status 200.
    if (envelope.fault !== undefined && answer.status === 200) http.retire();
    return envelope;
  }

  /** An answer without a Fault whose every part is refused because we are busy, or as nobody we may act for, is no answer. */
  #checked(envelope: SoapEnvelope, operation: EwsOperation, exchange: Exchange): SoapEnvelope {
    const error = OF_SUBSCRIPTIONS.has(operation) ? undefined : commonError(envelope.body);
    if (error?.code === 'BACKEND_BUSY') throw error;
    // About the mailbox that was asked for, where one was: GetUserAvailability has the same words for it.
    if (error === undefined || operation === 'GetUserAvailability') return envelope;
    const refused = this.#impersonates(exchange) ? impersonationError(error) : error;
    if (refused.code === 'BACKEND_AUTH') throw refused;
    return envelope;
  }

  #impersonates(exchange: Exchange): boolean {
    return this.#endpoint.impersonate !== undefined && exchange.manner?.blocks === undefined;
  }

  #mannerOf(exchange: Exchange): RequestManner {
    const { impersonate } = this.#endpoint;
    if (impersonate === undefined || !this.#impersonates(exchange)) return exchange.manner ?? {};
    return { ...exchange.manner, blocks: [encodeImpersonation(impersonate)], headers: { 'x-anchormailbox': impersonate, ...exchange.manner?.headers } };
  }

  #learnVersion(lane: EwsLane, { header }: SoapEnvelope): void {
    const version = decodeServerVersion(header);
    if (version === undefined) return;
    lane.server.version = version;
    if (this.#endpoint.concurrency !== undefined) return;
    const most = isModern(version) ? LIMITS.ewsConcurrency.from2013 : LIMITS.ewsConcurrency.before2013;
    this.#setConcurrency(this.#clientOf(lane), Math.min(most, lane.concurrency ?? Infinity));
  }

  #setConcurrency(client: Client, most: number): void {
    if (client.concurrency === most) return;
    client.concurrency = most;
    client.load?.setConcurrency(most);
  }

  #clientOf(lane: EwsLane): Client {
    const known = this.#clients.get(lane);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new BridgeError('BACKEND_UNREACHABLE', 'the connection to the calendar system was ended', { temporary: true });
    const { ca, nameCheck, minTlsVersion, hosts, loads, concurrency } = this.#endpoint;
    const authentication = this.#authentications.get(lane.account);
    const { url, version } = lane.server;
    const first = concurrency ?? Math.min(isModern(version) ? LIMITS.ewsConcurrency.from2013 : LIMITS.ewsConcurrency.before2013, lane.concurrency ?? Infinity);
    const load = loads?.of(url.origin, authentication === undefined ? '' : accountName(authentication), first);
    // Busy before this client was made (a reload): the load may not know.
    if (lane.isFirmlyQuiet(this.#clock.now())) load?.holdOff(lane.quietUntil - this.#clock.now());
    const options: HttpClientOptions = { ca, nameCheck, minTlsVersion, redirectHosts: hosts, authentication, load };
    const client = { http: new HttpClient(options), options, load, concurrency: first };
    this.#clients.set(lane, client);
    return client;
  }
}

/** What they are refused with is the watch's own matter. */
const OF_SUBSCRIPTIONS: ReadonlySet<EwsOperation> = new Set<EwsOperation>(['Subscribe', 'Unsubscribe', 'GetEvents', 'GetStreamingEvents']);

function headersOf(operation: EwsOperation, manner: RequestManner): Record<string, string> {
  return {
    'content-type': 'text/xml; charset=utf-8',
    accept: 'text/xml',
    soapaction: soapAction(operation),
    // EwsAllowList and EwsBlockList of an organisation go by this name.
    'user-agent': 'freebusy-bridge',
    ...manner.headers,
  };
}
