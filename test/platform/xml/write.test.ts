import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { el, escapeXml, writeXml, xml, xmlDocument, xmlFragment, XmlText } from '../../../src/platform/xml/write.ts';

/** Reads `<r q="…">…</r>` with saxes directly: not our own reader, which could share a mistake. */
function read(document: string): { readonly attribute: string; readonly text: string; readonly elements: number } {
  const parser = new SaxesParser({ xmlns: true });
  const seen = { attribute: '', text: '', elements: 0 };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    seen.elements += 1;
    seen.attribute = tag.attributes['q']?.value ?? seen.attribute;
  });
  parser.on('text', (text) => (seen.text += text));
  parser.on('cdata', (text) => (seen.text += text));
  parser.write(document).close();
  return seen;
}

/** What a reader must see: forbidden characters dropped (XML 1.0 §2.2). */
const legal = (text: string): string =>
  [...text].filter((character) => {
    const code = character.codePointAt(0)!;
    return code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd) || code >= 0x10000;
  }).join('');

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'<>&"\'/[]!-?;#x=ab 0', ']]>', '<![CDATA[', '&amp;', '&#65;', '-->', '<?', '\u0000', '\u001f', '\ufffe', '\ud800', '\udc00', '\u{1F600}', 'ü') }),
);

describe('what is written is read as it was meant', () => {
  it.each([
    ['the builder', (text: string): string => writeXml(el('r', { q: text }, text))],
    ['the template', (text: string): string => xmlDocument(xml`<r q="${text}">${text}</r>`)],
  ])('by %s, whatever the text', (_name, write) => {
    fc.assert(
      fc.property(nasty, (text) => {
        const seen = read(write(text));
        expect(seen.elements).toBe(1);
        // Line ends and blanks have their own test below.
        expect(seen.text.replace(/\r\n?/g, '\n')).toBe(legal(text).replace(/\r\n?/g, '\n'));
        expect(seen.attribute.replace(/\s/g, ' ')).toBe(legal(text).replace(/\s/g, ' '));
      }),
      { numRuns: 1_000, examples: [['\r\n']] },
    );
  });

  it.each(['a\nb', 'a\tb', 'a\r\nb', '\r', ' a ', '   ', ''])('line ends and blanks too: %j', (text) => {
    for (const document of [writeXml(el('r', { q: text }, text)), xmlDocument(xml`<r q="${text}">${text}</r>`)]) {
      expect(read(document)).toEqual({ attribute: text, text, elements: 1 });
    }
  });

  it.each(['0', 'false', 'null', '1e400', '0x10', '__proto__'])('text that looks like a value: %j', (text) => {
    expect(read(writeXml(el('r', { q: text }, text)))).toEqual({ attribute: text, text, elements: 1 });
  });
});

describe('the builder', () => {
  it('leaves out what is undefined or false, and keeps zero and order', () => {
    const root = el('r', { a: undefined, b: '' }, undefined, false, 0, el('x'), ['t', el('y', undefined, 1)] as const);
    expect(xmlFragment(root).text).toBe('<r b="">0<x/>t<y>1</y></r>');
  });

  it('begins a document with its declaration and indents nothing', () => {
    expect(writeXml(el('a:r', { 'xmlns:a': 'urn:a' }, el('a:b')))).toBe('<?xml version="1.0" encoding="utf-8"?><a:r xmlns:a="urn:a"><a:b/></a:r>');
  });

  it('writes as deep as anything is read, and ten thousand neighbours', () => {
    let node = el('leaf');
    for (let level = 0; level < 63; level++) node = el('n', undefined, node);
    expect(read(writeXml(node)).elements).toBe(64);
    expect(read(writeXml(el('r', undefined, Array.from({ length: 10_000 }, () => el('x', undefined, '&'))))).text).toBe('&'.repeat(10_000));
  });
});

describe('the template', () => {
  it('escapes values, takes pieces and lists of pieces as they are', () => {
    const piece = xml`<x>${'<&>"\''}</x>`;
    expect(xml`<r n="${3}">${piece}${[piece, piece]}</r>`.text).toBe(`<r n="3">${'<x>&lt;&amp;&gt;&quot;&apos;</x>'.repeat(3)}</r>`);
    expect(piece).toBeInstanceOf(XmlText);
  });

  it('escapes an object that only looks like a piece', () => {
    const forged = { text: '<evil/>' } as unknown as string;
    expect(() => xml`<r>${forged}</r>`.text).toThrow();
  });
});

describe('escaping', () => {
  it('is no double escaping and no forgetting', () => {
    expect(escapeXml('&amp; <a b="c\'d">')).toBe('&amp;amp; &lt;a b=&quot;c&apos;d&quot;&gt;');
    expect(escapeXml('a\u0000\u0008\u000b\ufffe\ud800b\udc00\u{1F600}')).toBe('ab\u{1F600}');
  });
});
