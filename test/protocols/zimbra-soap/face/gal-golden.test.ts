import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { attribute } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { decodeEnvelope } from '../../../../src/protocols/soap/envelope.ts';
import { entryOf, memoryDirectory } from '../../../directory/memory-directory.ts';
import { jsonMessage, openGalFace, send, xmlMessage } from './asking.ts';

const FIXTURES = new URL('../../../../fixtures/zimbra-soap/', import.meta.url);
const OPERATIONS = ['search-gal-response', 'auto-complete-response', 'auto-complete-gal-response', 'sync-gal-response', 'search-calendar-resources-response', 'get-distribution-list-members-response'];

interface Asked {
  readonly request: string | Record<string, unknown>;
  readonly entries: readonly ({ readonly address: string } & Parameters<typeof entryOf>[1])[];
  readonly members?: Readonly<Record<string, readonly string[]>>;
}

/** What the message says, without what an answer of ours may say besides: attributes of the answer itself, and further `<a n>`. */
function said(answer: XmlElement, wanted: XmlElement): unknown {
  const attributes = wanted.attributes.map(({ name }) => [name, attribute(answer, name)]);
  const names = new Set(wanted.children.filter(({ name }) => name === 'a').map((one) => `${attribute(one, 'n')}=${one.text}`));
  const children = answer.children.filter((one) => one.name !== 'a' || names.has(`${attribute(one, 'n')}=${one.text}`));
  return { name: answer.name, ns: answer.ns, text: answer.text, attributes, children: children.map((one, index) => said(one, wanted.children[index] ?? one)) };
}

const bodyOf = async (text: string): Promise<XmlElement> => decodeEnvelope(await readXml(text)).body.children[0]!;

describe.each(OPERATIONS)('%s', (operation) => {
  const folder = new URL(`${operation}/`, FIXTURES);
  for (const name of readdirSync(folder)) {
    const at = (file: string): URL => new URL(`${name}/${file}`, folder);
    it(`is answered as the case ${name} has it on the wire`, async () => {
      const { request, entries, members = {} } = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as Asked;
      const face = await openGalFace(memoryDirectory(entries.map(({ address, ...keys }) => entryOf(address, keys)), { members }));
      const { text, status } = await send(face, typeof request === 'string' ? xmlMessage(request) : jsonMessage(request));
      await face.close();
      expect(status).toBe(200);
      if (existsSync(at('message.json'))) {
        expect((JSON.parse(text) as { Body: unknown }).Body).toMatchObject(JSON.parse(readFileSync(at('message.json'), 'utf8')) as object);
        return;
      }
      const wanted = await bodyOf(readFileSync(at('message.xml'), 'utf8'));
      expect(said(await bodyOf(text), wanted)).toEqual(said(wanted, wanted));
    });
  }
});
