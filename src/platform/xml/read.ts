import { setImmediate as nextTurn } from 'node:timers/promises';
import { SaxesParser } from 'saxes';
import type { SaxesTagNS } from 'saxes';
import { LIMITS } from '../../core/limits.ts';
import type { XmlAttribute, XmlElement } from './element.ts';

/** Why a document was refused. Callers turn it into their protocol's own words (a request) or BACKEND_MALFORMED (an answer). */
export class XmlError extends Error {
  override readonly name = 'XmlError';
}

export interface ReadXmlOptions {
  /** `charset` of the Content-Type header; a byte order mark is stronger, the XML declaration weaker. */
  readonly charset?: string | undefined;
  /** Bound of the tree; default: that of a back end's answer. */
  readonly maxNodes?: number;
  /** Drops references to characters that XML forbids (`&#01;`), which Exchange's WebDAV sends in subjects (2000, 2003). */
  readonly dropIllegalReferences?: boolean;
}

const XMLNS_NS = 'http://www.w3.org/2000/xmlns/';
const ERROR_CHARACTERS = 120;
const BRACKETS = ']'.repeat(1_000);

interface OpenElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads a whole document, strictly: namespaces resolved, the five entities and character references decoded, DOCTYPE refused,
 * depth, node and attribute counts bounded, a truncated document is an error. Names that begin with a digit behind a prefix
 * (`b:0x68470003`, Exchange and Zimbra 8) are read all the same. Large documents are read in slices with a turn of the
 * event loop between them.
 *
 * The size bound is the caller's: bodies are bounded where they are received.
 *
 * @throws XmlError
 */
export async function readXml(body: Uint8Array | string, options: ReadXmlOptions = {}): Promise<XmlElement> {
  let text = typeof body === 'string' ? body.replace(/^\uFEFF/, '') : decodeBytes(body, options.charset);
  if (options.dropIllegalReferences === true) text = text.replace(/&#(?:x([0-9a-f]{1,8})|([0-9]{1,10}));/gi, dropIfIllegal);
  const { parser, result } = treeBuilder(options.maxNodes ?? LIMITS.xmlNodes);
  const slice = LIMITS.xmlSliceCharacters;
  try {
    for (let at = 0; at < text.length; at += slice) {
      if (at > 0) await nextTurn();
      writeSlice(parser, text.slice(at, at + slice));
    }
    parser.close();
  } catch (error) {
    throw asXmlError(error);
  }
  return result();
}

/**
 * The same at once, for whoever must answer before anything else happens: a document of one slice at most.
 *
 * @throws XmlError also where the text is longer than LIMITS.xmlSliceCharacters
 */
export function readShortXml(text: string): XmlElement {
  if (text.length > LIMITS.xmlSliceCharacters) throw new XmlError('too long');
  const { parser, result } = treeBuilder(LIMITS.requestXmlNodes);
  try {
    writeSlice(parser, text.replace(/^\uFEFF/, ''));
    parser.close();
  } catch (error) {
    throw asXmlError(error);
  }
  return result();
}

function writeSlice(parser: SaxesParser<{ xmlns: true }>, part: string): void {
  // saxes keeps every `]` of a CDATA section apart until it knows that none ends it: 30 MB of them became 1 GB (measured).
  if (part.includes(BRACKETS)) throw new XmlError('too many square brackets in a row');
  parser.write(part);
}

function asXmlError(error: unknown): XmlError {
  if (error instanceof XmlError) return error;
  // The text quotes names of the document, which may be long.
  return new XmlError(error instanceof Error ? error.message.replace(/^undefined:\d+:\d+: /, '').slice(0, ERROR_CHARACTERS) : 'not well-formed');
}

function treeBuilder(maxNodes: number): { readonly parser: SaxesParser<{ xmlns: true }>; readonly result: () => XmlElement } {
  const parser = new SaxesParser({ xmlns: true, position: false, defaultXMLVersion: '1.0', forceXMLVersion: true });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let nodes = 0;
  const countNode = (): void => {
    if (++nodes > maxNodes) throw new XmlError(`more than ${maxNodes} nodes`);
  };
  const addText = (text: string): void => {
    const top = open.at(-1);
    if (top === undefined) return;
    countNode();
    top.text += text;
  };
  // No more than six handlers: a seventh turns the parser into a slow object of V8, which made reading take 2.7 times as long
  // (measured). Without one for 'error' saxes throws, which is what is wanted.
  parser.on('doctype', () => {
    throw new XmlError('a DOCTYPE is not allowed');
  });
  parser.on('text', addText);
  parser.on('cdata', addText);
  let attributesOfTag = 0;
  parser.on('attribute', () => {
    if (++attributesOfTag > LIMITS.xmlAttributesPerElement) throw new XmlError(`more than ${LIMITS.xmlAttributesPerElement} attributes`);
  });
  parser.on('opentag', (tag) => {
    countNode();
    const hasAttributes = attributesOfTag > 0;
    attributesOfTag = 0;
    if (open.length >= LIMITS.xmlDepth) throw new XmlError(`nested more than ${LIMITS.xmlDepth} deep`);
    const element: OpenElement = {
      name: tag.local,
      ns: tag.uri,
      attributes: hasAttributes ? attributesOf(tag) : NO_ATTRIBUTES,
      children: [],
      text: '',
    };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    root = open.pop();
  });
  return {
    parser,
    result: () => {
      if (root === undefined || open.length > 0) throw new XmlError('the document ends early');
      return root;
    },
  };
}

const NO_ATTRIBUTES: readonly XmlAttribute[] = Object.freeze([]);

function attributesOf(tag: SaxesTagNS): readonly XmlAttribute[] {
  return Object.values(tag.attributes)
    .filter((one) => one.uri !== XMLNS_NS)
    .map((one) => ({ name: one.local, ns: one.uri, value: one.value }));
}

/** Bytes to text by byte order mark, then Content-Type, then XML declaration, then UTF-8; undecodable bytes are an error. */
function decodeBytes(bytes: Uint8Array, charset: string | undefined): string {
  const label = byteOrderMark(bytes) ?? charset ?? declaredEncoding(bytes) ?? 'utf-8';
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    throw new XmlError(`not valid ${/^[\w.:-]{1,40}$/.test(label) ? label : 'text'}`);
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  return undefined;
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  return /^<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(head)?.[1];
}

function dropIfIllegal(reference: string, hex: string | undefined, decimal: string | undefined): string {
  const code = hex === undefined ? Number.parseInt(decimal ?? '', 10) : Number.parseInt(hex, 16);
  const legal =
    code === 0x9 || code === 0xa || code === 0xd || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
  return legal ? reference : '';
}
