import { XmlText, el, xml, xmlDocument, xmlFragment } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { SOAP_11_NS } from '../soap/envelope.ts';

/** Prefix `t` in everything we write. All three are `http:`; copies of the documentation that show `https:` are wrong. */
export const TYPES_NS = 'http://schemas.microsoft.com/exchange/services/2006/types';
/** Prefix `m` in everything we write. */
export const MESSAGES_NS = 'http://schemas.microsoft.com/exchange/services/2006/messages';
/** Namespace of the detail of a Fault. */
export const ERRORS_NS = 'http://schemas.microsoft.com/exchange/services/2006/errors';

/** The operations that we call. */
export type EwsOperation =
  | 'GetUserAvailability'
  | 'GetFolder'
  | 'FindFolder'
  | 'FindItem'
  | 'GetItem'
  | 'CreateItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ResolveNames'
  | 'FindPeople'
  | 'Subscribe'
  | 'Unsubscribe'
  | 'GetEvents'
  | 'GetStreamingEvents';

/**
 * The schema with which a server is asked that we know nothing of. Every Exchange from 2007 SP1 to Online takes it; a newer name is a fault
 * (ErrorInvalidServerVersion) at an older server. What is asked for once the server is known stands in request-version.ts.
 */
export const REQUEST_SERVER_VERSION = 'Exchange2007_SP1';

/** Value of the SOAPAction header, quotes included. */
export function soapAction(operation: EwsOperation): string {
  return `"${MESSAGES_NS}/${operation}"`;
}

/** The root element of a request's body: `m:name` with both namespaces declared on it, so that it can be validated by itself. */
export function messageElement(name: string, attributes: Readonly<Record<string, string>>, ...content: readonly XmlNode[]): XmlNode {
  return el(`m:${name}`, { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS, ...attributes }, content);
}

/** For what came later, and is sent only to servers that are new enough: FindPeople. */
export const LATER_SERVER_VERSION = 'Exchange2013';

/** For streaming subscriptions, which came with it (exchange.md §3.4), and with them FreeBusyChangedEvent. */
export const STREAMING_SERVER_VERSION = 'Exchange2010_SP1';

/** For an Exchange 2007 without its service pack. */
export const OLDEST_SERVER_VERSION = 'Exchange2007';

export type RequestServerVersion = typeof OLDEST_SERVER_VERSION | typeof REQUEST_SERVER_VERSION | typeof STREAMING_SERVER_VERSION | typeof LATER_SERVER_VERSION;

/**
 * A request as it goes out: SOAP 1.1 with RequestServerVersion in the header. The hot body comes as a template, the others as structures.
 *
 * @param as further header blocks: ExchangeImpersonation
 */
export function encodeRequest(body: XmlNode | XmlText, version: RequestServerVersion = REQUEST_SERVER_VERSION, ...as: readonly XmlNode[]): string {
  const inside = body instanceof XmlText ? body : xmlFragment(body);
  return xmlDocument(
    xml`<soap:Envelope xmlns:soap="${SOAP_11_NS}"><soap:Header>${VERSION_HEADERS[version]}${as.map(xmlFragment)}</soap:Header><soap:Body>${inside}</soap:Body></soap:Envelope>`,
  );
}

const VERSION_HEADERS: Readonly<Record<RequestServerVersion, XmlText>> = {
  [OLDEST_SERVER_VERSION]: versionHeader(OLDEST_SERVER_VERSION),
  [REQUEST_SERVER_VERSION]: versionHeader(REQUEST_SERVER_VERSION),
  [STREAMING_SERVER_VERSION]: versionHeader(STREAMING_SERVER_VERSION),
  [LATER_SERVER_VERSION]: versionHeader(LATER_SERVER_VERSION),
};

function versionHeader(version: string): XmlText {
  return xmlFragment(el('t:RequestServerVersion', { 'xmlns:t': TYPES_NS, Version: version }));
}

/** Where the face answers, in any case and with slashes doubled. */
export const FACE_PATH = /^\/+ews\/+exchange\.asmx\/?$/i;
