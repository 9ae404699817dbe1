import { attribute, child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el, xmlDocument, xmlFragment, XmlText } from '../../../platform/xml/write.ts';
import { decodeEnvelope, SOAP_11_NS } from '../../soap/envelope.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { EnvelopeFault, EwsFault, schemaFault } from './faults.ts';
import type { EwsBody } from './operation.ts';
import { decodeSchemaVersion } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';

/** A request as the frame gives it to an operation. */
export interface EwsRequest {
  readonly version: SchemaVersion;
  readonly header: XmlElement | undefined;
  /** The one element of the Body, in the messages' namespace. */
  readonly operation: XmlElement;
}

/** Headers of the schema and of WS-Addressing: understood or harmless, whatever they say. */
const KNOWN_HEADERS: ReadonlySet<string> = new Set([
  'RequestServerVersion',
  'ExchangeImpersonation',
  'SerializedSecurityContext',
  'MailboxCulture',
  'TimeZoneContext',
  'DateTimePrecision',
  'ManagementRole',
  'RequestTypeHeader',
  'ProxyRequestTypeHeader',
  'ProxySecurityContext',
  'ProxySuggesterSid',
  'ConcurrencyHeader',
  'S2SAuthorization',
  'OpenAsAdminOrSystemService',
  'BackgroundLoad',
]);
const ADDRESSING = /^http:\/\/(?:www\.w3\.org\/2005\/08|schemas\.xmlsoap\.org\/ws\/2004\/08)\/addressing$/;
const NEXT_ACTOR = 'http://schemas.xmlsoap.org/soap/actor/next';

/**
 * Takes a request apart: the version asked for, the header, the operation.
 *
 * @throws EnvelopeFault another SOAP than 1.1, or a header that must be understood and is not; EwsFault ErrorSchemaValidation, ErrorInvalidServerVersion,
 * ErrorInvalidRequest; XmlError where it is no envelope
 */
export function decodeEwsRequest(root: XmlElement): EwsRequest {
  if (root.name === 'Envelope' && root.ns !== SOAP_11_NS) throw new EnvelopeFault('VersionMismatch', 'The envelope is not one of SOAP 1.1.');
  const { header, body } = decodeEnvelope(root);
  const version = decodeHeader(header);
  const operation = body.children[0];
  if (operation === undefined || operation.ns !== MESSAGES_NS) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
  if (body.children.length > 1) throw schemaFault('The Body holds more than one operation.');
  return { version, header, operation };
}

function decodeHeader(header: XmlElement | undefined): SchemaVersion {
  const stranger = header?.children.find((one) => mustUnderstand(one) && !isKnown(one));
  if (stranger !== undefined) throw new EnvelopeFault('MustUnderstand', `The header '${stranger.name}' from the namespace '${stranger.ns}' was not understood.`);
  const asked = header?.children.find((one) => one.name === 'RequestServerVersion' && one.ns === TYPES_NS);
  if (asked === undefined) return 'Exchange2007';
  const version = decodeSchemaVersion(attribute(asked, 'Version') ?? '');
  if (version === undefined) throw new EwsFault('ErrorInvalidServerVersion', 'The specified server version is invalid.');
  return version;
}

/** SOAP 1.1 §4.2.2, §4.2.3: a header for somebody else further on is not ours to understand. */
function mustUnderstand(header: XmlElement): boolean {
  const own = header.attributes.filter((one) => one.ns === SOAP_11_NS);
  const flag = own.find((one) => one.name === 'mustUnderstand')?.value.trim();
  const actor = own.find((one) => one.name === 'actor')?.value ?? '';
  return (flag === '1' || flag === 'true') && (actor === '' || actor === NEXT_ACTOR);
}

function isKnown(header: XmlElement): boolean {
  return header.ns === TYPES_NS ? KNOWN_HEADERS.has(header.name) : ADDRESSING.test(header.ns);
}

/** The header element of that name and the types' namespace. */
export function typesHeader(header: XmlElement | undefined, name: string): XmlElement | undefined {
  const found = child(header, name);
  return found?.ns === TYPES_NS ? found : undefined;
}

/** What we call ourselves: Exchange 2016 CU23. Its name, not a date of the schema, because every client knows it (README). */
const SERVER_VERSION = xmlFragment(
  el('h:ServerVersionInfo', { MajorVersion: '15', MinorVersion: '1', MajorBuildNumber: '2507', MinorBuildNumber: '6', Version: 'Exchange2016', 'xmlns:h': TYPES_NS }),
);

/** A whole answer: what an operation or a fault gives, in its envelope. */
export function encodeEwsAnswer(body: EwsBody): string {
  return encodeEwsPieces(body).join('');
}

/** The same, in as many pieces as the body has. */
export function encodeEwsPieces(body: EwsBody): readonly string[] {
  const pieces = 'length' in body ? body.map((one) => one.text) : [body instanceof XmlText ? body.text : xmlFragment(body).text];
  pieces[0] = OPEN + (pieces[0] ?? '');
  pieces[pieces.length - 1] += CLOSE;
  return pieces;
}

const OPEN = xmlDocument(new XmlText(`<s:Envelope xmlns:s="${SOAP_11_NS}"><s:Header>${SERVER_VERSION.text}</s:Header><s:Body>`));
const CLOSE = '</s:Body></s:Envelope>';

