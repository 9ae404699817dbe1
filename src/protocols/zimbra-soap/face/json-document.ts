import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { XmlAttribute, XmlElement } from '../../../platform/xml/element.ts';

/** Why a JSON message was refused. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

interface OpenElement {
  readonly name: string;
  /** Empty: its parent's, which may be said after it. */
  ns: string;
  readonly attributes: XmlAttribute[];
  children: OpenElement[];
  text: string;
}

/** Where the reader is: in an object, or in the list that stands under `key` of the same object. */
interface Frame {
  readonly element: OpenElement;
  readonly keys: Set<string>;
  key?: string;
  isList?: boolean;
  /** Nothing stands in it yet, so no comma comes first. */
  isFresh: boolean;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS = ['true', 'false', 'null'] as const;
const ATTRIBUTES = '_attrs';

/**
 * Reads Zimbra's JSON (zimbra.md §1.2) into the same elements as its XML: an object is an element, a list is one element for each of
 * its objects, a plain member is an attribute, `_content` the text, `_jsns` the namespace (inherited where there is none), a member of
 * `_attrs` an `<a n="…">`. Numbers stay as they were written.
 *
 * Strictly RFC 8259: single quotes, bare words and `=` are refused, which Zimbra's own reader takes, and so is a key that comes twice.
 * It is read before anybody has signed in: depth, members and attributes are bounded as in XML, and others run meanwhile.
 *
 * @throws JsonError
 */
export async function readJson(text: string, root: { readonly name: string; readonly ns: string }): Promise<XmlElement> {
  const reader = new JsonReader(text, root.name);
  const pace = new Pace(LIMITS.xmlSliceCharacters);
  for (let from = 0; reader.step(); from = reader.at) if (pace.spend(reader.at - from)) await pace.turn();
  inherit(reader.root, root.ns);
  return reader.root;
}

/** Gives everything below without a `_jsns` of its own the namespace of what holds it: Zimbra writes `_jsns` last. */
function inherit(element: OpenElement, ns: string): void {
  if (element.ns === '') element.ns = ns;
  for (const child of element.children) inherit(child, element.ns);
}

function elementNamed(name: string): OpenElement {
  return { name, ns: '', attributes: [], children: [], text: '' };
}

const NO_KEYS: Set<string> = new Set();

/** `{"k": "v", "l": ["a", "b"]}` as `<a n="k">v</a><a n="l">a</a><a n="l">b</a>`. */
function attributeList(list: OpenElement): readonly OpenElement[] {
  const named = (name: string, text: string, more: readonly XmlAttribute[]): OpenElement => ({ ...elementNamed('a'), attributes: [{ name: 'n', ns: '', value: name }, ...more], text });
  return [...list.attributes.map(({ name, value }) => named(name, value, [])), ...list.children.map(({ name, text, attributes }) => named(name, text, attributes))];
}

class JsonReader {
  at = 0;
  readonly root: OpenElement;
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #nodes = 0;

  constructor(text: string, root: string) {
    this.#text = text;
    this.root = elementNamed(root);
    this.#expect('{');
    this.#open(this.root);
  }

  /** Reads one member, one entry of a list, or the end of either. False: the document is over. */
  step(): boolean {
    if (++this.#nodes > LIMITS.requestXmlNodes) throw new JsonError(`more than ${LIMITS.requestXmlNodes} nodes`);
    const frame = this.#frames.at(-1)!;
    const next = this.#peek();
    if (next === (frame.isList === true ? ']' : '}')) this.#close(frame);
    else {
      if (!frame.isFresh) this.#expect(',');
      frame.isFresh = false;
      if (frame.isList === true) this.#listed(frame);
      else this.#member(frame);
    }
    if (this.#frames.length > 0) return true;
    if (this.#peek() !== '') throw this.#wrong('something behind the end');
    return false;
  }

  #member(frame: Frame): void {
    const key = this.#string();
    if (frame.keys.has(key)) throw new JsonError('a key comes twice in one object');
    frame.keys.add(key);
    this.#expect(':');
    switch (this.#peek()) {
      case '{':
        return this.#object(frame.element, key);
      case '[':
        this.at += 1;
        this.#frames.push({ element: frame.element, keys: NO_KEYS, key, isList: true, isFresh: true });
        return;
      default:
        return this.#plain(frame.element, key, this.#scalar());
    }
  }

  /** A list holds objects; only that of an attribute's values holds plain ones. */
  #listed({ element, key }: Frame): void {
    if (this.#peek() === '{') return this.#object(element, key!);
    if (element.name !== ATTRIBUTES) throw this.#wrong('a list of something else than objects');
    const value = this.#scalar();
    if (value !== undefined) element.children.push({ ...elementNamed(key!), text: value });
  }

  #object(parent: OpenElement, name: string): void {
    this.at += 1;
    const element = elementNamed(name);
    parent.children.push(element);
    this.#open(element);
  }

  #plain(element: OpenElement, key: string, value: string | undefined): void {
    if (value === undefined) return;
    if (key === '_jsns') element.ns = value;
    else if (key === '_content') element.text = value;
    else {
      if (element.attributes.length >= LIMITS.xmlAttributesPerElement) throw new JsonError(`more than ${LIMITS.xmlAttributesPerElement} attributes`);
      element.attributes.push({ name: key, ns: '', value });
    }
  }

  #open(element: OpenElement): void {
    if (this.#frames.length >= LIMITS.xmlDepth) throw new JsonError(`nested more than ${LIMITS.xmlDepth} deep`);
    this.#frames.push({ element, keys: new Set(), isFresh: true });
  }

  #close({ element, isList }: Frame): void {
    this.at += 1;
    this.#frames.pop();
    if (isList === true) return;
    if (element.children.some(({ name }) => name === ATTRIBUTES)) element.children = element.children.flatMap((one) => (one.name === ATTRIBUTES ? attributeList(one) : one));
  }

  #scalar(): string | undefined {
    const next = this.#peek();
    if (next === '"') return this.#string();
    const literal = LITERALS.find((one) => this.#text.startsWith(one, this.at));
    if (literal !== undefined) {
      this.at += literal.length;
      return literal === 'null' ? undefined : literal;
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number === undefined) throw this.#wrong('no JSON value');
    this.at += number.length;
    return number;
  }

  #string(): string {
    this.#expect('"');
    const from = this.at;
    let isEscaped = false;
    for (;;) {
      const code = this.#text.charCodeAt(this.at);
      // NaN behind the end.
      if (!(code >= 0x20)) throw this.#wrong('an unterminated string');
      if (this.at - from > LIMITS.jsonStringCharacters) throw this.#wrong('too long a string');
      if (code === 0x22) break;
      if (code === 0x5c) isEscaped = true;
      this.at += code === 0x5c ? 2 : 1;
    }
    const raw = this.#text.slice(from, this.at++);
    if (!isEscaped) return raw;
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch (cause) {
      throw new JsonError('an escape that JSON does not have', { cause });
    }
  }

  /** The next character that is no blank; empty at the end. */
  #peek(): string {
    for (;;) {
      const code = this.#text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
      this.at += 1;
    }
    return this.#text.charAt(this.at);
  }

  #expect(character: '{' | ':' | ',' | '"'): void {
    if (this.#peek() !== character) throw this.#wrong(`no ${character}`);
    this.at += 1;
  }

  #wrong(what: string): JsonError {
    return new JsonError(`${what} at character ${this.at}`);
  }
}
