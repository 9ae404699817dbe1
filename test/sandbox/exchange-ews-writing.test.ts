import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { attribute, child, childrenNamed, childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { CAN_VALIDATE, EWS_SCHEMA, SHARED } from '../shared.ts';

const EXAMPLE = new URL('../../fixtures/sandbox/ews-create-item/worked-example/', import.meta.url);
const CREATE = readFileSync(new URL('message.xml', EXAMPLE), 'utf8');
const EXPECTED = JSON.parse(readFileSync(new URL('expected.json', EXAMPLE), 'utf8')) as { readonly intervals: unknown };
const DN = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe';
const M = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

let server: ExchangeEws;
let folderId: string;
/** Everything that was answered, for the schema at the end. */
const answers: string[] = [];
afterEach(() => server.close());
afterAll(() => {
  if (CAN_VALIDATE) expectValid(answers);
});

async function start(): Promise<void> {
  const calendars = createCalendarStore([{ address: 'anna@exch.example', displayName: 'Anna' }]);
  server = createExchangeEws({
    username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => Date.parse('2026-03-01T12:00:00Z') },
    organisation: '/o=Contoso/ou=First Administrative Group', contacts: (address) => (address === 'jdoe@zimbra.example' ? DN : undefined),
  });
  await server.listen();
  let parent = 'publicfoldersroot';
  const root = await operation(`<m:GetFolder ${M}><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="${parent}"/></m:FolderIds></m:GetFolder>`);
  parent = attribute(descend(root, 'ResponseMessages', 'GetFolderResponseMessage', 'Folders', 'Folder', 'ParentFolderId'), 'Id')!;
  for (const name of ['NON_IPM_SUBTREE', 'SCHEDULE+ FREE BUSY', 'EX:/o=Contoso/ou=First Administrative Group']) parent = attribute(child(await findFolder(parent, name), 'FolderId'), 'Id')!;
  folderId = parent;
}

async function post(body: string): Promise<{ readonly status: number; readonly text: string }> {
  const envelope = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
  const answer = await fetch(`${server.url}/EWS/Exchange.asmx`, { method: 'POST', body: envelope, headers: { 'Content-Type': 'text/xml; charset=utf-8', Authorization: `Basic ${Buffer.from('svc:pass').toString('base64')}` } });
  return { status: answer.status, text: await answer.text() };
}

async function operation(body: string): Promise<XmlElement> {
  const { text } = await post(body);
  answers.push(text);
  return child(await readXml(text), 'Body')!.children[0]!;
}

async function findFolder(parent: string, name: string): Promise<XmlElement> {
  const found = await operation(`<m:FindFolder ${M} Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI="folder:EffectiveRights"/></t:AdditionalProperties></m:FolderShape><m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="folder:DisplayName"/><t:FieldURIOrConstant><t:Constant Value="${name}"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction><m:ParentFolderIds><t:FolderId Id="${parent}"/></m:ParentFolderIds></m:FindFolder>`);
  return descend(found, 'ResponseMessages', 'FindFolderResponseMessage', 'RootFolder', 'Folders', 'Folder')!;
}

/** One process for all of them: the schema takes half a second to load. */
function expectValid(texts: readonly string[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'ews-write-'));
  try {
    const files = [...new Set(texts)].flatMap((text, index) => {
      const file = join(directory, `${index}.xml`);
      writeFileSync(file, /<s:Body>(.*)<\/s:Body>/s.exec(text)?.[1] ?? '');
      return text.includes('s:Fault') ? [] : [file];
    });
    execFileSync('xmllint', ['--noout', '--schema', EWS_SCHEMA, ...files], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface Outcome {
  readonly code: string | undefined;
  readonly id: { readonly Id: string; readonly ChangeKey: string };
}

/** What came of the first item, or of the request as a whole where it is a fault. */
async function outcome(body: string): Promise<Outcome> {
  const answer = await operation(body);
  const message = child(answer, 'ResponseMessages')?.children[0];
  const itemId = descend(message, 'Items', 'PostItem', 'ItemId');
  return {
    code: childText(message, 'ResponseCode') ?? childText(child(answer, 'detail'), 'ResponseCode'),
    id: { Id: attribute(itemId, 'Id') ?? '', ChangeKey: attribute(itemId, 'ChangeKey') ?? '' },
  };
}

const create = (body = CREATE): Promise<Outcome> => outcome(body.replace('FOLDER', folderId));
const update = (id: Outcome['id'], updates: string, resolution = 'AlwaysOverwrite'): Promise<Outcome> =>
  outcome(`<m:UpdateItem ${M} ConflictResolution="${resolution}" MessageDisposition="SaveOnly"><m:ItemChanges><t:ItemChange><t:ItemId Id="${id.Id}" ChangeKey="${id.ChangeKey}"/><t:Updates>${updates}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`);
const remove = (id: string): Promise<Outcome> => outcome(`<m:DeleteItem ${M} DeleteType="HardDelete"><m:ItemIds><t:ItemId Id="${id}"/></m:ItemIds></m:DeleteItem>`);
const field = (tag: string, type: string, ...values: readonly string[]): string => {
  const uri = `<t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="${type}"/>`;
  const list = type.endsWith('Array') ? `<t:Values>${values.map((one) => `<t:Value>${one}</t:Value>`).join('')}</t:Values>` : `<t:Value>${values[0]}</t:Value>`;
  return `<t:SetItemField>${uri}<t:PostItem><t:ExtendedProperty>${uri}${list}</t:ExtendedProperty></t:PostItem></t:SetItemField>`;
};
const gone = (tag: string, type: string): string => `<t:DeleteItemField><t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="${type}"/></t:DeleteItemField>`;
const intervals = (): unknown => {
  const iso = (instant: number): string => new Date(instant).toISOString();
  return Object.fromEntries(Object.entries(server.published()[0]!.intervals).map(([name, spans]) => [name, spans.map((one) => [iso(one.start), iso(one.end)])]));
};

describe('writing free/busy at the stand-in Exchange 2010', () => {
  it('creates the message of exchange.md §3.5 and decodes the events that it was made from', async () => {
    await start();
    const { code, id } = await create();
    expect(code).toBe('NoError');
    expect(intervals()).toEqual(EXPECTED.intervals);
    expect(server.published()[0]).toMatchObject({ legacyExchangeDn: DN, subject: 'USER-/CN=RECIPIENTS/CN=JDOE', writes: 1, operation: 'CreateItem' });
    const item = await operation(`<m:GetItem ${M}><m:ItemShape><t:BaseShape>Default</t:BaseShape><t:AdditionalProperties><t:ExtendedFieldURI PropertyTag="0x6852" PropertyType="BinaryArray"/><t:ExtendedFieldURI PropertyTag="0x10f2" PropertyType="Boolean"/><t:ExtendedFieldURI PropertyTag="0x6868" PropertyType="SystemTime"/></t:AdditionalProperties></m:ItemShape><m:ItemIds><t:ItemId Id="${id.Id}"/></m:ItemIds></m:GetItem>`);
    const found = descend(item, 'ResponseMessages', 'GetItemResponseMessage', 'Items', 'PostItem');
    expect(childText(found, 'Subject')).toBe('USER-/CN=RECIPIENTS/CN=JDOE');
    expect(childrenNamed(found, 'ExtendedProperty').map((one) => childText(one, 'Value') ?? childText(child(one, 'Values'), 'Value'))).toEqual(['u2LoYg==', 'true', '2026-02-27T12:34:56Z']);
  });

  it('updates, takes fields away, gives a new ChangeKey each time, and deletes', async () => {
    await start();
    const created = await create();
    const updated = await update(created.id, field('0x6850', 'BinaryArray', 'vDQWNeitYK4=', 'AAB4AA==') + gone('0x6855', 'IntegerArray') + gone('0x6856', 'BinaryArray'));
    expect(updated.code).toBe('NoError');
    expect(updated.id.Id).toBe(created.id.Id);
    expect(updated.id.ChangeKey).not.toBe(created.id.ChangeKey);
    expect(server.published()[0]).toMatchObject({ writes: 2, operation: 'UpdateItem', intervals: { away: [] } });
    // An old ChangeKey does no harm only where it is to be overwritten.
    const again = field('0x6868', 'SystemTime', '2026-03-01T00:00:00Z');
    expect((await update(created.id, again, 'NeverOverwrite')).code).toBe('ErrorIrresolvableConflict');
    expect((await update(updated.id, again, 'NeverOverwrite')).code).toBe('NoError');
    expect((await update(created.id, again)).code).toBe('NoError');
    expect((await remove(created.id.Id)).code).toBe('NoError');
    expect((await remove(created.id.Id)).code).toBe('ErrorItemNotFound');
    expect((await update(created.id, again)).code).toBe('ErrorItemNotFound');
    expect(server.published()).toEqual([]);
  });

  it('has two messages of one name after two CreateItems, as the real one', async () => {
    await start();
    const [first, second] = [await create(), await create()];
    expect(first.id.Id).not.toBe(second.id.Id);
    expect(server.published()).toHaveLength(2);
    const found = await operation(`<m:FindItem ${M} Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="item:Subject"/><t:FieldURIOrConstant><t:Constant Value="user-/cn=recipients/cn=jdoe"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction><m:ParentFolderIds><t:FolderId Id="${folderId}"/></m:ParentFolderIds></m:FindItem>`);
    expect(descend(found, 'ResponseMessages', 'FindItemResponseMessage', 'RootFolder', 'Items')?.children).toHaveLength(2);
  });

  const property = (tag: string): RegExp => new RegExp(`<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="${tag}"[^]*?</t:ExtendedProperty>`);
  it.each([
    ['ErrorInvalidExtendedPropertyValue', 'an integer in hexadecimal', CREATE.replace('223613280', '0x0d541160')],
    ['ErrorInvalidExtendedPropertyValue', 'one value for a list', CREATE.replace('<t:Values><t:Value>u2LoYg==</t:Value></t:Values>', '<t:Value>u2LoYg==</t:Value>')],
    ['ErrorInvalidExtendedPropertyValue', 'base64 with a line break', CREATE.replace('vDQWNeitYK4=', 'vDQW\nNeitYK4=')],
    ['ErrorInvalidExtendedPropertyValue', 'another type under an id', CREATE.replace('"0x6847" PropertyType="Integer"', '"0x6847" PropertyType="String"')],
    ['ErrorInvalidExtendedPropertyValue', 'a time without a zone', CREATE.replace('12:34:56Z', '12:34:56')],
    ['ErrorInvalidExtendedPropertyValue', 'months without blocks', CREATE.replace(property('0x6854'), '')],
    ['ErrorInvalidExtendedPropertyValue', 'phantom months', CREATE.replaceAll('32420', '32429')],
    ['ErrorInvalidExtendedPropertyValue', 'merged that is not busy and away', CREATE.replace('AAB4ACAcQDg=', 'AAB4AA==')],
    ['ErrorInvalidExtendedPropertyValue', 'somebody else’s legacyExchangeDN', CREATE.replace('cn=jdoe', 'cn=other')],
    ['ErrorRequiredPropertyMissing', 'no publish range', CREATE.replace(property('0x6848'), '')],
    ['ErrorRequiredPropertyMissing', 'no subject', CREATE.replace(/<t:Subject>.*<\/t:Subject>/, '')],
    ['ErrorInvalidExtendedProperty', 'a named property', CREATE.replace('"0x10f2"', '"0x8001"')],
    ['ErrorInvalidExtendedProperty', 'no type', CREATE.replace(' PropertyType="Boolean"', '')],
    ['ErrorInvalidPropertySet', 'a property twice', CREATE.replace('"0x6848"', '"0x6847"')],
    ['ErrorInvalidPropertySet', 'another class', CREATE.replace('IPM.Post', 'IPM.Note')],
    ['ErrorFolderNotFound', 'another folder', CREATE.replace('FOLDER', 'bm8=')],
    ['ErrorAccessDenied', 'a message about its own people', CREATE.replaceAll('CN=JDOE', 'CN=ANNA').replace('cn=jdoe', 'cn=anna')],
    ['ErrorInvalidItemForOperationCreateItem', 'a mail', CREATE.replaceAll('t:PostItem', 't:Message')],
    ['ErrorSchemaValidation', 'elements in another order', CREATE.replace('<t:ItemClass>IPM.Post</t:ItemClass>', '').replace('</t:PostItem>', '<t:ItemClass>IPM.Post</t:ItemClass></t:PostItem>')],
    ['ErrorSchemaValidation', 'no disposition', CREATE.replace(' MessageDisposition="SaveOnly"', '')],
    ['ErrorSchemaValidation', 'nothing to create', CREATE.replace(/<t:PostItem>[^]*<\/t:PostItem>/, '')],
  ])('says %s to %s, and stores nothing', async (code, _, body) => {
    await start();
    expect((await create(body)).code).toBe(code);
    expect(server.published()).toEqual([]);
  });

  it('refuses updates that the schema or their own path contradicts, Zimbra’s among them', async () => {
    await start();
    const { id } = await create();
    const uri = '<t:ExtendedFieldURI PropertyTag="0x6847" PropertyType="Integer"/>';
    const zimbra = `<t:SetItemField><t:Path xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:PathToExtendedFieldType" PropertyTag="0x6847" PropertyType="Integer"/><t:Item><t:ExtendedProperty>${uri}<t:Value>223613280</t:Value></t:ExtendedProperty></t:Item></t:SetItemField>`;
    const cases: readonly (readonly [string, string])[] = [
      [zimbra, 'ErrorSchemaValidation'],
      ['', 'ErrorSchemaValidation'],
      [`<t:SetItemField>${uri}</t:SetItemField>`, 'ErrorSchemaValidation'],
      [`<t:AppendToItemField>${uri}<t:PostItem/></t:AppendToItemField>`, 'ErrorSchemaValidation'],
      [field('0x6847', 'Integer', '1').replace('0x6847', '0x6848'), 'ErrorUpdatePropertyMismatch'],
      [field('0x6847', 'Integer', '223613280') + gone('0x6847', 'Integer'), 'ErrorIncorrectUpdatePropertyCount'],
      [`<t:SetItemField>${uri}<t:PostItem/></t:SetItemField>`, 'ErrorIncorrectUpdatePropertyCount'],
      [gone('0x6847', 'Integer'), 'ErrorRequiredPropertyMissing'],
      [gone('0x6853', 'IntegerArray'), 'ErrorInvalidExtendedPropertyValue'],
    ];
    for (const [updates, code] of cases) expect([updates, (await update(id, updates)).code]).toEqual([updates, code]);
    expect(intervals()).toEqual(EXPECTED.intervals);
    expect(server.published()[0]!.writes).toBe(1);
  });

  it.skipIf(!CAN_VALIDATE)('is asked by requests of this test that are valid themselves', async () => {
    await start();
    const updates = field('0x6868', 'SystemTime', '2026-03-01T00:00:00Z') + gone('0x6856', 'BinaryArray');
    const update = `<m:UpdateItem ${M} ConflictResolution="AlwaysOverwrite" MessageDisposition="SaveOnly"><m:ItemChanges><t:ItemChange><t:ItemId Id="a" ChangeKey="b"/><t:Updates>${updates}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`;
    expectValid([CREATE, update].map((one) => `<s:Body>${one}</s:Body>`));
  });

  it('refuses, is busy or lacks its folder when it is told to', async () => {
    await start();
    const { id } = await create();
    const again = field('0x6868', 'SystemTime', '2026-03-01T00:00:00Z');
    for (const [mode, created, updated] of [
      ['denied', 'ErrorCreateItemAccessDenied', 'ErrorAccessDenied'], ['no-folder', 'ErrorFolderNotFound', 'ErrorItemNotFound'], ['full', 'ErrorQuotaExceeded', 'ErrorQuotaExceeded'],
      ['locked', 'ErrorItemSave', 'ErrorItemSave'], ['busy', 'ErrorServerBusy', 'ErrorServerBusy'], ['refuse:0x6868', 'ErrorInvalidExtendedPropertyValue', 'ErrorInvalidExtendedPropertyValue'],
    ] as const) {
      server.setWriting(mode);
      expect([mode, (await create()).code, (await update(id, again)).code]).toEqual([mode, created, updated]);
    }
    server.setWriting('busy');
    expect((await post(CREATE)).text).toContain('<t:Value Name="BackOffMilliseconds">1000</t:Value>');
    server.setWriting('denied');
    expect((await remove(id.Id)).code).toBe('ErrorAccessDenied');
    expect(server.published()[0]!.writes).toBe(1);
  });

  it('shows the account’s rights on a folder when asked for, and another version when told to', async () => {
    await start();
    const schedulePlus = async (): Promise<string> => attribute(child(await findFolder(attribute(child(await findFolder((await rootId())!, 'NON_IPM_SUBTREE'), 'FolderId'), 'Id')!, 'SCHEDULE+ FREE BUSY'), 'FolderId'), 'Id')!;
    const rootId = async (): Promise<string | undefined> => attribute(descend(await operation(`<m:GetFolder ${M}><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="publicfoldersroot"/></m:FolderIds></m:GetFolder>`), 'ResponseMessages', 'GetFolderResponseMessage', 'Folders', 'Folder', 'ParentFolderId'), 'Id');
    const parent = await schedulePlus();
    const mayWrite = async (): Promise<string | undefined> => childText(child(await findFolder(parent, 'EX:/o=Contoso/ou=First Administrative Group'), 'EffectiveRights'), 'CreateContents');
    expect(await mayWrite()).toBe('true');
    server.setWriting('denied');
    expect(await mayWrite()).toBe('false');
    expect((await post(CREATE)).text).toContain('MajorVersion="14" MinorVersion="3"');
    server.setGeneration(2013);
    expect((await post(CREATE)).text).toContain('MajorVersion="15" MinorVersion="0"');
  });

  it.skipIf(!CAN_VALIDATE)('takes the folder walk of a stock Zimbra, and refuses its message without a range timestamp', async () => {
    await start();
    const bodies = [...readFileSync(`${SHARED}/captures/zimbra/ews-push-new-item.txt`, 'utf8').matchAll(/<S:Body>(.*)<\/S:Body>/g)].map((match) => match[1]!);
    const last = bodies.at(-1)!.replace('Id="f4"', `Id="${folderId}"`).replaceAll('First Organization', 'Contoso');
    expect((await outcome(last)).code).toBe('ErrorRequiredPropertyMissing');
  });
});

describe('GetUserAvailability about somebody whose message was written', () => {
  const ask = async (from: string, to: string): Promise<XmlElement | undefined> => {
    const transition = '<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>';
    const answer = await operation(`<m:GetUserAvailabilityRequest ${M}><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>${transition}</t:StandardTime><t:DaylightTime>${transition}</t:DaylightTime></t:TimeZone><m:MailboxDataArray><t:MailboxData><t:Email><t:Address>jdoe@zimbra.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${from}</t:StartTime><t:EndTime>${to}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>60</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>DetailedMerged</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>`);
    return descend(answer, 'FreeBusyResponseArray', 'FreeBusyResponse', 'FreeBusyView');
  };

  it('answers digits only, whatever view was asked for, and no data outside of what is published', async () => {
    await start();
    expect(childText(await ask('2026-03-10T08:00:00', '2026-03-10T12:00:00'), 'MergedFreeBusy')).toBe('4444');
    await create();
    const view = await ask('2026-03-10T08:00:00', '2026-03-10T12:00:00');
    expect(view?.children.map((one) => [one.name, one.text])).toEqual([['FreeBusyViewType', 'MergedOnly'], ['MergedFreeBusy', '0220']]);
    expect(childText(await ask('2026-04-05T23:00:00', '2026-04-06T01:00:00'), 'MergedFreeBusy')).toBe('03');
    expect(childText(await ask('2026-05-31T23:00:00', '2026-06-01T01:00:00'), 'MergedFreeBusy')).toBe('04');
  });
});
