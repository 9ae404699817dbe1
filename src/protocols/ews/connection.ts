import type { CalendarSystemOptions } from '../../freebusy/calendar-system.ts';
import { HttpClient } from '../../platform/http-client/http-client.ts';
import { basicAuthentication } from '../../platform/http-client/interceptors.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlNode, XmlText } from '../../platform/xml/write.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { decodeAnswer } from './answer.ts';
import { encodeRequest, LATER_SERVER_VERSION, soapAction } from './names.ts';
import type { EwsOperation } from './names.ts';
import { decodeFaultError } from './response-message.ts';

export interface EwsEndpoint extends Pick<CalendarSystemOptions, 'ca' | 'hosts'> {
  /** The whole endpoint, `https://…/EWS/Exchange.asmx`. */
  readonly url: URL;
  readonly username: string;
  readonly password: string;
}

/** One dealing with the server: a lookup, a publication, a probe. */
export interface Exchange {
  readonly ctx: RequestContext;
  readonly budget: RequestBudget;
  /** Sees every answer that is SOAP, Faults too, before it is used; may throw. */
  readonly inspect?: (envelope: SoapEnvelope) => void;
  /** Sees the Date header of every answer, whatever it is. */
  readonly dated?: (date: string | undefined) => void;
}

/** The one way in which requests go to an EWS server: Basic authentication, SOAP 1.1, Content-Length. */
export class EwsConnection {
  readonly #url: URL;
  readonly #http: HttpClient;

  constructor(endpoint: EwsEndpoint) {
    this.#url = endpoint.url;
    this.#http = new HttpClient({
      ca: endpoint.ca,
      redirectHosts: endpoint.hosts,
      interceptors: [basicAuthentication(endpoint.username, endpoint.password)],
    });
  }

  /** Sends one request and gives its answer. @throws BridgeError as decodeAnswer, as HttpClient, and what a Fault means */
  async call(operation: EwsOperation, body: XmlNode | XmlText, exchange: Exchange): Promise<SoapEnvelope> {
    const { ctx, budget } = exchange;
    const answer = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: {
        'content-type': 'text/xml; charset=utf-8',
        accept: 'text/xml',
        soapaction: soapAction(operation),
        // EwsAllowList and EwsBlockList of an organisation go by this name.
        'user-agent': 'freebusy-bridge',
      },
      body: operation === 'FindPeople' ? encodeRequest(body, LATER_SERVER_VERSION) : encodeRequest(body),
      signal: ctx.signal,
      budget,
      hops: ctx.hops,
      // Sent twice it makes two items. Whoever tries again looks first what is there.
      once: operation === 'CreateItem',
    });
    exchange.dated?.(answer.headers['date']);
    const envelope = await decodeAnswer(answer);
    // grommunio sends a second, unasked-for answer on the connection on which a Fault came with status 200.
    if (envelope.fault !== undefined && answer.status === 200) this.#http.retire();
    exchange.inspect?.(envelope);
    if (envelope.fault !== undefined) throw decodeFaultError(envelope.fault);
    return envelope;
  }

  /** Ends all connections; safe to call twice. */
  async close(): Promise<void> {
    await this.#http.close();
  }
}
