import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { attribute, child, childrenNamed, childText, descend } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml, XmlError } from '../../../src/platform/xml/read.ts';
import { SHARED } from '../../shared.ts';

/** Every answer to a hostile document is an XmlError of one short line: it goes into faults and logs. */
async function refused(body: Uint8Array | string, options: Parameters<typeof readXml>[1] = {}): Promise<string> {
  const outcome: unknown = await readXml(body, options).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(XmlError);
  const { message } = outcome as XmlError;
  expect(message.length).toBeLessThan(200);
  expect(message).not.toMatch(/[\u0000-\u001f]/);
  return message;
}

const bare = (name: string, text = '', children: readonly XmlElement[] = []): XmlElement => ({ name, ns: '', attributes: [], children, text });
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('a document', () => {
  it('is read with its namespaces resolved, attributes too, and its own text only', async () => {
    const root = await readXml('<a:r xmlns:a="urn:a" xmlns="urn:d" a:x="1" y="2">one<b>in</b>two<a:b/></a:r>');
    expect(root).toEqual({
      name: 'r',
      ns: 'urn:a',
      attributes: [{ name: 'x', ns: 'urn:a', value: '1' }, { name: 'y', ns: '', value: '2' }],
      children: [{ ...bare('b', 'in'), ns: 'urn:d' }, { ...bare('b'), ns: 'urn:a' }],
      text: 'onetwo',
    });
  });

  it('has the five entities and character references decoded, once', async () => {
    expect((await readXml('<r>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x1F600;&amp;lt;</r>')).text).toBe('<>&"\'AB\u{1F600}&lt;');
    expect(attribute(await readXml('<r q="&lt;&amp;&#65;&#10;"/>'), 'q')).toBe('<&A\n');
  });

  it('keeps texts that look like numbers, and every blank', async () => {
    // parseTagValue of fast-xml-parser would make 13 and 1e400 of these.
    for (const text of ['0x0d59c7e0', '0000123', '222200002222000022220000', '1e400', 'true', ' a \n b ', '-0']) expect((await readXml(`<r>${text}</r>`)).text).toBe(text);
  });

  it('may hold CDATA, comments, processing instructions and a declaration', async () => {
    expect((await readXml('<?xml version="1.0" encoding="utf-8"?>\n<!-- a --><?x y?><r>a<![CDATA[<b>&amp;]]><!-- no --><?x y?>c</r>\n<!-- z -->')).text).toBe('a<b>&amp;c');
  });

  it('may have the names of Exchange’s WebDAV, which are no names', async () => {
    const root = await readXml('<a:prop xmlns:a="DAV:" xmlns:b="http://schemas.microsoft.com/mapi/proptag/"><b:0x68470003>123</b:0x68470003><b:x68501102/></a:prop>');
    expect(root.children.map((one) => [one.name, one.ns, one.text])).toEqual([
      ['0x68470003', 'http://schemas.microsoft.com/mapi/proptag/', '123'],
      ['x68501102', 'http://schemas.microsoft.com/mapi/proptag/', ''],
    ]);
  });

  it('may be a string that begins with a byte order mark', async () => {
    expect(await readXml('\ufeff<r/>')).toEqual(bare('r'));
  });

  it('is walked by local names', async () => {
    const root = await readXml('<r><a n="1"> x </a><p:a xmlns:p="urn:p">y</p:a><b><c>deep</c></b></r>');
    expect([childText(root, 'a'), childrenNamed(root, 'a').length, descend(root, 'b', 'c')?.text, descend(root, 'b', 'x', 'c'), child(undefined, 'a'), childText(root, 'z')]).toEqual(['x', 2, 'deep', undefined, undefined, undefined]);
    expect(attribute(child(root, 'a'), 'n')).toBe('1');
  });
});

describe('a document that is not whole', () => {
  const whole = '<?xml version="1.0"?><s:E xmlns:s="urn:s"><s:B a="1">text &amp; <![CDATA[x]]><!-- c --><t/></s:B></s:E>';

  it('is refused wherever it is cut off', async () => {
    await expect(readXml(whole)).resolves.toMatchObject({ name: 'E' });
    for (let length = 0; length < whole.length; length++) await refused(whole.slice(0, length));
  });

  it.each(['<r><a></r>', '<r>trunc', '<r></R>', '<r/><r/>', '<r/>tail', 'head<r/>', '</r>', '<r></r></r>', '', '   ', 'not xml', '<html><body><br></body></html>', '{"json":1}', '<r><![CDATA[x]]', '<r/><!--'])('%j is refused', async (text) => {
    await refused(text);
  });
});

describe('what a hostile document tries', () => {
  it.each([
    '<!DOCTYPE r><r/>',
    '<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>',
    '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
    '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><r/>',
    '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><r>&b;</r>',
    '<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE html>\n<r/>',
    '\ufeff<!DOCTYPE r><r/>',
  ])('a DOCTYPE: %j', async (text) => {
    expect(await refused(text)).toBe('a DOCTYPE is not allowed');
  });

  it.each(['<r/><!DOCTYPE r>', '<r><!DOCTYPE r></r>', '<!doctype r><r/>', '<!ENTITY x "y"><r/>', '<r><!ENTITY x "y"></r>', '<r>&x;</r>', '<r>&nbsp;</r>', '<r q="&x;"/>', '<r>&</r>', '<r>& </r>', '<r>&amp</r>', '<r>a && b</r>', '<r>&constructor;</r>', '<r>&__proto__;</r>', '<r>&toString;</r>'])(
    'other declarations and entities: %j',
    async (text) => {
      await refused(text);
    },
  );

  it.each(['&#0;', '&#1;', '&#x1f;', '&#xFFFE;', '&#xFFFF;', '&#xD800;', '&#xDFFF;', '&#x110000;', '&#99999999999999999999;', '&#;', '&#x;', '&#-1;', '&#1e3;', '&#xG;'])('a reference to no character: %s', async (reference) => {
    await refused(`<r>${reference}</r>`);
    await refused(`<r q="${reference}"/>`);
  });

  it('a reference to a control character that XML 1.1 would allow', async () => {
    await refused('<?xml version="1.1"?><r>&#1;</r>');
  });

  it.each(['<r>\u0000</r>', '<r>\u0001</r>', '<r>\u000b</r>', '<r>\ufffe</r>', '<r>\ud800</r>', '<r q="\u0007"/>'])('a forbidden character itself: %j', async (text) => {
    await refused(text);
  });

  it.each(['<p:r/>', '<r p:a="1"/>', '<r xmlns:p=""/>', '<r xmlns:xmlns="u"/>', '<r xmlns:xml="u"/>', '<a:b:c xmlns:a="u"/>', '<:r/>', '<r: xmlns:r="u"/>', '<p:r xmlns:p="u"><p:a/></p:r><p:a/>'])('namespaces that are none: %j', async (text) => {
    await refused(text);
  });

  it.each(['<r a="1" a="2"/>', '<r xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>', '<r a=1/>', '<r a/>', '<r a="<"/>', '<r a="1"b="2"/>', '<0/>', '<r><!-- -- --></r>', '<r>]]></r>', '<r><?xml version="1.0"?></r>'])('what is not well-formed: %j', async (text) => {
    await refused(text);
  });

  it('an own name cannot reach what all objects have', async () => {
    const root = await readXml('<__proto__ constructor="1" __proto__="2"><toString/></__proto__>');
    expect([root.name, child(root, 'toString')?.name, attribute(root, 'constructor'), attribute(root, 'hasOwnProperty')]).toEqual(['__proto__', 'toString', '1', undefined]);
    expect(({} as Record<string, unknown>)['2']).toBeUndefined();
  });

  it('a long name does not come back in the error', async () => {
    const name = 'x'.repeat(100_000);
    for (const text of [`<${name}>`, `<${name}:a/>`, `<r a="1" ${name}="1" ${name}="2"/>`, `<r></${name}>`, `<r>&${name};</r>`, `<a:${name}:c xmlns:a="u"/>`]) await refused(text);
  });
});

describe('bounds, at the limit and one over', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  const attributes = (count: number): string => `<a ${Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ')}/>`;

  it('depth', async () => {
    await expect(readXml(nested(LIMITS.xmlDepth))).resolves.toMatchObject({ name: 'a' });
    expect(await refused(nested(LIMITS.xmlDepth + 1))).toContain(String(LIMITS.xmlDepth));
    await refused('<a>'.repeat(1_000_000));
  });

  it('attributes, namespace declarations counted', async () => {
    await expect(readXml(attributes(LIMITS.xmlAttributesPerElement))).resolves.toMatchObject({ attributes: { length: LIMITS.xmlAttributesPerElement } });
    expect(await refused(attributes(LIMITS.xmlAttributesPerElement + 1))).toContain(String(LIMITS.xmlAttributesPerElement));
    await refused(attributes(LIMITS.xmlAttributesPerElement).replace('/>', ' xmlns:p="u"/>'));
  });

  it('attributes are counted while they come, not when their element is whole', async () => {
    // Never closed: whoever counts at the end of the tag says "ends early" instead, after having stored them all.
    expect(await refused(attributes(1_000).slice(0, -2))).toContain('attributes');
  });

  it('nodes: elements and texts', async () => {
    const half = LIMITS.xmlNodes / 2;
    await expect(readXml(`<r>${'<a/>'.repeat(half - 1)}${'x<a/>'.repeat(half / 2)}</r>`)).resolves.toMatchObject({ name: 'r' });
    expect(await refused(`<r>${'<a/>'.repeat(LIMITS.xmlNodes)}</r>`)).toContain(String(LIMITS.xmlNodes));
    expect(await refused(`<r>${'x<a/>'.repeat(half)}</r>`)).toContain(String(LIMITS.xmlNodes));
  });

  it('a document is the same wherever the slices fall', async () => {
    const slice = LIMITS.xmlSliceCharacters;
    const tail = '<s:b xmlns:s="urn:s" q="a&amp;b">x &#x1F600; &lt; \u{1F600}<![CDATA[]]]]><!-- c --></s:b>\r\n<c/></r>';
    const expected = await readXml(`<r>${tail}`);
    for (let before = 0; before <= tail.length; before++) {
      const padding = ' '.repeat(slice - 3 - before);
      const root = await readXml(`<r>${padding}${tail}`);
      expect([root.children, root.text.trim()]).toEqual([expected.children, expected.text.trim()]);
    }
  });

  it('hostile pieces are refused wherever the slices fall', async () => {
    const slice = LIMITS.xmlSliceCharacters;
    for (const piece of ['<!DOCTYPE r>', '&x;', '&#0;', '</s>', '\u0001', '<p:a/>']) {
      for (let before = 0; before <= piece.length; before++) await refused(`<r>${' '.repeat(slice - 3 - before)}${piece}</r>`);
    }
    for (let before = 0; before <= 12; before++) expect(await refused(`${' '.repeat(slice - before)}<!DOCTYPE r><r/>`)).toBe('a DOCTYPE is not allowed');
  });

  it('gives others their turn between the slices', async () => {
    let turns = 0;
    let reading = true;
    const count = (): void => {
      turns += 1;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    await readXml(`<r>${'<a>text</a>'.repeat(100_000)}</r>`);
    reading = false;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(1_100_000 / LIMITS.xmlSliceCharacters));
  });
});

describe('encodings', () => {
  const umlaut = '<r>ü</r>';

  it.each([
    ['UTF-8', Buffer.from(umlaut)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${umlaut}`)],
    ['UTF-8 as declared', Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${umlaut}`)],
    ['Latin-1 as declared', latin1(`<?xml version='1.0' encoding='ISO-8859-1'?>${umlaut}`)],
    ['UTF-16 little end first', Buffer.from(`\ufeff${umlaut}`, 'utf16le')],
    ['UTF-16 big end first', Buffer.from(`\ufeff${umlaut}`, 'utf16le').swap16()],
    ['UTF-16 with its declaration', Buffer.from(`\ufeff<?xml version="1.0" encoding="utf-16"?>${umlaut}`, 'utf16le')],
  ])('%s', async (_name, bytes) => {
    expect((await readXml(bytes)).text).toBe('ü');
  });

  it('a byte order mark is stronger than the header, the header stronger than the declaration', async () => {
    expect((await readXml(Buffer.from(`\ufeff${umlaut}`), { charset: 'iso-8859-1' })).text).toBe('ü');
    expect((await readXml(latin1(umlaut), { charset: 'iso-8859-1' })).text).toBe('ü');
    expect((await readXml(Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${umlaut}`), { charset: 'utf-8' })).text).toBe('ü');
  });

  it.each([
    ['bytes that are no UTF-8', latin1(umlaut)],
    ['an overlong slash', Buffer.concat([Buffer.from('<r>'), Buffer.from([0xc0, 0xaf]), Buffer.from('</r>')])],
    ['half a surrogate pair in UTF-8', Buffer.concat([Buffer.from('<r>'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('</r>')])],
    ['a character cut off at the end', Buffer.concat([Buffer.from('<r/>'), Buffer.from([0xc3])])],
    ['an odd number of bytes in UTF-16', Buffer.concat([Buffer.from('\ufeff<r/>', 'utf16le'), Buffer.from([0x20])])],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0, 0x72, 0, 0, 0])],
    ['UTF-7, in which +ADw- is <', Buffer.from('<?xml version="1.0" encoding="utf-7"?><r>+ADw-</r>')],
    ['a declared encoding that nobody knows', Buffer.from('<?xml version="1.0" encoding="x-klingon"?><r/>')],
    ['nothing but a byte order mark', Buffer.from('\ufeff')],
    ['null bytes', Buffer.alloc(64)],
    ['a gzip body', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
  ])('refuses %s', async (_name, bytes) => {
    await refused(bytes);
  });

  it('refuses a charset that nobody knows, without repeating it at length', async () => {
    await refused(Buffer.from('<r/>'), { charset: 'x-klingon' });
    await refused(Buffer.from('<r/>'), { charset: '\u0001'.repeat(10_000) });
  });
});

describe('references that Exchange’s WebDAV should not send', () => {
  it('are dropped on demand, the legal ones stay', async () => {
    const text = '<r>a&#01;b&#x1F;c&#0;d&#xFFFF;e&#xD800;f&#65;&#x1F600;&#9;&#99999999999;</r>';
    await refused(text, { dropIllegalReferences: true });
    expect((await readXml(text.replace('&#99999999999;', ''), { dropIllegalReferences: true })).text).toBe('abcdefA\u{1F600}\t');
    await refused('<r>&#01;</r>');
  });

  it('make no entity of what stands around them', async () => {
    expect((await readXml('<r>&amp;#1;</r>', { dropIllegalReferences: true })).text).toBe('&#1;');
  });
});

const CAPTURES = `${SHARED}/captures`;

describe.skipIf(!existsSync(CAPTURES))('captured traffic', () => {
  const files = existsSync(CAPTURES) ? (readdirSync(CAPTURES, { recursive: true }) as string[]).filter((name) => name.endsWith('.xml')) : [];

  it('is there', () => {
    expect(files.length).toBeGreaterThan(20);
  });

  it.each(files)('%s is read', async (name) => {
    const root = await readXml(readFileSync(join(CAPTURES, name)), { dropIllegalReferences: true });
    expect(root.children.length).toBeGreaterThan(0);
  });
});
