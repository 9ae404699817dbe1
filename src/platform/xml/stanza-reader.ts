import { SaxesParser } from 'saxes';
import type { SaxesTagNS } from 'saxes';
import { LIMITS } from '../../core/limits.ts';
import type { XmlElement } from './element.ts';
import { XmlError } from './read.ts';

/** What becomes of a document that never ends: its root's children, one by one, as they are complete. */
export interface StanzaListener {
  /** The root has opened; it has attributes and neither children nor text. `contentNs`: the namespace of children without a prefix; undefined where it names none. */
  opened(root: XmlElement, contentNs: string | undefined): void;
  /** Whether a child of the root is worth keeping; what is not costs its parsing only. */
  wants(name: string, ns: string): boolean;
  stanza(element: XmlElement): void;
  /** The root has been closed. */
  closed(): void;
}

interface OpenElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: XmlElement['attributes'];
  readonly children: XmlElement[];
  text: string;
}

const XMLNS_NS = 'http://www.w3.org/2000/xmlns/';
const ERROR_CHARACTERS = 120;

/**
 * Reads an XML stream (RFC 6120 §4) as strictly as `readXml` reads a document: namespaces resolved, entities decoded, DOCTYPE refused, UTF-8 only. A child of the root may
 * have `maxBytes`; one that is deeper than LIMITS.xmlDepth or has more than LIMITS.requestXmlNodes elements is passed over, because whoever may write to us must not be able to
 * end the stream.
 */
export class StanzaReader {
  readonly #listener: StanzaListener;
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #parser = new SaxesParser({ xmlns: true, position: false, defaultXMLVersion: '1.0', forceXMLVersion: true });
  /** Of the stanza that is being kept, outermost first. */
  readonly #open: OpenElement[] = [];
  #depth = 0;
  #nodes = 0;
  #isKept = false;
  #bytes = 0;
  #isOver = false;

  constructor(listener: StanzaListener, maxBytes: number) {
    this.#listener = listener;
    this.#maxBytes = maxBytes;
    const addText = (text: string): void => {
      const top = this.#open.at(-1);
      if (top !== undefined) top.text += text;
    };
    this.#parser.on('doctype', () => {
      throw new XmlError('a DOCTYPE is not allowed');
    });
    this.#parser.on('text', addText);
    this.#parser.on('cdata', addText);
    this.#parser.on('opentag', (tag) => this.#opened(tag));
    this.#parser.on('closetag', () => this.#closed());
  }

  /**
   * Takes the next bytes. Nothing is read any more once it has thrown, or the root was closed.
   *
   * @throws XmlError where the stream cannot be read on
   */
  write(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    try {
      if (this.#bytes > this.#maxBytes) throw new XmlError(`a stanza of more than ${this.#maxBytes} bytes`);
      this.#parser.write(this.#decoder.decode(chunk, { stream: true }));
    } catch (error) {
      // What stands behind the end of the stream is nobody's.
      if (this.#isOver) return;
      this.#isOver = true;
      if (error instanceof XmlError) throw error;
      throw new XmlError(error instanceof Error ? error.message.replace(/^undefined:\d+:\d+: /, '').slice(0, ERROR_CHARACTERS) : 'not well-formed');
    }
  }

  /** Nothing is told any more. */
  end(): void {
    this.#isOver = true;
  }

  #opened(tag: SaxesTagNS): void {
    if (this.#isOver) return;
    this.#depth++;
    if (this.#depth === 1) {
      this.#bytes = 0;
      this.#listener.opened(elementOf(tag), tag.ns['']);
      return;
    }
    if (this.#depth === 2) {
      this.#isKept = this.#listener.wants(tag.local, tag.uri);
      this.#nodes = 0;
    }
    if (!this.#isKept) return;
    if (this.#depth > LIMITS.xmlDepth || ++this.#nodes > LIMITS.requestXmlNodes) {
      this.#isKept = false;
      this.#open.length = 0;
      return;
    }
    const element = elementOf(tag);
    this.#open.at(-1)?.children.push(element);
    this.#open.push(element);
  }

  #closed(): void {
    if (this.#isOver) return;
    this.#depth--;
    if (this.#depth === 0) {
      this.#isOver = true;
      this.#listener.closed();
      return;
    }
    const done = this.#isKept ? this.#open.pop() : undefined;
    if (this.#depth > 1) return;
    this.#bytes = 0;
    if (done !== undefined) this.#listener.stanza(done);
  }
}

function elementOf(tag: SaxesTagNS): OpenElement {
  const attributes = Object.values(tag.attributes)
    .filter((one) => one.uri !== XMLNS_NS)
    .map((one) => ({ name: one.local, ns: one.uri, value: one.value }));
  return { name: tag.local, ns: tag.uri, attributes, children: [], text: '' };
}
