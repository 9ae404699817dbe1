import { LIMITS } from '../../../core/limits.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { attribute, child } from '../../../platform/xml/element.ts';
import { XmlError, readXml } from '../../../platform/xml/read.ts';
import { SOAP_11_NS, decodeEnvelope } from '../../soap/envelope.ts';
import { ZIMBRA_JSON_NS } from '../names.ts';
import type { AnswerFormat } from './answer.ts';
import { JsonError, readJson } from './json-document.ts';

/** A request that was read: from XML or JSON, the same elements. */
export interface SoapMessage {
  /** In what the answer goes out: the request's own, unless its context asks for the other. */
  readonly format: AnswerFormat;
  readonly header?: XmlElement;
  /** Its first child is the request. */
  readonly body: XmlElement;
}

/** A request that cannot be read, and in what to say so. */
export class UnreadableMessage extends Error {
  override readonly name = 'UnreadableMessage';
  readonly format: AnswerFormat;
  constructor(message: string, format: AnswerFormat, cause?: unknown) {
    super(message, { cause });
    this.format = format;
  }
}

/**
 * Reads a request: what begins with `<` is XML, all else JSON (zimbra.md §1.1). A byte order mark and blanks before it are nothing here.
 *
 * @param charset of the Content-Type; JSON is UTF-8 whatever it says
 * @throws UnreadableMessage
 */
export async function decodeMessage(bytes: Uint8Array, charset: string | undefined): Promise<SoapMessage> {
  if (bytes.length === 0) throw new UnreadableMessage('empty request payload', '1.2');
  return isXml(bytes) ? decodeXml(bytes, charset) : decodeJson(bytes);
}

const LESS_THAN = 0x3c;
/** Of a byte order mark, of UTF-16's empty half, and blanks. */
const BEFORE_THE_FIRST: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf, 0xfe, 0xff, 0x00, 0x20, 0x09, 0x0a, 0x0d]);

function isXml(bytes: Uint8Array): boolean {
  return bytes.find((one) => !BEFORE_THE_FIRST.has(one)) === LESS_THAN;
}

async function decodeXml(bytes: Uint8Array, charset: string | undefined): Promise<SoapMessage> {
  try {
    const envelope = decodeEnvelope(await readXml(bytes, { charset, maxNodes: LIMITS.requestXmlNodes }));
    return message(envelope.version, envelope.header, envelope.body);
  } catch (error) {
    if (error instanceof XmlError) throw new UnreadableMessage(error.message, guessedFormat(bytes), error);
    throw error;
  }
}

async function decodeJson(bytes: Uint8Array): Promise<SoapMessage> {
  try {
    const root = await readJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { name: 'Envelope', ns: ZIMBRA_JSON_NS });
    const body = child(root, 'Body');
    if (body === undefined) throw new JsonError('a message without a Body');
    return message('js', child(root, 'Header'), body);
  } catch (error) {
    if (error instanceof JsonError || error instanceof TypeError) throw new UnreadableMessage(error instanceof JsonError ? error.message : 'not valid utf-8', 'js', error);
    throw error;
  }
}

function message(asked: AnswerFormat, header: XmlElement | undefined, body: XmlElement): SoapMessage {
  return { format: answerFormat(asked, header), body, ...(header === undefined ? {} : { header }) };
}

/** `<format type="js"/>` and `{"format":{"type":"xml"}}` cross over; XML for a JSON request is SOAP 1.2 (zimbra.md §1.1). */
function answerFormat(asked: AnswerFormat, header: XmlElement | undefined): AnswerFormat {
  const type = attribute(child(child(header, 'context'), 'format'), 'type');
  if (type === 'js') return 'js';
  return type === 'xml' && asked === 'js' ? '1.2' : asked;
}

const HEAD_BYTES = 2_048;

/** In what to answer a request of which nothing but the beginning is known. */
export function formatOfBeginning(bytes: Uint8Array): AnswerFormat {
  return isXml(bytes) ? guessedFormat(bytes) : 'js';
}

/** Of XML that is broken: as far as its head tells, as Zimbra looks for it (SoapEngine.java, bug 77304). */
function guessedFormat(bytes: Uint8Array): AnswerFormat {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  if (/<(?:\w+:)?format\s+type=["']js["']/.test(head)) return 'js';
  const envelope = /<(?:[\w.-]{1,40}:)?Envelope\b[^<]*/.exec(head)?.[0];
  return envelope?.includes(SOAP_11_NS) === true ? '1.1' : '1.2';
}
