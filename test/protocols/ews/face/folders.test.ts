import { describe, expect, it } from 'vitest';
import { attribute, child, childrenNamed, childText, descend } from '../../../../src/platform/xml/element.ts';
import { EwsFault } from '../../../../src/protocols/ews/face/faults.ts';
import { SCHEMA_VERSIONS } from '../../../../src/protocols/ews/face/schema-version.ts';
import { ask, bodyOf, idIn, pushedTo } from './asked.ts';
import type { Answer, Asking } from './asked.ts';

const shape = (base = 'Default', more = '') => `<m:FolderShape><t:BaseShape>${base}</t:BaseShape>${more}</m:FolderShape>`;
const distinguished = (...names: readonly string[]) => names.map((name) => `<t:DistinguishedFolderId Id="${name}"/>`).join('');
const getFolder = (ids: string, asking?: Asking, base?: string, more?: string) => ask(bodyOf('GetFolder', `${shape(base, more)}<m:FolderIds>${ids}</m:FolderIds>`), asking);
const findFolder = (parents: string, restriction = '', asking?: Asking) =>
  ask(bodyOf('FindFolder', `${shape('AllProperties')}${restriction}<m:ParentFolderIds>${parents}</m:ParentFolderIds>`, 'Traversal="Shallow"'), asking);
const findItem = (parents: string, before = '', asking?: Asking) =>
  ask(bodyOf('FindItem', `<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>${before}<m:ParentFolderIds>${parents}</m:ParentFolderIds>`, 'Traversal="Shallow"'), asking);
const folderIn = (answer: Answer, index = 0) => child(answer.messages[index], 'Folders')?.children[0];

const { pushed } = pushedTo({});
const ORGANISATION = '/o=First Organization/ou=First Administrative Group';

describe('GetFolder', () => {
  it.each([
    ['msgfolderroot', 'Folder', undefined],
    ['root', 'Folder', undefined],
    ['inbox', 'Folder', 'IPF.Note'],
    ['sentitems', 'Folder', 'IPF.Note'],
    ['calendar', 'CalendarFolder', 'IPF.Appointment'],
    ['contacts', 'ContactsFolder', 'IPF.Contact'],
    ['tasks', 'TasksFolder', 'IPF.Task'],
  ])('gives an empty %s as a %s', async (name, element, folderClass) => {
    const answer = await getFolder(distinguished(name), {}, 'AllProperties');
    expect(answer.codes).toEqual(['NoError']);
    const folder = folderIn(answer);
    expect(folder?.name).toBe(element);
    expect(childText(folder, 'FolderClass')).toBe(folderClass);
    expect([childText(folder, 'TotalCount'), childText(folder, 'ChildFolderCount')]).toEqual(['0', '0']);
    expect(childText(folder, 'DistinguishedFolderId')).toBe(name);
  });

  it.each(SCHEMA_VERSIONS)('is valid for %s in every shape', async (version) => {
    for (const base of ['IdOnly', 'Default', 'AllProperties']) {
      const { codes } = await getFolder(distinguished('calendar', 'inbox', 'tasks', 'contacts', 'root', 'publicfoldersroot'), { version, pushed }, base);
      expect(codes).toEqual(Array(6).fill('NoError'));
    }
  });

  it('names a property that came with 2013 to no earlier client', async () => {
    expect((await getFolder(distinguished('inbox'), { version: 'Exchange2010_SP2' }, 'AllProperties')).text).not.toContain('<t:DistinguishedFolderId>');
  });

  it('gives only the id for IdOnly, and what is asked for beside it', async () => {
    const bare = folderIn(await getFolder(distinguished('inbox'), {}, 'IdOnly'));
    expect(bare?.children.map((one) => one.name)).toEqual(['FolderId']);
    const more = '<t:AdditionalProperties><t:FieldURI FieldURI="folder:DisplayName"/><t:ExtendedFieldURI PropertyTag="0x10f3" PropertyType="String"/><t:FieldURI FieldURI="folder:PermissionSet"/></t:AdditionalProperties>';
    const named = folderIn(await getFolder(distinguished('inbox'), {}, 'IdOnly', more));
    expect(named?.children.map((one) => one.name)).toEqual(['FolderId', 'DisplayName']);
  });

  it('gives the properties by tag that DavMail asks for, with the digits that it looks for', async () => {
    const asked = ['0x670a:SystemTime', '0x3008:SystemTime', '0x3613:String', '0x360a:Boolean', '0x3602:Integer', '0x3603:Integer', '0x10f3:String', '0x6751:Integer', '0x6752:Integer'];
    const more = `<t:AdditionalProperties>${asked.map((one) => `<t:ExtendedFieldURI PropertyTag="${one.split(':')[0]}" PropertyType="${one.split(':')[1]}"/>`).join('')}</t:AdditionalProperties>`;
    const folder = folderIn(await getFolder(distinguished('calendar'), {}, 'IdOnly', more));
    const values = new Map(childrenNamed(folder, 'ExtendedProperty').map((one) => [attribute(child(one, 'ExtendedFieldURI'), 'PropertyTag'), childText(one, 'Value')]));
    expect(values.get('0x3613')).toBe('IPF.Appointment');
    expect(values.get('0x670a')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect([...values.keys()].sort()).toEqual(['0x3008', '0x3602', '0x3603', '0x360a', '0x3613', '0x670a']);
  });

  it('knows the ids that it gave, in every process and for every client', async () => {
    const id = idIn((await getFolder(distinguished('calendar'))).messages[0]);
    const again = await getFolder(`<t:FolderId Id="${id}" ChangeKey="old"/>`, { username: 'somebody@corp.example', requester: { name: 'another' } });
    expect(folderIn(again)?.name).toBe('CalendarFolder');
    expect(idIn(again.messages[0])).toBe(id);
  });

  it('answers in the order asked, each folder for itself', async () => {
    const { codes } = await getFolder(`${distinguished('inbox')}<t:FolderId Id="AAMkAGI="/>${distinguished('archiveroot')}<t:FolderId Id=""/>${distinguished('inbox')}`);
    expect(codes).toEqual(['NoError', 'ErrorInvalidIdMalformed', 'ErrorFolderNotFound', 'ErrorInvalidIdMalformed', 'NoError']);
  });

  it('answers for another mailbox alike, whether it exists or not', async () => {
    const of = (address: string) => `<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>${address}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`;
    const { codes, text } = await getFolder(of('anna@corp.example') + of('nobody@nowhere.example') + of('KIM@corp.example') + of('smtp:kim@corp.example'));
    expect(codes).toEqual(['ErrorNonExistentMailbox', 'ErrorNonExistentMailbox', 'NoError', 'NoError']);
    expect(text).not.toContain('nobody');
  });

  it.each([
    ['no shape', `<m:FolderIds>${distinguished('inbox')}</m:FolderIds>`, 'ErrorSchemaValidation'],
    ['a shape that does not exist', `${shape('Everything')}<m:FolderIds>${distinguished('inbox')}</m:FolderIds>`, 'ErrorSchemaValidation'],
    ['a shape with the name of an object\'s own', `${shape('toString')}<m:FolderIds>${distinguished('inbox')}</m:FolderIds>`, 'ErrorSchemaValidation'],
    ['no ids', `${shape()}<m:FolderIds/>`, 'ErrorSchemaValidation'],
    ['a name of another language', `${shape()}<m:FolderIds>${distinguished('Kalender')}</m:FolderIds>`, 'ErrorSchemaValidation'],
    ['an id without its attribute', `${shape()}<m:FolderIds><t:FolderId/></m:FolderIds>`, 'ErrorSchemaValidation'],
    ['ids of another namespace', `${shape()}<m:FolderIds><FolderId Id="x"/></m:FolderIds>`, 'ErrorSchemaValidation'],
    ['ten thousand folders', `${shape()}<m:FolderIds>${distinguished(...Array<string>(10_000).fill('inbox'))}</m:FolderIds>`, 'ErrorInvalidRequest'],
  ])('refuses a request with %s', async (_what, inside, code) => {
    await expect(ask(bodyOf('GetFolder', inside))).rejects.toSatisfy((error) => error instanceof EwsFault && error.code === code);
  });

  it('has no folder by the name of an object\'s own', async () => {
    expect((await getFolder(distinguished('constructor', 'valueof'))).codes).toEqual(['ErrorFolderNotFound', 'ErrorFolderNotFound']);
  });
});

describe('public folders', () => {
  it('begin at publicfoldersroot, whose parent is named, as Zimbra wants it', async () => {
    const answer = await getFolder(distinguished('publicfoldersroot'), { pushed }, 'AllProperties');
    const folder = folderIn(answer);
    expect(folder?.name).toBe('Folder');
    expect(idIn(answer.messages[0], 'FolderId')).not.toBe('');
    expect(idIn(answer.messages[0], 'ParentFolderId')).not.toBe('');
    expect(idIn(answer.messages[0], 'ParentFolderId')).not.toBe(idIn(answer.messages[0], 'FolderId'));
  });

  it.each([
    ['where nothing is replicated', {}],
    ['for an anonymous client', { pushed, requester: { anonymous: true }, username: '' }],
  ])('are not there %s', async (_when, asking: Asking) => {
    expect((await getFolder(distinguished('publicfoldersroot'), asking)).codes).toEqual(['ErrorNoPublicFolderReplicaAvailable']);
    const id = idIn((await getFolder(distinguished('publicfoldersroot'), { pushed }, 'AllProperties')).messages[0], 'ParentFolderId');
    const parent = `<t:FolderId Id="${id}"/>`;
    expect((await findFolder(parent, '', asking)).codes).toEqual(['ErrorFolderNotFound']);
    expect((await getFolder(parent, asking)).codes).toEqual(['ErrorFolderNotFound']);
    expect((await findItem(parent, '', asking)).codes).toEqual(['ErrorFolderNotFound']);
  });
});

describe('FindFolder', () => {
  it('finds nothing in a mailbox, and says so with a RootFolder', async () => {
    const { codes, messages } = await findFolder(distinguished('msgfolderroot', 'inbox'));
    expect(codes).toEqual(['NoError', 'NoError']);
    for (const message of messages) {
      const root = child(message, 'RootFolder');
      expect([attribute(root, 'TotalItemsInView'), attribute(root, 'IncludesLastItemInRange')]).toEqual(['0', 'true']);
      expect(child(root, 'Folders')?.children).toEqual([]);
    }
  });

  const named = (condition: string) => `<m:Restriction>${condition}</m:Restriction>`;
  const isEqual = (name: string, field = 'folder:DisplayName') =>
    named(`<t:IsEqualTo><t:FieldURI FieldURI="${field}"/><t:FieldURIOrConstant><t:Constant Value="${name}"/></t:FieldURIOrConstant></t:IsEqualTo>`);
  const contains = (text: string, mode = 'ContainmentMode="Substring"') => named(`<t:Contains ${mode}><t:FieldURI FieldURI="folder:DisplayName"/><t:Constant Value="${text}"/></t:Contains>`);

  async function scheduleId(): Promise<string> {
    const top = idIn((await getFolder(distinguished('publicfoldersroot'), { pushed }, 'AllProperties')).messages[0], 'ParentFolderId');
    const below = idIn((await findFolder(`<t:FolderId Id="${top}"/>`, isEqual('NON_IPM_SUBTREE'), { pushed })).messages[0]);
    return idIn((await findFolder(`<t:FolderId Id="${below}"/>`, isEqual('Schedule+ Free Busy'), { pushed })).messages[0]);
  }

  it('leads to the folder of an organisation, which names it', async () => {
    const schedule = await scheduleId();
    expect(schedule).not.toBe('');
    for (const restriction of [contains(ORGANISATION), isEqual(`EX:${ORGANISATION}`), contains(`EX:${ORGANISATION}`, 'ContainmentMode="FullString" ContainmentComparison="IgnoreCase"'), contains(`ex:${ORGANISATION}`, 'ContainmentMode="Prefixed"')]) {
      const answer = await findFolder(`<t:FolderId Id="${schedule}"/>`, restriction, { pushed });
      const folder = descend(answer.messages[0], 'RootFolder', 'Folders')?.children[0];
      expect(childText(folder, 'DisplayName')).toBe(`EX:${ORGANISATION}`);
      expect(childText(child(folder, 'EffectiveRights'), 'CreateContents')).toBe('true');
      const again = await getFolder(`<t:FolderId Id="${idIn(answer.messages[0])}"/>`, { pushed });
      expect(childText(folderIn(again), 'DisplayName')).toBe(`EX:${ORGANISATION}`);
    }
  });

  it.each([
    ['an organisation without its slash', contains('First Organization')],
    ['an organisation by its bare name, whole', isEqual(ORGANISATION)],
    ['too long a name', contains(`/o=${'x'.repeat(2_000)}`)],
    ['a name with a line end', contains('/o=a&#10;b')],
    ['another property', isEqual('EX:/o=x', 'folder:FolderClass')],
    ['two conditions', named(`<t:And><t:Exists><t:FieldURI FieldURI="folder:DisplayName"/></t:Exists><t:Exists><t:FieldURI FieldURI="folder:DisplayName"/></t:Exists></t:And>`)],
    ['nothing at all', ''],
  ])('finds none below SCHEDULE+ FREE BUSY for %s', async (_what, restriction) => {
    const answer = await findFolder(`<t:FolderId Id="${await scheduleId()}"/>`, restriction, { pushed });
    expect(answer.codes).toEqual(['NoError']);
    expect(descend(answer.messages[0], 'RootFolder', 'Folders')?.children).toEqual([]);
  });
});

describe('FindItem', () => {
  it('finds nothing anywhere', async () => {
    const view = '<m:CalendarView MaxEntriesReturned="10" StartDate="2026-03-01T00:00:00Z" EndDate="2026-03-02T00:00:00Z"/>';
    const { codes, messages } = await findItem(distinguished('calendar', 'inbox'), view);
    expect(codes).toEqual(['NoError', 'NoError']);
    expect(messages.map((message) => descend(message, 'RootFolder', 'Items')?.children)).toEqual([[], []]);
  });

  it('finds no groups where groups are asked for', async () => {
    const grouped = '<m:DistinguishedGroupBy Order="Ascending"><t:StandardGroupBy>ConversationTopic</t:StandardGroupBy></m:DistinguishedGroupBy>';
    expect((await findItem(distinguished('inbox'), grouped)).text).toContain('<t:Groups/>');
  });

  it('says for each folder why not', async () => {
    expect((await findItem(`<t:FolderId Id="AAMk"/>${distinguished('inbox', 'archiveinbox')}`)).codes).toEqual(['ErrorInvalidIdMalformed', 'NoError', 'ErrorFolderNotFound']);
  });
});
