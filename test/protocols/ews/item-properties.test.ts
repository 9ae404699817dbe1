import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeItemProperties } from '../../../src/protocols/ews/item-properties.ts';
import type { ItemProperties } from '../../../src/protocols/ews/item-properties.ts';
import { decodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/free-busy-message.ts';
import { SHARED } from '../../shared.ts';

const ROOT = new URL('../../../fixtures/ews/item-properties/', import.meta.url);

const hex = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`;
const asText = ({ properties, removed }: ItemProperties): object => ({
  properties: Object.fromEntries([...properties].map(([id, values]) => [hex(id), values])),
  removed: removed.map(hex),
});

describe('items in any EWS document', () => {
  it.each(readdirSync(ROOT))('are read as expected.json says: %s', async (name) => {
    expect(readFileSync(new URL(`${name}/SOURCE.md`, ROOT), 'utf8')).not.toBe('');
    const found = decodeItemProperties(await readXml(readFileSync(new URL(`${name}/message`, ROOT))));
    expect(found.map(asText)).toEqual(JSON.parse(readFileSync(new URL(`${name}/expected.json`, ROOT), 'utf8')));
  });

  it('have the subject that goes by tag where both are there', async () => {
    const subject = (tag: string): string => `<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="String"/><t:Value>by tag</t:Value></t:ExtendedProperty>`;
    const items = (property: string): string => `<m:Items xmlns:m="m" xmlns:t="t"><t:PostItem><t:Subject>by name</t:Subject>${property}</t:PostItem></m:Items>`;
    expect(decodeItemProperties(await readXml(items(subject('0x37')))).map(asText)).toEqual([{ properties: { '0x0037': ['by tag'] }, removed: [] }]);
    expect(decodeItemProperties(await readXml(items(subject('0x6849')))).map(asText)).toEqual([{ properties: { '0x0037': ['by name'], '0x6849': ['by tag'] }, removed: [] }]);
  });

  it.each([
    ['nothing of ours', '<a><b/></a>'],
    ['a folder', '<m:GetFolderResponse xmlns:m="m"><m:Folders><t:Folder xmlns:t="t"/></m:Folders></m:GetFolderResponse>'],
    ['items without properties', '<m:Items xmlns:m="m"><t:PostItem xmlns:t="t"/></m:Items>'],
    ['tags that are none', '<Items><PostItem><ExtendedProperty><ExtendedFieldURI PropertyTag="0x123456" PropertyType="Integer"/><Value>1</Value></ExtendedProperty><ExtendedProperty><Value>2</Value></ExtendedProperty></PostItem></Items>'],
  ])('are none in %s', async (_name, text) => {
    expect(decodeItemProperties(await readXml(text))).toEqual([]);
  });
});

/** The busy times behind the captures of Zimbra's pushes (zimbra-measured.md §4–§5): publish range 2026-03-01 … 2026-04-30. */
describe.runIf(existsSync(join(SHARED, 'captures', 'zimbra')))("Zimbra's own pushes, captured", () => {
  it.each([
    ['ews-push-new-item.txt', 'CreateItem', 'USER-/CN=RECIPIENTS/CN=james'],
    ['ews-push-existing-item.txt', 'UpdateItem', undefined],
  ])('%s is read as a free/busy message', async (file, operation, subject) => {
    const capture = readFileSync(join(SHARED, 'captures', 'zimbra', file), 'utf8');
    const document = capture.split('\n').find((line) => line.startsWith('<?xml') && line.includes(`<${operation} `));
    const found = decodeItemProperties(await readXml(document!));
    expect(found).toHaveLength(1);
    expect(found[0]!.removed).toEqual([]);
    const message = decodeFreeBusyMessage(found[0]!.properties);
    expect(message.subject).toBe(subject);
    expect(message.legacyExchangeDn).toBe('/o=First Organization/ou=First Administrative Group/cn=RECIPIENTS/cn=james');
    expect([message.publishStart, message.publishEnd]).toEqual([Date.parse('2026-03-01T00:00:00Z'), Date.parse('2026-04-30T00:00:00Z')]);
    // vAcWCA== is (1980, 2070) and 6K3Yrg== is (44520, 44760): 2 March 09:00-10:30, and 31 March 22:00 to four hours later, over the month's end.
    expect(message.pairs.busy.stretches).toEqual([{ start: Date.parse('2026-03-02T09:00:00Z'), end: Date.parse('2026-03-02T10:30:00Z') }]);
    expect(message.pairs.away.stretches).toEqual([{ start: Date.parse('2026-03-31T22:00:00Z'), end: Date.parse('2026-04-01T02:00:00Z') }]);
    // What tells Zimbra's messages from ours.
    expect(message.rangeTimestamp).toBeUndefined();
  });
});
