import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { child } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { EwsFault } from '../../../../src/protocols/ews/face/faults.ts';
import { SHARED } from '../../../shared.ts';
import { ask, bodyOf, idIn, pushedTo } from './asked.ts';
import type { Asking } from './asked.ts';

const ORGANISATION = '/o=First Organization/ou=First Administrative Group';
const JAMES_DN = `${ORGANISATION}/cn=RECIPIENTS/cn=james`;
const JAMES = { [JAMES_DN.toLowerCase()]: 'james@zimbra.example' };
const SUBJECT = 'USER-/CN=RECIPIENTS/CN=james';
const ZIMBRA: Asking = { version: 'Exchange2010_SP1', username: 'zimbra', requester: { name: 'zimbra', from: 'zimbra' } };

const property = (tag: string, type: string, value: string) => `<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="${type}"/><t:Value>${value}</t:Value></t:ExtendedProperty>`;
const DN_PROPERTY = property('0x6849', 'String', JAMES_DN);
const create = (items: string, asking: Asking, folder = '') =>
  ask(bodyOf('CreateItem', `${folder === '' ? '' : `<m:SavedItemFolderId><t:FolderId Id="${folder}"/></m:SavedItemFolderId>`}<m:Items>${items}</m:Items>`, 'MessageDisposition="SaveOnly"'), asking);
const post = (inside: string) => `<t:PostItem><t:ItemClass>IPM.Post</t:ItemClass>${inside}</t:PostItem>`;
const subject = (text = SUBJECT) => `<t:Subject>${text}</t:Subject>`;

/** The id of the organisation's folder, found the way Zimbra finds it. */
async function organisationFolder(asking: Asking, organisation = ORGANISATION): Promise<string> {
  const shape = '<m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape>';
  const root = await ask(bodyOf('GetFolder', `${shape}<m:FolderIds><t:DistinguishedFolderId Id="publicfoldersroot"/></m:FolderIds>`), asking);
  let folder = idIn(root.messages[0], 'ParentFolderId');
  for (const name of ['NON_IPM_SUBTREE', 'SCHEDULE+ FREE BUSY', `EX:${organisation}`]) {
    const restriction = `<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="folder:DisplayName"/><t:FieldURIOrConstant><t:Constant Value="${name}"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>`;
    folder = idIn((await ask(bodyOf('FindFolder', `${shape}${restriction}<m:ParentFolderIds><t:FolderId Id="${folder}"/></m:ParentFolderIds>`, 'Traversal="Shallow"'), asking)).messages[0]);
  }
  return folder;
}

describe('a free/busy message that a Zimbra creates', () => {
  it('is heard as news of whom its legacyExchangeDN names', async () => {
    const { pushed, heard, asked } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    const { codes, messages, logged } = await create(post(subject() + DN_PROPERTY), asking, await organisationFolder(asking));
    expect(codes).toEqual(['NoError']);
    expect(idIn(messages[0], 'ItemId')).not.toBe('');
    expect(heard).toEqual(['zimbra: james@zimbra.example']);
    expect(asked).toEqual([JAMES_DN]);
    expect(logged).toMatchObject({ operation: 'push', system: 'zimbra', mailbox: 'james@zimbra.example' });
  });

  it('is heard by folder and subject where it names nobody', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    await create(post(subject()), asking, await organisationFolder(asking));
    expect(heard).toEqual(['zimbra: james@zimbra.example']);
  });

  it('is heard by folder and subject where it names somebody whom nobody knows', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    await create(post(subject() + property('0x6849', 'String', '/o=x/cn=nobody')), asking, await organisationFolder(asking));
    expect(heard).toEqual(['zimbra: james@zimbra.example']);
  });

  it('is taken, and logged, where it is nobody\'s: Zimbra would try again for ever', async () => {
    const { pushed, heard } = pushedTo({});
    const asking = { ...ZIMBRA, pushed };
    const { codes, logged } = await create(post(subject() + DN_PROPERTY), asking, await organisationFolder(asking));
    expect(codes).toEqual(['NoError']);
    expect(heard).toEqual([]);
    expect(logged).toMatchObject({ system: 'zimbra', code: 'MAILBOX_UNKNOWN' });
  });

  it('says nothing about mailboxes of a system for which the client does not speak', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    const asking: Asking = { ...ZIMBRA, requester: { name: 'peer', from: 'outside' }, pushed };
    expect((await create(post(subject() + DN_PROPERTY), asking)).codes).toEqual(['NoError']);
    expect(heard).toEqual([]);
  });

  it('is a fault where it cannot be stored, so that Zimbra tries again', async () => {
    const { pushed } = pushedTo(JAMES, async () => {
      throw new BridgeError('STORE_UNAVAILABLE', 'changes cannot be stored now', { temporary: true });
    });
    await expect(create(post(subject() + DN_PROPERTY), { ...ZIMBRA, pushed })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('is answered only when it is stored', async () => {
    const order: string[] = [];
    const { pushed } = pushedTo(JAMES, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push('stored');
    });
    await create(post(subject() + DN_PROPERTY), { ...ZIMBRA, pushed });
    order.push('answered');
    expect(order).toEqual(['stored', 'answered']);
  });

  it('is heard for each mailbox where several come at once, and every one is answered in its place', async () => {
    const kim = `${ORGANISATION}/cn=RECIPIENTS/cn=kim`;
    const { pushed, heard } = pushedTo({ ...JAMES, [kim.toLowerCase()]: 'kim@zimbra.example' });
    const items = post(subject() + DN_PROPERTY) + '<t:Message><t:Subject>Hello</t:Subject></t:Message>' + post(subject('USER-/CN=RECIPIENTS/CN=kim') + property('0x6849', 'String', kim));
    expect((await create(items, { ...ZIMBRA, pushed })).codes).toEqual(['NoError', 'ErrorAccessDenied', 'NoError']);
    expect(heard).toEqual(['zimbra: james@zimbra.example', 'zimbra: kim@zimbra.example']);
  });

  it.each([
    ['where nothing is replicated', { ...ZIMBRA }],
    ['from an anonymous client', { ...ZIMBRA, requester: { from: 'zimbra', anonymous: true }, username: '' }],
  ])('is refused %s', async (_when, asking) => {
    const { pushed, heard } = pushedTo(JAMES);
    const whole: Asking = 'username' in asking && asking.username === '' ? { ...asking, pushed } : asking;
    expect((await create(post(subject() + DN_PROPERTY), whole)).codes).toEqual(['ErrorAccessDenied']);
    expect((await create(post(subject() + DN_PROPERTY), whole, await organisationFolder({ ...ZIMBRA, pushed }))).codes).toEqual(['ErrorFolderNotFound']);
    expect(heard).toEqual([]);
  });

  it.each([
    ['a mail', '<t:Message><t:Subject>USER-defined</t:Subject></t:Message>'],
    ['an appointment', '<t:CalendarItem><t:Subject>Review</t:Subject><t:Start>2026-03-10T09:00:00Z</t:Start><t:End>2026-03-10T10:00:00Z</t:End></t:CalendarItem>'],
    ['a note with other properties', post(property('0x6847', 'Integer', '1'))],
  ])('is nothing else: %s is not taken for stored', async (_what, item) => {
    const { pushed, asked } = pushedTo(JAMES);
    expect((await create(item, { ...ZIMBRA, pushed })).codes).toEqual(['ErrorAccessDenied']);
    expect(asked).toEqual([]);
  });

  it('asks nobody for a name that is longer than any', async () => {
    const { pushed, asked } = pushedTo(JAMES);
    await create(post(property('0x6849', 'String', `/o=${'x'.repeat(5_000)}`)), { ...ZIMBRA, pushed });
    expect(asked).toEqual([]);
  });

  it('is refused as a whole where there are ten thousand', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    await expect(create(post(subject() + DN_PROPERTY).repeat(10_000), { ...ZIMBRA, pushed })).rejects.toSatisfy((error) => error instanceof EwsFault && error.code === 'ErrorInvalidRequest');
    expect(heard).toEqual([]);
  });
});

describe('a free/busy message that a Zimbra updates', () => {
  const update = (id: string, updates: string, asking: Asking) =>
    ask(bodyOf('UpdateItem', `<m:ItemChanges><t:ItemChange><t:ItemId Id="${id}" ChangeKey="ck"/><t:Updates>${updates}</t:Updates></t:ItemChange></m:ItemChanges>`, 'ConflictResolution="AlwaysOverwrite" MessageDisposition="SaveOnly"'), asking);
  const zimbraField = (inside: string) =>
    `<t:SetItemField><t:Path xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:PathToExtendedFieldType" PropertyTag="0x6849" PropertyType="String"/><t:Item>${inside}</t:Item></t:SetItemField>`;

  it('is heard by the legacyExchangeDN in it, though its form is not the schema\'s', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    expect((await update('item1', zimbraField(DN_PROPERTY), { ...ZIMBRA, pushed })).codes).toEqual(['NoError']);
    expect(heard).toEqual(['zimbra: james@zimbra.example']);
  });

  it('is heard by the id that it was given when it was created', async () => {
    const { pushed, heard } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    const id = idIn((await create(post(subject()), asking, await organisationFolder(asking))).messages[0], 'ItemId');
    expect((await update(id, zimbraField(property('0x6847', 'Integer', '1')), asking)).codes).toEqual(['NoError']);
    expect(heard).toEqual(['zimbra: james@zimbra.example', 'zimbra: james@zimbra.example']);
  });

  it('is nothing else: an item that is not there cannot be changed', async () => {
    const { pushed, asked } = pushedTo(JAMES);
    const field = '<t:SetItemField><t:FieldURI FieldURI="item:Subject"/><t:Message><t:Subject>Hello</t:Subject></t:Message></t:SetItemField>';
    expect((await update('AAMk', field, { ...ZIMBRA, pushed })).codes).toEqual(['ErrorInvalidIdMalformed']);
    expect((await update(await organisationFolder({ ...ZIMBRA, pushed }), field, { ...ZIMBRA, pushed })).codes).toEqual(['ErrorItemNotFound']);
    expect((await update('x'.repeat(10_000), zimbraField(DN_PROPERTY), { ...ZIMBRA, pushed })).codes).toEqual(['ErrorInvalidIdMalformed']);
    expect(asked).toEqual([]);
  });
});

describe('GetItem', () => {
  it('has nothing to give, not even what was pushed a moment ago', async () => {
    const { pushed } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    const id = idIn((await create(post(subject() + DN_PROPERTY), asking, await organisationFolder(asking))).messages[0], 'ItemId');
    const body = bodyOf('GetItem', `<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:ItemId Id="${id}"/><t:ItemId Id="AAMk"/></m:ItemIds>`);
    expect((await ask(body, asking)).codes).toEqual(['ErrorItemNotFound', 'ErrorInvalidIdMalformed']);
  });
});

describe('the pushes of fixtures/ews/pushed-items', () => {
  const ROOT = new URL('../../../../fixtures/ews/pushed-items/', import.meta.url);
  for (const name of readdirSync(ROOT)) {
    it(`${name} is heard as its expected.json says`, async () => {
      const expected = JSON.parse(readFileSync(new URL(`${name}/expected.json`, ROOT), 'utf8')) as { known: Record<string, string>; heard: string[]; codes: string[] };
      expect(readFileSync(new URL(`${name}/SOURCE.md`, ROOT), 'utf8')).not.toBe('');
      const { pushed, heard } = pushedTo(expected.known);
      const { codes } = await askElement(await readXml(readFileSync(new URL(`${name}/message`, ROOT))), { ...ZIMBRA, pushed });
      expect(heard).toEqual(expected.heard);
      expect(codes).toEqual(expected.codes);
    });
  }
});

const CAPTURES = `${SHARED}/captures/zimbra/`;

describe.skipIf(!existsSync(CAPTURES))('the captured pushes of a stock Zimbra', () => {
  it.each(['ews-push-new-item.txt', 'ews-push-existing-item.txt'])('%s: every request leads to the next, and the last one is heard', async (file) => {
    const text = readFileSync(CAPTURES + file, 'utf8');
    const bodies = [...text.matchAll(/#### request \d+\n[\s\S]*?\r?\n\r?\n([\s\S]*?)\n#### end/g)].map(([, body]) => body!);
    expect(bodies).toHaveLength(6);
    const { pushed, heard } = pushedTo(JAMES);
    const asking = { ...ZIMBRA, pushed };
    // The ids that the recording server gave out, in the order in which they come back.
    let given = '';
    for (const [index, body] of bodies.entries()) {
      const ours = body.replace(/(<ns2:FolderId Id=")[^"]*"/, `$1${given}"`);
      expect(ours === body).toBe(index === 0 || index === 5 && file === 'ews-push-existing-item.txt');
      const { codes, messages } = await askElement(await readXml(Buffer.from(ours)), asking);
      expect(codes).toEqual(['NoError']);
      if (index < 4) given = idIn(messages[0], index === 0 ? 'ParentFolderId' : 'FolderId');
    }
    expect(heard).toEqual(['zimbra: james@zimbra.example']);
  });
});

/** The operation inside an envelope, as text that can be asked. */
async function askElement(envelope: XmlElement, asking: Asking): ReturnType<typeof ask> {
  return ask(textOf(child(envelope, 'Body')!.children[0]!), asking);
}

const escaped = (text: string): string => text.replace(/[&<"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '"': '&quot;' })[one]!);

function textOf(element: XmlElement): string {
  const attributes = element.attributes.map((one) => ` ${one.ns === '' ? '' : 'xsi:'}${one.name}="${escaped(one.value)}"`).join('');
  return `<e:${element.name} xmlns:e="${element.ns}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"${attributes}>${escaped(element.text)}${element.children.map(textOf).join('')}</e:${element.name}>`;
}
