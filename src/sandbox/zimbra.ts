import type { Clock } from '../core/clock.ts';
import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { readXml, XmlError } from '../platform/xml/read.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { CalendarStore } from './calendar-store.ts';
import { createStandIn } from './stand-in.ts';
import type { StandIn, StandInAnswer, StandInRequest } from './stand-in.ts';
import { answerAuth, createTokens } from './zimbra-auth.ts';
import type { Tokens } from './zimbra-auth.ts';
import { ZimbraFault, zimbraFaultBody } from './zimbra-fault.ts';
import { answerGetFreeBusy } from './zimbra-get-free-busy.ts';

export interface ZimbraOptions {
  /** The account that the bridge signs in with, an address. */
  readonly username: string;
  readonly password: string;
  readonly calendars: CalendarStore;
  readonly clock: Clock;
  /**
   * What callers without a token see: `true` is Zimbra's default (everybody may view free/busy). The sandbox's domain has
   * `pub -viewFreeBusy`, so that a bridge that forgot to sign in gets `n` for everybody.
   */
  readonly publicFreeBusy?: boolean;
  readonly tokenLifetimeMs?: number;
}

export interface Zimbra extends StandIn {
  /** Every token given out so far is answered service.AUTH_EXPIRED from now on, as after a change of password. */
  revokeTokens(): void;
}

const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';
const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const MAX_HOPS = 5;

/** Operations of the real server that this one does not play, but that it would refuse to a caller without a token. */
const NEEDS_TOKEN = new Set(['NoOpRequest', 'GetInfoRequest', 'SearchRequest', 'GetFolderRequest', 'CreateWaitSetRequest', 'WaitSetRequest', 'SyncGalRequest']);

/**
 * Stands in for a Zimbra mailbox server's `/service/soap/`: AuthRequest and GetFreeBusyRequest in XML. There is no capture of
 * a Zimbra server's answers: zimbra.md, read from its source, is the best there is.
 */
export function createZimbra(options: ZimbraOptions): Zimbra {
  const tokens = createTokens(options.clock, options.tokenLifetimeMs ?? 172_800_000);
  const standIn = createStandIn('Zimbra', async (request): Promise<StandInAnswer> => {
    if (!/^\/service\/soap(?:\/|$)/i.test(request.path)) return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '<html><body>404</body></html>', source: 'zimbra.md §1.1' };
    if (request.method !== 'POST') return { status: 405, source: 'zimbra.md §1.1' };
    let ns = SOAP12;
    try {
      const root = await readEnvelope(request);
      if (root.ns === SOAP11) ns = SOAP11;
      const { body, source, mailboxes } = answerOperation(root, options, tokens);
      return { ...reply(200, ns, body), source, mailboxes };
    } catch (error) {
      if (!(error instanceof ZimbraFault)) throw error;
      return { ...reply(500, ns, zimbraFaultBody(error, ns === SOAP12)), source: 'zimbra.md §1.5' };
    }
  });
  return Object.defineProperties({ revokeTokens: () => tokens.revokeAll() }, Object.getOwnPropertyDescriptors(standIn)) as Zimbra;
}

function answerOperation(root: XmlElement, options: ZimbraOptions, tokens: Tokens): { readonly body: XmlText; readonly source: string; readonly mailboxes: number } {
  const operation = child(root, 'Body')?.children[0];
  if (operation === undefined) throw new ZimbraFault('service.PARSE_ERROR', 'parse error: no body');
  const context = child(child(root, 'Header'), 'context');
  if (Number(attribute(context, 'hops') ?? 0) > MAX_HOPS) throw new ZimbraFault('service.TOO_MANY_HOPS', 'mountpoint loop detected');
  if (operation.name === 'AuthRequest' && operation.ns === 'urn:zimbraAccount') {
    return { body: answerAuth(operation, options, tokens), source: 'zimbra.md §1.3', mailboxes: 0 };
  }
  // Raised even for operations that need no token (zimbra.md §1.5).
  const token = childText(context, 'authToken');
  const signedIn = token !== undefined && tokens.check(token);
  if (operation.name === 'GetFreeBusyRequest' && operation.ns === 'urn:zimbraMail') {
    const { body, mailboxes } = answerGetFreeBusy(operation, options.calendars, signedIn || options.publicFreeBusy === true);
    return { body, source: 'zimbra.md §2.2', mailboxes };
  }
  if (NEEDS_TOKEN.has(operation.name) && !signedIn) throw new ZimbraFault('service.AUTH_REQUIRED', 'no valid authtoken present');
  throw new ZimbraFault('service.UNKNOWN_DOCUMENT', `unknown document: ${operation.name}`);
}

/** Whatever does not begin with `<` is JSON to Zimbra (a byte order mark or a blank too); this stand-in speaks XML only. */
async function readEnvelope(request: StandInRequest): Promise<XmlElement> {
  if (request.body[0] !== '<'.charCodeAt(0)) throw new ZimbraFault('service.PARSE_ERROR', 'parse error: not a SOAP document');
  try {
    return await readXml(request.body);
  } catch (error) {
    if (error instanceof XmlError) throw new ZimbraFault('service.PARSE_ERROR', `parse error: ${error.message}`);
    throw error;
  }
}

function reply(status: number, ns: string, body: XmlText): Pick<StandInAnswer, 'status' | 'headers' | 'body'> {
  return {
    status,
    headers: { 'Content-Type': 'text/xml; charset=utf-8', 'Cache-Control': 'no-store, no-cache' },
    body: xml`<soap:Envelope xmlns:soap="${ns}"><soap:Header><context xmlns="urn:zimbra"><change token="1234"/></context></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`.text,
  };
}
