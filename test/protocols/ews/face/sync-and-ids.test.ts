import { describe, expect, it } from 'vitest';
import { attribute, child, childText } from '../../../../src/platform/xml/element.ts';
import { EwsFault } from '../../../../src/protocols/ews/face/faults.ts';
import { ask, bodyOf, idIn } from './asked.ts';
import type { Asking } from './asked.ts';

const ITEM_SHAPE = '<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>';
const FOLDER_SHAPE = '<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>';
const syncItems = (folder: string, state = '') =>
  ask(bodyOf('SyncFolderItems', `${ITEM_SHAPE}<m:SyncFolderId><t:DistinguishedFolderId Id="${folder}"/></m:SyncFolderId>${state === '' ? '' : `<m:SyncState>${state}</m:SyncState>`}<m:MaxChangesReturned>10</m:MaxChangesReturned>`));
const syncHierarchy = (folder = '', state = '') =>
  ask(bodyOf('SyncFolderHierarchy', `${FOLDER_SHAPE}${folder === '' ? '' : `<m:SyncFolderId><t:DistinguishedFolderId Id="${folder}"/></m:SyncFolderId>`}${state === '' ? '' : `<m:SyncState>${state}</m:SyncState>`}`));
const stateOf = (answer: Awaited<ReturnType<typeof ask>>) => childText(answer.messages[0], 'SyncState') ?? '';

describe('SyncFolderItems and SyncFolderHierarchy', () => {
  it('have nothing to tell, now and ever after', async () => {
    for (const sync of [syncItems.bind(undefined, 'calendar'), syncHierarchy.bind(undefined, 'msgfolderroot'), syncHierarchy.bind(undefined, '')]) {
      const first = await sync();
      expect(first.codes).toEqual(['NoError']);
      expect(first.text).toMatch(/<m:IncludesLast(?:Item|Folder)InRange>true</);
      expect(child(first.messages[0], 'Changes')?.children).toEqual([]);
      const second = await sync(stateOf(first));
      expect(second.codes).toEqual(['NoError']);
      expect(stateOf(second)).toBe(stateOf(first));
    }
  });

  it('refuse the state of another folder, of the other operation, and of another server', async () => {
    const items = stateOf(await syncItems('calendar'));
    const hierarchy = stateOf(await syncHierarchy('calendar'));
    expect((await syncItems('inbox', items)).codes).toEqual(['ErrorInvalidSyncStateData']);
    expect((await syncItems('calendar', hierarchy)).codes).toEqual(['ErrorInvalidSyncStateData']);
    expect((await syncHierarchy('calendar', items)).codes).toEqual(['ErrorInvalidSyncStateData']);
    expect((await syncItems('calendar', 'H4sIAAAAAAAEAGNgYGcAAotqE0tHE2NTA0ddZ3NHZ10TR3MXXSc3YyMdFzdLN0tLIyNXA')).codes).toEqual(['ErrorInvalidSyncStateData']);
  });

  it('say of a folder that is not there that it is not', async () => {
    expect((await syncItems('archiveinbox')).codes).toEqual(['ErrorFolderNotFound']);
  });

  it('are against the schema without their folder', async () => {
    await expect(ask(bodyOf('SyncFolderItems', `${ITEM_SHAPE}<m:MaxChangesReturned>10</m:MaxChangesReturned>`))).rejects.toSatisfy((error) => error instanceof EwsFault && error.code === 'ErrorSchemaValidation');
  });
});

describe('ConvertId', () => {
  const convert = (id: string, from: string, to: string, asking?: Asking) =>
    ask(bodyOf('ConvertId', `<m:SourceIds><t:AlternateId Format="${from}" Id="${id}" Mailbox="blah@blah.com"/></m:SourceIds>`, `DestinationFormat="${to}"`), asking);
  const converted = (answer: Awaited<ReturnType<typeof ask>>) => child(answer.messages[0], 'AlternateId');
  const rootId = async () => idIn((await ask(bodyOf('GetFolder', `${FOLDER_SHAPE}<m:FolderIds><t:DistinguishedFolderId Id="root"/></m:FolderIds>`))).messages[0]);

  it('goes from any format to any and back', async () => {
    const id = await rootId();
    for (const format of ['EwsLegacyId', 'EwsId', 'EntryId', 'HexEntryId', 'StoreId', 'OwaId']) {
      const there = converted(await convert(id, 'EwsId', format));
      expect([attribute(there, 'type'), attribute(there, 'Format')]).toEqual(['t:AlternateIdType', format]);
      const back = converted(await convert(attribute(there, 'Id')!, format, 'EwsId'));
      expect(attribute(back, 'Id')).toBe(id);
    }
    expect(attribute(converted(await convert(id, 'EwsId', 'HexEntryId')), 'Id')).toMatch(/^[0-9A-F]+$/);
  });

  it.each([
    ['the address it signed in with', { username: 'Kim@Corp.Example' }, 'kim@corp.example'],
    ['its name, where that is an address', { username: 'CORP\\kim', requester: { name: 'kim@corp.example' } }, 'kim@corp.example'],
    ['an address that nobody has, where it has none', { username: 'kim', requester: { name: 'the peer' } }, 'the-peer@bridge.invalid'],
    ['nobody\'s address, for an anonymous client', { username: '', requester: { name: 'office', anonymous: true } }, 'office@bridge.invalid'],
  ])('names as the mailbox of a client %s', async (_what, asking: Asking, mailbox) => {
    expect(attribute(converted(await convert(await rootId(), 'EwsId', 'EntryId', asking)), 'Mailbox')).toBe(mailbox);
  });

  it.each([
    ['an id of a real Exchange', 'AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZkLTU1OGY5OTZhYmY4OAAuAAAAAAAiQ8W967B7TKBjgx9rVEURAQAiIsqMbYjsT5e', 'EwsId'],
    ['nothing', '', 'EwsId'],
    ['hexadecimal with an odd digit', 'ABC', 'HexEntryId'],
    ['a broken escape', '%E0%A4%A', 'OwaId'],
    ['a long text', 'A'.repeat(100_000), 'EwsId'],
    ['base64 with blanks', 'RkJC MWZ yb290', 'EwsId'],
  ])('refuses %s', async (_what, id, format) => {
    expect((await convert(id, format, 'EwsId')).codes).toEqual(['ErrorInvalidIdMalformed']);
  });

  it('converts each id for itself, in the order asked', async () => {
    const id = await rootId();
    const sources = `<t:AlternateId Format="EwsId" Id="x" Mailbox="a@b.example"/><t:AlternateId Format="EwsId" Id="${id}" Mailbox="a@b.example"/><t:AlternatePublicFolderId Format="EwsId" FolderId="${id}"/>`;
    expect((await ask(bodyOf('ConvertId', `<m:SourceIds>${sources}</m:SourceIds>`, 'DestinationFormat="EntryId"'))).codes).toEqual(['ErrorInvalidIdMalformed', 'NoError', 'ErrorInvalidIdMalformed']);
  });

  it('is against the schema with a format that does not exist, and before 2007 SP1', async () => {
    const isAgainst = (error: unknown) => error instanceof EwsFault && error.code === 'ErrorSchemaValidation';
    await expect(convert('x', 'EwsId', 'Base32')).rejects.toSatisfy(isAgainst);
    await expect(convert('x', 'Base32', 'EwsId')).rejects.toSatisfy(isAgainst);
    await expect(convert('x', 'EwsId', 'EwsId', { version: 'Exchange2007' })).rejects.toSatisfy(isAgainst);
  });
});

it.each(['0', '513', '-1', 'many'])('SyncFolderItems takes 1 to 512 changes at a time, not %s', async (most) => {
  const body = bodyOf('SyncFolderItems', `<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId><t:DistinguishedFolderId Id="inbox"/></m:SyncFolderId><m:MaxChangesReturned>${most}</m:MaxChangesReturned>`);
  await expect(ask(body)).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
});
