import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { attribute, child, childrenNamed, childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { NewEntry } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { StandIn } from '../../src/sandbox/stand-in.ts';
import { shapeOf } from './xml-shape.ts';
import { CAN_VALIDATE, EWS_SCHEMA, SHARED } from '../shared.ts';

const CAPTURES = `${SHARED}/captures`;
const EXAMPLE = new URL('../../fixtures/sandbox/ews-availability/sheet-example/', import.meta.url);
const REQUEST = readFileSync(new URL('message.xml', EXAMPLE), 'utf8');
const EXPECTED = JSON.parse(readFileSync(new URL('expected.json', EXAMPLE), 'utf8')) as {
  readonly calendar: readonly (Omit<NewEntry, 'start' | 'end'> & { readonly start: string; readonly end: string })[];
  readonly mergedFreeBusy: string;
  readonly event: Readonly<Record<string, string>>;
  readonly error: Readonly<Record<string, string>>;
};
const at = (text: string): number => Date.parse(text);
const M = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

let server: StandIn;
afterEach(() => server.close());

async function start(options: { readonly viewWithErrors?: boolean } = {}, entries: readonly NewEntry[] = []): Promise<void> {
  const calendars = createCalendarStore([{ address: 'anna@exch.example', displayName: 'Anna' }, { address: 'bob@exch.example', displayName: 'Bob' }]);
  for (const one of EXPECTED.calendar) calendars.add('anna@exch.example', { ...one, start: at(one.start), end: at(one.end) });
  for (const one of entries) calendars.add('bob@exch.example', one);
  server = createExchangeEws({ username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at('2026-03-01T12:34:56Z') }, organisation: '/o=Contoso/ou=First Administrative Group', ...options });
  await server.listen();
}

async function post(body: string, authorization = `Basic ${Buffer.from('EXCH\\svc:pass').toString('base64')}`): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const envelope = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
  const answer = await fetch(`${server.url}/ews/EXCHANGE.asmx`, { method: 'POST', body: envelope, headers: { 'Content-Type': 'text/xml; charset=utf-8', Authorization: authorization } });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const bodyOf = async (text: string): Promise<XmlElement> => child(await readXml(text), 'Body')!.children[0]!;
const responses = async (text: string): Promise<readonly XmlElement[]> => childrenNamed(child(await bodyOf(text), 'FreeBusyResponseArray'), 'FreeBusyResponse');
const faultCode = async (text: string): Promise<string | undefined> => childText(child(await bodyOf(text), 'detail'), 'ResponseCode');

function expectValid(text: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'ews-body-'));
  try {
    writeFileSync(join(directory, 'body.xml'), /<s:Body>(.*)<\/s:Body>/s.exec(text)?.[1] ?? '');
    execFileSync('xmllint', ['--noout', '--schema', EWS_SCHEMA, join(directory, 'body.xml')], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A request about bob in another zone, window and view. */
function aboutBob(parts: { readonly window: readonly [string, string]; readonly zone?: string; readonly view?: string; readonly mailboxes?: number }): string {
  const zone = parts.zone ?? '<t:TimeZone><t:Bias>0</t:Bias><t:StandardTime><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone>';
  const mailbox = '<t:MailboxData><t:Email><t:Address>bob@exch.example</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>';
  return `<m:GetUserAvailabilityRequest ${M}>${zone}<m:MailboxDataArray>${mailbox.repeat(parts.mailboxes ?? 1)}</m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${parts.window[0]}</t:StartTime><t:EndTime>${parts.window[1]}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>60</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>${parts.view ?? 'DetailedMerged'}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>`;
}

const BERLIN = /<t:TimeZone>.*?<\/t:TimeZone>/s.exec(REQUEST)![0];

describe('GetUserAvailability of the stand-in Exchange', () => {
  it('answers the example of exchange.md §3.2 as the sheet does', async () => {
    await start();
    const { status, text } = await post(REQUEST);
    const [anna, ghost] = await responses(text);
    expect(status).toBe(200);
    expect(childText(child(anna, 'FreeBusyView'), 'MergedFreeBusy')).toBe(EXPECTED.mergedFreeBusy);
    const event = descend(anna, 'FreeBusyView', 'CalendarEventArray', 'CalendarEvent');
    const details = child(event, 'CalendarEventDetails');
    expect(Object.fromEntries(Object.keys(EXPECTED.event).map((name) => [name, childText(event, name) ?? childText(details, name)]))).toEqual(EXPECTED.event);
    expect(childText(child(ghost, 'ResponseMessage'), 'ResponseCode')).toBe(EXPECTED.error['ResponseCode']);
    expect(childText(child(ghost, 'FreeBusyView'), 'FreeBusyViewType')).toBe(EXPECTED.error['FreeBusyViewType']);
    expect(server.requests.at(-1)).toEqual({ method: 'POST', path: '/ews/EXCHANGE.asmx', mailboxes: 2, status: 200 });
  });

  it.skipIf(!CAN_VALIDATE)('is valid by Microsoft’s schema in every view, with errors with and without a view', async () => {
    await start();
    for (const view of ['MergedOnly', 'FreeBusy', 'FreeBusyMerged', 'Detailed', 'DetailedMerged']) expectValid((await post(REQUEST.replace('DetailedMerged', view))).text);
    await server.close();
    await start({ viewWithErrors: false });
    const { text } = await post(REQUEST);
    expect(child((await responses(text))[1], 'FreeBusyView')).toBeUndefined();
    expectValid(text);
  });

  it('keeps the local hours of Berlin over a change of clocks, in question and answer', async () => {
    // Weekly 10:00 in Berlin: 09:00Z on 25 March, 08:00Z on 1 April (the truth of ews-server-measured.md about carol).
    await start({}, [
      { start: at('2026-03-25T09:00:00Z'), end: at('2026-03-25T10:00:00Z'), type: 'busy' },
      { start: at('2026-04-01T08:00:00Z'), end: at('2026-04-01T09:00:00Z'), type: 'busy' },
    ]);
    for (const day of ['2026-03-25', '2026-04-01']) {
      const [bob] = await responses((await post(aboutBob({ zone: BERLIN, window: [`${day}T09:00:00`, `${day}T12:00:00`] }))).text);
      expect(childText(child(bob, 'FreeBusyView'), 'MergedFreeBusy')).toBe('020');
      const event = descend(bob, 'FreeBusyView', 'CalendarEventArray', 'CalendarEvent');
      expect([childText(event, 'StartTime'), childText(event, 'EndTime')]).toEqual([`${day}T10:00:00`, `${day}T11:00:00`]);
    }
  });

  it('counts the hour that comes twice as standard time, and leaves out the one that does not come', async () => {
    // Berlin goes from 03:00 back to 02:00 at 01:00Z on 25 October 2026, from 02:00 to 03:00 at 01:00Z on 29 March.
    await start({}, [
      { start: at('2026-10-25T01:00:00Z'), end: at('2026-10-25T02:00:00Z'), type: 'busy' },
      { start: at('2026-03-29T01:00:00Z'), end: at('2026-03-29T02:00:00Z'), type: 'busy' },
    ]);
    const view = async (from: string, to: string): Promise<XmlElement | undefined> => child((await responses((await post(aboutBob({ zone: BERLIN, window: [from, to] }))).text))[0], 'FreeBusyView');
    expect(childText(await view('2026-10-25T02:00:00', '2026-10-25T04:00:00'), 'MergedFreeBusy')).toBe('20');
    expect(childText(await view('2026-10-25T01:00:00', '2026-10-25T04:00:00'), 'MergedFreeBusy')).toBe('0020');
    const spring = await view('2026-03-29T01:00:00', '2026-03-29T04:00:00');
    expect(childText(spring, 'MergedFreeBusy')).toBe('02');
    expect(childText(descend(spring, 'CalendarEventArray', 'CalendarEvent'), 'StartTime')).toBe('2026-03-29T03:00:00');
  });

  it('understands a southern zone, a zone without daylight saving and times with Z', async () => {
    // 2026-01-10 is summer in Sydney (UTC+11), 2026-06-10 winter (UTC+10): exchange.md §6.1.
    const sydney = BERLIN.replace('-60', '-600').replace('<t:Month>10</t:Month>', '<t:Month>4</t:Month>').replace('<t:Month>3</t:Month>', '<t:Month>10</t:Month>').replaceAll('<t:DayOrder>5', '<t:DayOrder>1');
    await start({}, [
      { start: at('2026-01-10T00:00:00Z'), end: at('2026-01-10T01:00:00Z'), type: 'tentative' },
      { start: at('2026-06-10T00:00:00Z'), end: at('2026-06-10T01:00:00Z'), type: 'oof' },
    ]);
    const digits = async (request: string): Promise<string | undefined> => childText(child((await responses((await post(request)).text))[0], 'FreeBusyView'), 'MergedFreeBusy');
    expect(await digits(aboutBob({ zone: sydney, window: ['2026-01-10T10:00:00', '2026-01-10T13:00:00'] }))).toBe('010');
    expect(await digits(aboutBob({ zone: sydney, window: ['2026-06-10T09:00:00', '2026-06-10T12:00:00'] }))).toBe('030');
    expect(await digits(aboutBob({ window: ['2026-06-09T23:00:00', '2026-06-10T02:00:00'] }))).toBe('030');
    expect(await digits(aboutBob({ zone: sydney, window: ['2026-06-09T23:00:00.000Z', '2026-06-10T02:00:00.000Z'] }))).toBe('030');
  });

  it('hides subject and place of a private entry, and gives details in detailed views only', async () => {
    await start({}, [{ start: at('2026-03-10T09:00:00Z'), end: at('2026-03-10T10:00:00Z'), type: 'busy', subject: 'Secret', location: 'Cellar', private: true }]);
    const window = ['2026-03-10T09:00:00', '2026-03-10T12:00:00'] as const;
    const detailed = (await post(aboutBob({ window }))).text;
    expect(detailed).toContain('<t:IsPrivate>true</t:IsPrivate>');
    expect(detailed).not.toMatch(/Secret|Cellar|t:Subject/);
    expect((await post(aboutBob({ window, view: 'FreeBusyMerged' }))).text).not.toContain('CalendarEventDetails');
  });

  it('fails as a whole beyond its limits and for what it cannot read', async () => {
    await start();
    const window = ['2026-03-10T00:00:00', '2026-03-11T00:00:00'] as const;
    const cases: readonly (readonly [string, string])[] = [
      [aboutBob({ window, mailboxes: 101 }), 'ErrorMailboxDataArrayTooBig'],
      [aboutBob({ window, mailboxes: 0 }), 'ErrorMailboxDataArrayEmpty'],
      [aboutBob({ window: ['2026-03-01T00:00:00', '2026-04-12T00:01:00'] }), 'ErrorTimeIntervalTooBig'],
      [aboutBob({ window: ['2026-03-11T00:00:00', '2026-03-10T00:00:00'] }), 'ErrorInvalidTimeInterval'],
      [aboutBob({ window: ['2026-03-11T00:00:00', '2026-03-11T00:30:00'] }), 'ErrorInvalidMergedFreeBusyInterval'],
      [aboutBob({ window: ['yesterday', '2026-03-10T00:00:00'] }), 'ErrorSchemaValidation'],
      [aboutBob({ window, zone: ' ' }), 'ErrorTimeZone'],
      [aboutBob({ window, view: 'None' }), 'ErrorInvalidFreeBusyViewType'],
      [`<m:DeleteEverything ${M}/>`, 'ErrorInvalidRequest'],
      [`<m:constructor ${M}/>`, 'ErrorInvalidRequest'],
      ['<broken>', 'ErrorSchemaValidation'],
    ];
    for (const [request, code] of cases) {
      const { status, text } = await post(request);
      expect([status, await faultCode(text)]).toEqual([500, code]);
    }
    expect((await post(aboutBob({ window, mailboxes: 100 }))).status).toBe(200);
    expect((await post(aboutBob({ window: ['2026-03-01T00:00:00', '2026-04-12T00:00:00'] }))).status).toBe(200);
  });

  it('challenges with Basic before it looks at the body', async () => {
    await start();
    const { status, headers } = await post('<broken>', 'Basic bm86');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Basic realm=');
  });

  it.skipIf(!existsSync(CAPTURES))('takes the request of a stock Zimbra as it was captured', async () => {
    await start();
    const captured = /<S:Body>(.*)<\/S:Body>/.exec(readFileSync(`${CAPTURES}/zimbra/ews-getuseravailability.txt`, 'utf8'))![1]!;
    const answers = await responses((await post(captured)).text);
    expect(answers.map((one) => childText(child(one, 'ResponseMessage'), 'ResponseCode'))).toEqual(['ErrorMailRecipientNotFound', 'ErrorMailRecipientNotFound']);
  });
});

describe('the stand-in Exchange’s public folders', () => {
  const equals = (field: string, value: string): string => `<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="${field}"/><t:FieldURIOrConstant><t:Constant Value="${value}"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>`;
  const findFolder = (parent: string, name: string): string => `<m:FindFolder ${M} Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>${equals('folder:DisplayName', name)}<m:ParentFolderIds><t:FolderId Id="${parent}"/></m:ParentFolderIds></m:FindFolder>`;
  const tags = [['0x6847', 'Integer'], ['0x6853', 'IntegerArray'], ['0x6854', 'BinaryArray']].map(([tag, type]) => `<t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="${type}"/>`).join('');

  it('are walked from the root to a message, whose properties are those of exchange.md §1.5', async () => {
    await start({}, [{ start: at('2026-03-31T22:00:00Z'), end: at('2026-04-01T02:00:00Z'), type: 'busy' }]);
    const root = await post(`<m:GetFolder ${M}><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="publicfoldersroot"/></m:FolderIds></m:GetFolder>`);
    let parent = attribute(descend(await bodyOf(root.text), 'ResponseMessages', 'GetFolderResponseMessage', 'Folders', 'Folder', 'ParentFolderId'), 'Id')!;
    const answers = [root.text];
    for (const name of ['NON_IPM_SUBTREE', 'SCHEDULE+ FREE BUSY', 'EX:/o=Contoso/ou=First Administrative Group']) {
      const { text } = await post(findFolder(parent, name));
      answers.push(text);
      parent = attribute(descend(await bodyOf(text), 'ResponseMessages', 'FindFolderResponseMessage', 'RootFolder', 'Folders', 'Folder', 'FolderId'), 'Id')!;
    }
    const found = await post(`<m:FindItem ${M} Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>${equals('item:Subject', 'USER-/CN=RECIPIENTS/CN=bob')}<m:ParentFolderIds><t:FolderId Id="${parent}"/></m:ParentFolderIds></m:FindItem>`);
    const id = attribute(descend(await bodyOf(found.text), 'ResponseMessages', 'FindItemResponseMessage', 'RootFolder', 'Items', 'PostItem', 'ItemId'), 'Id')!;
    const item = await post(`<m:GetItem ${M}><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>${tags}</t:AdditionalProperties></m:ItemShape><m:ItemIds><t:ItemId Id="${id}"/></m:ItemIds></m:GetItem>`);
    const properties = childrenNamed(descend(await bodyOf(item.text), 'ResponseMessages', 'GetItemResponseMessage', 'Items', 'PostItem'), 'ExtendedProperty');
    expect(properties.map((one) => [attribute(child(one, 'ExtendedFieldURI'), 'PropertyTag'), childText(one, 'Value') ?? child(one, 'Values')?.children.map((value) => value.text)])).toEqual([
      ['0x6847', '223613280'],
      ['0x6853', ['32419', '32420', '32421']],
      ['0x6854', ['6K1grg==', 'AAB4AA==', '']],
    ]);
    if (CAN_VALIDATE) for (const text of [...answers, found.text, item.text]) expectValid(text);
  });

  it('find nothing that is not there, and say so without a fault', async () => {
    await start();
    const wrongParent = await post(findFolder('bm8=', 'NON_IPM_SUBTREE'));
    expect(wrongParent.text).toContain('ErrorFolderNotFound');
    const noItem = await post(`<m:GetItem ${M}><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:ItemIds><t:ItemId Id="bm8="/></m:ItemIds></m:GetItem>`);
    expect(noItem.text).toContain('ErrorItemNotFound');
    if (CAN_VALIDATE) for (const { text } of [wrongParent, noItem]) expectValid(text);
    const deep = await post(`<m:FindFolder ${M} Traversal="Deep"/>`);
    expect(deep.status).toBe(500);
  });

  it.skipIf(!existsSync(CAPTURES))('answer GetFolder in the shape that was captured', async () => {
    await start();
    const request = /<S:Body>(.*)<\/S:Body>/.exec(readFileSync(`${CAPTURES}/ews-server/getfolder-public.request.xml`, 'utf8'))![1]!;
    const captured = await bodyOf(readFileSync(`${CAPTURES}/ews-server/getfolder-public.xml`, 'utf8'));
    expect(shapeOf(await bodyOf((await post(request)).text))).toEqual(shapeOf(captured));
  });
});
