import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { operationAnswer, operationAnswers } from './answer-text.ts';
import { contextWith, ewsStub, NOW, systemAt } from './ews-stub.ts';
import type { Reply, Seen } from './ews-stub.ts';
import { shown } from './shown.ts';

/** The vector of exchange.md §1.5: what Exchange would hold for one user over March to May 2026. */
const MESSAGE: readonly (readonly [tag: string, type: string, values: readonly string[]])[] = [
  ['0x6847', 'Integer', ['223613280']],
  ['0x6848', 'Integer', ['223745760']],
  ['0x6868', 'SystemTime', ['2026-02-27T12:34:56Z']],
  ['0x6849', 'String', ['/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe']],
  ['0x684f', 'IntegerArray', ['32419', '32420']],
  ['26704', 'BinaryArray', ['vDQWNeitYK4=', 'AAB4ACAcQDg=']],
  ['0x6851', 'IntegerArray', ['32419']],
  ['0x6852', 'BinaryArray', ['u2LoYg==']],
  ['0x6853', 'IntegerArray', ['32419', '32420']],
  ['0x6854', 'BinaryArray', ['vDQWNeit\r\n YK4=', 'AAB4AA==']],
  ['0x6855', 'IntegerArray', ['32420']],
  ['0x6856', 'BinaryArray', ['IBxAOA==']],
];

const TEMPLATE = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn={localPart}';
const EX = 'EX:/o=Contoso/ou=First Administrative Group';
const window = { start: Date.parse('2026-03-01T00:00:00Z'), end: Date.parse('2026-06-08T00:00:00Z') };
const jdoe = 'jdoe@contoso.example' as MailboxAddress;
const ghost = 'ghost@contoso.example' as MailboxAddress;

function item(id: string, subject: string, extended = ''): string {
  return `<t:PostItem><t:ItemId Id="${id}" ChangeKey="CQAA"/><t:Subject>${subject}</t:Subject>${extended}</t:PostItem>`;
}

const extended = MESSAGE.map(([tag, type, values]) => {
  const inner = values.map((one) => `<t:Value>${one}</t:Value>`).join('');
  return `<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="${tag}" PropertyType="${type}"/>${type.endsWith('Array') ? `<t:Values>${inner}</t:Values>` : inner}</t:ExtendedProperty>`;
}).join('');

const rootFolder = (inner: string): string => `<m:RootFolder TotalItemsInView="1" IncludesLastItemInRange="true">${inner}</m:RootFolder>`;
const MEMBERS: Readonly<Record<string, string>> = { 'NON_IPM_SUBTREE': 'id-non-ipm', 'SCHEDULE+ FREE BUSY': 'id-schedule', [EX]: 'id-ex' };

/** An Exchange 2010 with public folders, after exchange.md §3.5. `over` may answer first. */
function exchange(over: (request: Seen) => Reply | undefined = () => undefined): (request: Seen) => Reply {
  return (request) => over(request) ?? { body: usual(request) };
}

function usual({ operation, body }: Seen): string {
  switch (operation) {
    case 'GetFolder':
      return operationAnswer('GetFolder', '<m:Folders><t:Folder><t:FolderId Id="id-ipm"/><t:ParentFolderId Id="id-root"/><t:DisplayName>IPM_SUBTREE</t:DisplayName></t:Folder></m:Folders>');
    case 'FindFolder': {
      const name = /<t:Constant Value="([^"]*)"/.exec(body)?.[1] ?? '';
      const id = MEMBERS[name];
      return operationAnswer('FindFolder', id === undefined ? undefined : rootFolder(`<t:Folders><t:Folder><t:FolderId Id="${id}"/><t:DisplayName>${name}</t:DisplayName></t:Folder></t:Folders>`));
    }
    case 'FindItem':
      return operationAnswer('FindItem', rootFolder(`<t:Items>${body.includes('CN=JDOE') ? item('item-jdoe', 'USER-/cn=recipients/CN=jdoe') : ''}</t:Items>`));
    case 'GetItem':
      return operationAnswer('GetItem', `<m:Items>${item('item-jdoe', 'USER-/cn=recipients/CN=jdoe', extended)}</m:Items>`);
    default:
      return 'unexpected';
  }
}

describe('reading free/busy messages from the public folder', () => {
  it('finds the folder, then the messages, and decodes the vector of exchange.md §1.5', async () => {
    const stub = await ewsStub(exchange());
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const results = await system.freeBusy({ mailboxes: [ghost, jdoe], window, details: false }, contextWith());
    expect(results.map((one) => one.mailbox)).toEqual([ghost, jdoe]);
    expect(shown(results[0]!)).toEqual({ error: 'MAILBOX_UNKNOWN' });
    expect(shown(results[1]!)).toEqual({
      busy: [
        { start: '2026-03-10T09:00:00.000Z', end: '2026-03-10T10:30:00.000Z', type: 'busy' },
        { start: '2026-03-18T13:15:00.000Z', end: '2026-03-18T14:00:00.000Z', type: 'tentative' },
        { start: '2026-03-31T22:00:00.000Z', end: '2026-04-01T02:00:00.000Z', type: 'busy' },
        { start: '2026-04-06T00:00:00.000Z', end: '2026-04-11T00:00:00.000Z', type: 'oof' },
        { start: '2026-06-01T00:00:00.000Z', end: '2026-06-08T00:00:00.000Z', type: 'no-data' },
      ],
    });
    expect(results[1]).toMatchObject({ asOf: Date.parse('2026-02-27T12:34:56Z') });
    expect(stub.seen.map((one) => one.operation)).toEqual(['GetFolder', 'FindFolder', 'FindFolder', 'FindFolder', 'FindItem', 'GetItem']);
    expect(stub.seen.filter((one) => one.operation === 'FindFolder').map((one) => /<t:FolderId Id="([^"]*)"/.exec(one.body)?.[1])).toEqual(['id-root', 'id-non-ipm', 'id-schedule']);
    expect(stub.seen[4]!.body).toContain('<t:FolderId Id="id-ex"/>');
  });

  it('remembers the folders, so that the next lookup is two requests', async () => {
    const stub = await ewsStub(exchange());
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const query = { mailboxes: [jdoe], window, details: false };
    await system.freeBusy(query, contextWith());
    await system.freeBusy(query, contextWith());
    expect(stub.seen.slice(6).map((one) => one.operation)).toEqual(['FindItem', 'GetItem']);
  });

  it('forgets folders that the server refuses and looks for them once more', async () => {
    let refuse = false;
    const stub = await ewsStub(
      exchange((request) => {
        if (!refuse || request.operation !== 'FindItem') return undefined;
        refuse = false;
        return { body: operationAnswer('FindItem', undefined, 'ErrorFolderNotFound') };
      }),
    );
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const query = { mailboxes: [jdoe], window, details: false };
    await system.freeBusy(query, contextWith());
    refuse = true;
    const [result] = await system.freeBusy(query, contextWith());
    expect(shown(result!)).toHaveProperty('busy');
    expect(stub.seen.slice(6).map((one) => one.operation)).toEqual(['FindItem', 'GetFolder', 'FindFolder', 'FindFolder', 'FindFolder', 'FindItem', 'GetItem']);
  });

  it('gives up after that, without going round in circles', async () => {
    const stub = await ewsStub(exchange((request) => (request.operation === 'FindItem' ? { body: operationAnswer('FindItem', undefined, 'ErrorFolderNotFound') } : undefined)));
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    for (let round = 0; round < 2; round++) expect((await system.freeBusy({ mailboxes: [jdoe], window, details: false }, contextWith())).map(shown)).toEqual([{ error: 'NO_DATA' }]);
    expect(stub.seen.length).toBeLessThanOrEqual(11);
  });

  it.each([
    ['a folder that is missing, without RootFolder as grommunio says it', 'FindFolder', operationAnswer('FindFolder', undefined), 'NO_DATA'],
    ['a folder that may not be read', 'FindItem', operationAnswer('FindItem', undefined, 'ErrorAccessDenied'), 'MAILBOX_REFUSED'],
    ['no message', 'FindItem', operationAnswer('FindItem', rootFolder('<t:Items/>')), 'MAILBOX_UNKNOWN'],
    ['no message, without RootFolder', 'FindItem', operationAnswer('FindItem', undefined), 'MAILBOX_UNKNOWN'],
    ['two messages of one name', 'FindItem', operationAnswer('FindItem', rootFolder(`<t:Items>${item('a', 'USER-/CN=RECIPIENTS/CN=JDOE')}${item('b', 'USER-/CN=RECIPIENTS/CN=JDOE')}</t:Items>`)), 'NO_DATA'],
    ['the message of somebody else', 'FindItem', operationAnswer('FindItem', rootFolder(`<t:Items>${item('a', 'USER-/CN=RECIPIENTS/CN=CEO')}</t:Items>`)), 'MAILBOX_UNKNOWN'],
    ['a message that went away meanwhile', 'GetItem', operationAnswer('GetItem', undefined, 'ErrorItemNotFound'), 'NO_DATA'],
    ['another message than was asked for', 'GetItem', operationAnswer('GetItem', `<m:Items>${item('a', 'USER-/CN=RECIPIENTS/CN=CEO', extended)}</m:Items>`), 'NO_DATA'],
    ['two answers for one item', 'GetItem', operationAnswers('GetItem', [[undefined, 'NoError'], [undefined, 'NoError']]), 'BACKEND_MALFORMED'],
    ['an answer without an item', 'GetItem', operationAnswer('GetItem', '<m:Items/>'), 'NO_DATA'],
    ['a root without a parent', 'GetFolder', operationAnswer('GetFolder', '<m:Folders><t:Folder/></m:Folders>'), 'BACKEND_MALFORMED'],
  ])('never shows free: %s', async (_name, operation, body, code) => {
    const stub = await ewsStub(exchange((request) => (request.operation === operation ? { body } : undefined)));
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    expect((await system.freeBusy({ mailboxes: [jdoe], window, details: false }, contextWith())).map(shown)).toEqual([{ error: code }]);
  });

  it('shows a message without any property as no data, not as free', async () => {
    const bare = operationAnswer('GetItem', `<m:Items>${item('item-jdoe', 'USER-/CN=RECIPIENTS/CN=JDOE')}</m:Items>`);
    const stub = await ewsStub(exchange((request) => (request.operation === 'GetItem' ? { body: bare } : undefined)));
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const [result] = await system.freeBusy({ mailboxes: [jdoe], window, details: false }, contextWith());
    expect(shown(result!)).toEqual({ busy: [{ start: new Date(window.start).toISOString(), end: new Date(window.end).toISOString(), type: 'no-data' }] });
    expect((result as { asOf: number }).asOf).toBe(NOW);
  });

  it('asks nobody about an address that would name another message', async () => {
    const stub = await ewsStub(exchange());
    const system = systemAt(stub.url, { lookup: 'public-folder', legacyExchangeDn: TEMPLATE });
    const results = await system.freeBusy({ mailboxes: ['a=b@contoso.example' as MailboxAddress], window, details: false }, contextWith());
    expect(results.map(shown)).toEqual([{ error: 'NO_DATA' }]);
    expect(stub.seen).toEqual([]);
  });

  it('says that the template is missing', async () => {
    const stub = await ewsStub(exchange());
    const results = await systemAt(stub.url, { lookup: 'public-folder' }).freeBusy({ mailboxes: [jdoe], window, details: false }, contextWith());
    expect(results.map(shown)).toEqual([{ error: 'CONFIGURATION' }]);
  });
});
