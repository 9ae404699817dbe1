import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { XmlError } from '../../../src/platform/xml/read.ts';
import { StanzaReader } from '../../../src/platform/xml/stanza-reader.ts';

const HEAD = "<?xml version='1.0'?><s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' id='7' xml:lang='en'>";

function reading(maxBytes = 10_000): { readonly write: (text: string | Uint8Array) => void; readonly told: unknown[]; readonly stanzas: XmlElement[]; readonly reader: StanzaReader } {
  const told: unknown[] = [];
  const stanzas: XmlElement[] = [];
  const reader = new StanzaReader(
    {
      opened: (root, contentNs) => void told.push(['opened', root.name, root.ns, root.attributes.find(({ name }) => name === 'id')?.value, contentNs]),
      wants: (name) => name !== 'presence',
      stanza: (element) => {
        told.push(element.name);
        stanzas.push(element);
      },
      closed: () => void told.push('closed'),
    },
    maxBytes,
  );
  return { write: (text) => reader.write(typeof text === 'string' ? Buffer.from(text) : text), told, stanzas, reader };
}

describe('an XML stream', () => {
  it('gives its stanzas one by one, whole, with namespaces and decoded text, however the bytes are cut', () => {
    const stream = Buffer.from(`${HEAD} <a x='&amp;1'>ü<b xmlns='urn:b'>&#8364;<![CDATA[<]]></b>!</a>\n<presence><deep/></presence><c/></s:stream>`);
    for (const size of [1, 2, 3, 7, stream.length]) {
      const { write, told, stanzas } = reading();
      for (let at = 0; at < stream.length; at += size) write(stream.subarray(at, at + size));
      expect(told).toEqual([['opened', 'stream', 'http://etherx.jabber.org/streams', '7', 'jabber:component:accept'], 'a', 'c', 'closed']);
      expect(stanzas[0]).toEqual({ name: 'a', ns: 'jabber:component:accept', text: 'ü!', attributes: [{ name: 'x', ns: '', value: '&1' }], children: [{ name: 'b', ns: 'urn:b', text: '€<', attributes: [], children: [] }] });
    }
  });

  it.each([
    ['a document type', '<!DOCTYPE a><a/>', 'DOCTYPE'],
    ['an entity of nobody', `${HEAD}<a>&bogus;</a>`, 'undefined entity'],
    ['tags that do not match', `${HEAD}<a></b>`, 'unexpected close tag'],
    ['an end without a beginning', '</a>', 'unmatched closing tag'],
    ['text without a root', 'SSH-2.0-OpenSSH_9.2\r\n', 'outside of root'],
    ['an unbound prefix', `${HEAD}<x:a/>`, 'unbound namespace prefix'],
    ['bytes that are no UTF-8', Buffer.from([...Buffer.from(HEAD), 0xff, 0xfe]), 'utf-8'],
    ['an attribute given twice', `${HEAD}<a/><a b='1' b='2'/>`, 'duplicate attribute'],
  ])('%s ends it, and nothing behind it is read', (_name, bytes, words) => {
    const { write, told } = reading();
    expect(() => write(bytes)).toThrow(XmlError);
    expect(() => write(bytes)).not.toThrow();
    expect(() => {
      const again = reading();
      again.write(bytes);
    }).toThrow(words);
    const count = told.length;
    write('<b/>');
    expect(told).toHaveLength(count);
  });

  it('a stanza may have the bytes of the limit and none more, whether it is kept, passed over, or only one long tag', () => {
    for (const open of ['<a>', '<presence>', "<a b='", '<!--', '<![CDATA[']) {
      const { write } = reading(1_000);
      write(HEAD);
      write(open + ' '.repeat(900));
      expect(() => write(' '.repeat(200))).toThrow('more than 1000 bytes');
    }
    const { write, stanzas } = reading(1_000);
    write(HEAD);
    for (let count = 0; count < 100; count++) write(`<a>${'x'.repeat(900)}</a>`);
    expect(stanzas).toHaveLength(100);
  });

  it('one that is too deep or has too many elements is passed over, and the next one is read', () => {
    const { write, told } = reading(10_000_000);
    write(HEAD);
    write(`${'<a>'.repeat(LIMITS.xmlDepth + 10)}${'</a>'.repeat(LIMITS.xmlDepth + 10)}<b/>`);
    write(`<c>${'<d/>'.repeat(LIMITS.requestXmlNodes + 1)}</c><e/>`);
    expect(told.slice(1)).toEqual(['b', 'e']);
  });

  it('who has heard enough hears nothing more, in the middle of a chunk too', () => {
    const heard: string[] = [];
    const reader: StanzaReader = new StanzaReader({ opened: () => undefined, wants: () => true, closed: () => heard.push('closed'), stanza: ({ name }) => { heard.push(name); reader.end(); } }, 1_000);
    reader.write(Buffer.from(`${HEAD}<a/><b/></s:stream>`));
    expect(heard).toEqual(['a']);
  });

  it('what stands behind the end of the stream is nobody’s', () => {
    const { write, told } = reading();
    expect(() => write(`${HEAD}</s:stream><<<`)).not.toThrow();
    expect(told.at(-1)).toBe('closed');
  });
});
