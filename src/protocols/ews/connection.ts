import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { accountName } from '../../platform/http-client/authentication.ts';
import type { Authentication } from '../../platform/http-client/authentication.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../platform/http-client/http-client.ts';
import { openStream } from '../../platform/http-client/open-stream.ts';
import type { HttpStream } from '../../platform/http-client/open-stream.ts';
import type { BackEndLoads } from '../../platform/http-client/load/back-end-load.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlNode, XmlText } from '../../platform/xml/write.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { decodeAnswer } from './answer.ts';
import { encodeRequest, LATER_SERVER_VERSION, REQUEST_SERVER_VERSION, soapAction } from './names.ts';
import type { EwsOperation, RequestServerVersion } from './names.ts';
import { decodeFaultError } from './response-message.ts';

export interface EwsEndpoint extends Pick<CalendarSystemOptions, 'ca' | 'hosts'> {
  /** Whole endpoints, `https://…/EWS/Exchange.asmx`; they stand for each other. */
  readonly servers: readonly URL[];
  /** Where EWS is, when no servers are configured. @throws BridgeError */
  readonly discover?: ((signal: AbortSignal) => Promise<readonly URL[]>) | undefined;
  /** At least one; the load is spread over them. */
  readonly accounts: readonly Authentication[];
  /** In whose name is asked; absent: the account's own. */
  readonly impersonate?: MailboxAddress | undefined;
  /** Absent: as much as there is. */
  readonly loads?: BackEndLoads | undefined;
  /** Requests at the same time, an account; absent: by the server's version. */
  readonly concurrency?: number | undefined;
  /** Which names of the server's certificate count; absent: Node's own rules. */
  readonly nameCheck?: HttpClientOptions['nameCheck'];
}

/** How a request is made that is not made in the plainest way. */
export interface RequestManner {
  readonly version?: RequestServerVersion;
  /** Further header blocks of the envelope: ExchangeImpersonation. */
  readonly blocks?: readonly XmlNode[];
  /** Further HTTP headers, lower case: affinity. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One dealing with the server: a lookup, a publication, a probe. */
export interface Exchange {
  readonly ctx: RequestContext;
  readonly budget: RequestBudget;
  readonly manner?: RequestManner;
  /** Sees the cookies (`name=value; …`) of every answer. */
  readonly cookies?: (cookies: readonly string[]) => void;
  /** Sees every answer that is SOAP, Faults too, before it is used; may throw. */
  readonly inspect?: (envelope: SoapEnvelope) => void;
  /** Sees the Date header of every answer, whatever it is. */
  readonly dated?: (date: string | undefined) => void;
}

/** The one way in which requests go to an EWS server: Basic authentication, SOAP 1.1, Content-Length. */
export class EwsConnection {
  readonly #url: URL;
  readonly #clientOptions: HttpClientOptions;
  readonly #http: HttpClient;

  constructor(endpoint: EwsEndpoint) {
    this.#url = endpoint.servers[0]!;
    this.#clientOptions = {
      ca: endpoint.ca,
      nameCheck: endpoint.nameCheck,
      redirectHosts: endpoint.hosts,
      authentication: endpoint.accounts[0],
      load: endpoint.loads?.of(this.#url.origin, accountName(endpoint.accounts[0]!), endpoint.concurrency ?? 10),
    };
    this.#http = new HttpClient(this.#clientOptions);
  }

  /** Sends one request and gives its answer. @throws BridgeError as decodeAnswer, as HttpClient, and what a Fault means */
  async call(operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange): Promise<SoapEnvelope> {
    const { ctx, budget, manner } = exchange;
    const answer = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: headersOf(operation, manner),
      body: encodeRequest(body, manner?.version ?? (operation === 'FindPeople' ? LATER_SERVER_VERSION : REQUEST_SERVER_VERSION), ...(manner?.blocks ?? [])),
      signal: ctx.signal,
      deadline: ctx.deadline,
      budget,
      hops: ctx.hops,
      // Sent twice it makes two items. Whoever tries again looks first what is there.
      once: operation === 'CreateItem',
    });
    exchange.cookies?.(answer.cookies);
    exchange.dated?.(answer.headers['date']);
    const envelope = await decodeAnswer(answer);
    // grommunio sends a second, unasked-for answer on the connection on which a Fault came with status 200.
    if (envelope.fault !== undefined && answer.status === 200) this.#http.retire();
    exchange.inspect?.(envelope);
    if (envelope.fault !== undefined) throw decodeFaultError(envelope.fault);
    return envelope;
  }

  /**
   * Sends a request whose answer does not end, over a connection of its own: a hanging one must not take a place that lookups need.
   *
   * @throws BridgeError as openStream
   */
  async stream(operation: EwsOperation, body: XmlNode, manner: RequestManner, silenceMs: number, signal: AbortSignal): Promise<HttpStream> {
    return openStream(this.#clientOptions, { url: this.#url, headers: headersOf(operation, manner), body: encodeRequest(body, manner.version, ...(manner.blocks ?? [])), silenceMs, signal });
  }

  /** Ends all connections; safe to call twice. */
  async close(): Promise<void> {
    await this.#http.close();
  }
}

function headersOf(operation: EwsOperation, manner: RequestManner | undefined): Record<string, string> {
  return {
    'content-type': 'text/xml; charset=utf-8',
    accept: 'text/xml',
    soapaction: soapAction(operation),
    // EwsAllowList and EwsBlockList of an organisation go by this name.
    'user-agent': 'freebusy-bridge',
    ...manner?.headers,
  };
}
