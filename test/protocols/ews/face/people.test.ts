import { describe, expect, it } from 'vitest';
import { attribute, child, childText, childrenNamed, descend } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { memoryDirectory } from '../../../directory/memory-directory.ts';
import { ANNA_DN, BOOK, crowd, EVERYBODY, SEARCHING, SYNCING } from './address-book.ts';
import { ask, bodyOf } from './asked.ts';
import type { Asking } from './asked.ts';

const DIRECTORY = '<m:ParentFolderId><t:DistinguishedFolderId Id="directory"/></m:ParentFolderId>';
const view = (offset: number | string = 0, most: number | string | undefined = 100, point = 'Beginning'): string => `<m:IndexedPageItemView BasePoint="${point}" Offset="${offset}"${most === undefined ? '' : ` MaxEntriesReturned="${most}"`}/>`;
const shape = (base: string, fields: readonly string[] = []): string =>
  `<m:PersonaShape><t:BaseShape>${base}</t:BaseShape>${fields.length === 0 ? '' : `<t:AdditionalProperties>${fields.map((one) => `<t:FieldURI FieldURI="persona:${one}"/>`).join('')}</t:AdditionalProperties>`}</m:PersonaShape>`;
const query = (text: string): string => `<m:QueryString>${text}</m:QueryString>`;

async function find(inside: string, asking: Asking = SYNCING) {
  const { root, text } = await ask(bodyOf('FindPeople', inside), asking);
  const personas = childrenNamed(child(root, 'People'), 'Persona');
  return { root, text, code: childText(root, 'ResponseCode'), personas, total: childText(root, 'TotalNumberOfPeopleInView'), addresses: personas.map((one) => childText(child(one, 'EmailAddress'), 'EmailAddress')) };
}

const idOf = (persona: XmlElement | undefined): string => attribute(child(persona, 'PersonaId'), 'Id') ?? '';

describe('FindPeople', () => {
  it('finds by a query as Microsoft documents it', async () => {
    const { code, addresses, total, personas } = await find(view() + DIRECTORY + query('kim'));
    expect([code, addresses, total]).toEqual(['NoError', ['kim@zimbra.example', 'kimberly@corp.example'], '2']);
    expect(childText(personas[0], 'DisplayName')).toBe('Kim Lee');
    expect(child(personas[0], 'EmailAddress')?.children.map((one) => [one.name, one.text])).toEqual([['Name', 'Kim Lee'], ['EmailAddress', 'kim@zimbra.example'], ['RoutingType', 'SMTP'], ['MailboxType', 'Mailbox']]);
  });

  it('searches the directory where no folder is named', async () => {
    expect((await find(view() + query('anna'), SEARCHING)).addresses).toEqual(['anna@corp.example']);
  });

  it('tells all that is known in the order of the schema, where all is wanted', async () => {
    const { personas } = await find(shape('AllProperties') + view() + DIRECTORY + query('anna'));
    expect(personas[0]?.children.map(({ name }) => name)).toEqual(
      'PersonaId PersonaType CreationTime DisplayName DisplayNameFirstLast FileAs GivenName Surname Nickname Title Department CompanyName EmailAddress EmailAddresses PhoneNumber WorkCity Attributions DisplayNames GivenNames Surnames Initials BusinessPhoneNumbers MobilePhones WorkFaxes OfficeLocations BusinessAddresses Titles Departments CompanyNames'.split(' '),
    );
    expect(child(personas[0], 'EmailAddresses')?.children.map((one) => childText(one, 'EmailAddress'))).toEqual(['anna@corp.example', 'a.mueller@corp.example', 'am@corp.example', 'old@corp.example']);
    expect(childText(descend(personas[0], 'BusinessPhoneNumbers', 'PhoneNumberAttributedValue', 'Value'), 'Number')).toBe('+49 30 1');
  });

  it('tells the id only, or what is added to it', async () => {
    expect((await find(shape('IdOnly') + view() + query('anna'))).personas[0]?.children.map(({ name }) => name)).toEqual(['PersonaId']);
    expect((await find(shape('IdOnly', ['Surname', 'DisplayName', 'Hobbies']) + view() + query('anna'))).personas[0]?.children.map(({ name }) => name)).toEqual(['PersonaId', 'DisplayName', 'Surname']);
  });

  it('says what is a person, a room, a list', async () => {
    const { personas } = await find(view() + DIRECTORY);
    expect(personas.map((one) => childText(one, 'PersonaType'))).toEqual(['Person', 'Person', 'Person', 'Room', 'Room', 'DistributionList', 'DistributionList', 'Person']);
  });

  it('pages through everybody, and each is there once', async () => {
    const directory = memoryDirectory(crowd(25));
    const pages = await Promise.all([0, 10, 20, 30].map((offset) => find(view(offset, 10) + DIRECTORY, { ...SYNCING, directory })));
    expect(pages.map(({ personas, total }) => [personas.length, total])).toEqual([[10, '25'], [10, '25'], [5, '25'], [0, '25']]);
    expect(new Set(pages.flatMap(({ personas }) => personas.map(idOf))).size).toBe(25);
  });

  it('pages through what a query finds until there are no more', async () => {
    const directory = memoryDirectory(crowd(25), { results: 10 });
    const pages = await Promise.all([0, 10, 20].map((offset) => find(view(offset, 50) + query('person'), { ...SEARCHING, directory })));
    expect(pages.map(({ personas, total }) => [personas.length, total])).toEqual([[10, '11'], [10, '21'], [5, '25']]);
  });

  it('says how many a query finds in all, also where a page holds only some of them', async () => {
    const directory = memoryDirectory(crowd(25));
    const pages = await Promise.all([0, 10, 20].map((offset) => find(view(offset, 10) + query('person'), { ...SYNCING, directory })));
    expect(pages.map(({ personas, total }) => [personas.length, total])).toEqual([[10, '25'], [10, '25'], [5, '25']]);
    const { personas, total } = await find(view(0, 10) + query('person'), { ...SYNCING, directory: memoryDirectory(crowd(250), { results: 1_000 }) });
    expect([personas.length, total]).toEqual([10, '111']);
  });

  it('gives who may only search no more of everybody than an answer may hold, on however many pages', async () => {
    const directory = memoryDirectory(crowd(25), { results: 10 });
    const pages = await Promise.all([0, 6, 12].map((offset) => find(view(offset, 6) + DIRECTORY, { ...SEARCHING, directory })));
    expect(pages.map(({ personas, total }) => [personas.length, total])).toEqual([[6, '10'], [4, '10'], [0, '10']]);
  });

  it('gives at most a thousand at once', async () => {
    const directory = memoryDirectory(crowd(2_500));
    const { personas, total } = await find(view(0, 1_000_000_000) + DIRECTORY, { ...SYNCING, directory });
    expect([personas.length, total]).toEqual([1_000, '2500']);
    expect((await find(view(2_400, undefined) + DIRECTORY, { ...SYNCING, directory })).personas).toHaveLength(100);
  });

  it('finds the client\'s own folders empty', async () => {
    expect(await find(view() + '<m:ParentFolderId><t:DistinguishedFolderId Id="contacts"/></m:ParentFolderId>')).toMatchObject({ code: 'NoError', personas: [], total: '0' });
  });

  it.each([
    ['a page before the first', view(-1), 'ErrorInvalidIndexedPagingParameters'],
    ['a page from the end', view(0, 10, 'End'), 'ErrorInvalidIndexedPagingParameters'],
    ['a page without entries', view(0, 0), 'ErrorInvalidPagingMaxRows'],
    ['fewer than none', view(0, -5), 'ErrorInvalidPagingMaxRows'],
    ['a restriction', `${view()}<m:Restriction><t:Exists><t:FieldURI FieldURI="persona:ImAddress"/></t:Exists></m:Restriction>`, 'ErrorUnsupportedQueryFilter'],
    ['a folder that nobody knows', `${view()}<m:ParentFolderId><t:DistinguishedFolderId Id="recipientcache"/></m:ParentFolderId>`, 'ErrorFolderNotFound'],
    ['an id that is none', `${view()}<m:ParentFolderId><t:FolderId Id="AAMk="/></m:ParentFolderId>`, 'ErrorInvalidIdMalformed'],
    ['an address list', `${view()}<m:ParentFolderId><t:AddressListId Id="6f4b0a24-0001-0002-0003-000000000004"/></m:ParentFolderId>`, 'ErrorFolderNotFound'],
    ['a folder of somebody else', `${view()}<m:ParentFolderId><t:DistinguishedFolderId Id="contacts"><t:Mailbox><t:EmailAddress>anna@corp.example</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderId>`, 'ErrorNonExistentMailbox'],
  ])('refuses %s', async (_what, inside, code) => {
    const found = await find(inside);
    expect([found.code, attribute(found.root, 'ResponseClass'), found.personas.length]).toEqual([code, 'Error', 0]);
  });

  it.each([
    ['no page', query('anna')],
    ['no offset', '<m:IndexedPageItemView BasePoint="Beginning"/>'],
    ['an offset that is no number', view('x')],
    ['an offset beyond all numbers', view('99999999999999999999')],
    ['another base point', view(0, 10, 'Middle')],
    ['things in another order', query('anna') + view()],
    ['a shape that there is not', shape('Everything') + view()],
    ['an empty folder id', `${view()}<m:ParentFolderId/>`],
  ])('takes %s for a mistake', async (_what, inside) => {
    await expect(find(inside)).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
  });

  it.each(['*', '%', '*)(mail=*', 'a'.repeat(10_000), '   x   y   z'])('finds nobody by %s', async (text) => {
    expect((await find(view() + query(text))).personas).toEqual([]);
  });
});

describe('GetPersona', () => {
  const get = (inside: string, asking = SEARCHING) => ask(bodyOf('GetPersona', inside), asking);

  it('knows everybody by the id that FindPeople gave, whatever the process', async () => {
    const { personas } = await find(shape('IdOnly') + view() + DIRECTORY);
    for (const [index, persona] of personas.entries()) {
      const { root } = await get(`<m:PersonaId Id="${idOf(persona)}"/>`);
      expect([childText(root, 'ResponseCode'), childText(child(root, 'Persona'), 'DisplayName')]).toEqual(['NoError', EVERYBODY[index]!.name]);
    }
  });

  it('knows an address', async () => {
    const { root } = await get('<m:EmailAddress><t:EmailAddress>SMTP:am@corp.example</t:EmailAddress></m:EmailAddress>');
    expect(childText(child(root, 'Persona'), 'Surname')).toBe('Müller');
  });

  it.each([
    ['nobody\'s id', `<m:PersonaId Id="${Buffer.from(`FBB1p${'f'.repeat(32)}`).toString('base64')}"/>`, 'ErrorItemNotFound'],
    ['another server\'s id', '<m:PersonaId Id="AAUQAPzqVtI="/>', 'ErrorInvalidIdMalformed'],
    ['an id of a folder', `<m:PersonaId Id="${Buffer.from('FBB1finbox').toString('base64')}"/>`, 'ErrorInvalidIdMalformed'],
    ['a long id', `<m:PersonaId Id="${'A'.repeat(100_000)}"/>`, 'ErrorInvalidIdMalformed'],
    ['nobody\'s address', '<m:EmailAddress><t:EmailAddress>zoe@corp.example</t:EmailAddress></m:EmailAddress>', 'ErrorItemNotFound'],
    ['no address', '<m:EmailAddress><t:EmailAddress>zoe</t:EmailAddress></m:EmailAddress>', 'ErrorItemNotFound'],
    ['nothing', '', 'ErrorSchemaValidation'],
  ])('refuses %s', async (_what, inside, code) => {
    await expect(get(inside)).rejects.toMatchObject({ code });
  });
});

describe('ExpandDL', () => {
  const expand = (text: string, asking = SEARCHING) => ask(bodyOf('ExpandDL', `<m:Mailbox><t:EmailAddress>${text}</t:EmailAddress></m:Mailbox>`), asking);
  const members = (message: XmlElement | undefined) => child(message, 'DLExpansion')?.children.map((one) => [childText(one, 'EmailAddress'), childText(one, 'MailboxType')]);

  it('names the members, groups among them as groups', async () => {
    const { codes, messages } = await expand('TEAM@corp.example');
    expect([codes, members(messages[0])]).toEqual([['NoError'], [['anna@corp.example', 'Mailbox'], ['rooms@corp.example', 'PublicDL'], ['kim@zimbra.example', 'Mailbox']]]);
    expect([attribute(child(messages[0], 'DLExpansion'), 'TotalItemsInView'), attribute(child(messages[0], 'DLExpansion'), 'IncludesLastItemInRange')]).toEqual(['3', 'true']);
  });

  it('gives who may only search as many as an answer may hold, and says so', async () => {
    const directory = memoryDirectory([...EVERYBODY], { results: 2, members: { 'team@corp.example': ['anna@corp.example', 'rooms@corp.example', 'kim@zimbra.example'] } });
    const list = async (asking: Asking) => child((await expand('team@corp.example', { ...asking, directory })).messages[0], 'DLExpansion');
    const [some, all] = [await list(SEARCHING), await list(SYNCING)];
    expect([some?.children.length, attribute(some, 'IncludesLastItemInRange'), attribute(some, 'TotalItemsInView')]).toEqual([2, 'false', '3']);
    expect([all?.children.length, attribute(all, 'IncludesLastItemInRange')]).toEqual([3, 'true']);
  });

  it.each(['anna@corp.example', 'zoe@corp.example', 'team', ANNA_DN, '*', 'x'.repeat(10_000)])('has no members for %s', async (text) => {
    expect((await expand(text)).codes).toEqual(['ErrorNameResolutionNoResults']);
  });
});

describe('room lists', () => {
  it('are the groups of rooms only', async () => {
    const { root } = await ask(bodyOf('GetRoomLists', ''), SEARCHING);
    expect(child(root, 'RoomLists')?.children.map((one) => childText(one, 'EmailAddress'))).toEqual(['rooms@corp.example']);
  });

  it('hold their rooms; nobody else does', async () => {
    const rooms = async (list: string) => (await ask(bodyOf('GetRooms', `<m:RoomList><t:EmailAddress>${list}</t:EmailAddress></m:RoomList>`), SEARCHING)).root;
    expect(child(await rooms('rooms@corp.example'), 'Rooms')?.children.map((one) => childText(child(one, 'Id'), 'EmailAddress'))).toEqual(['room@corp.example', 'room2@corp.example']);
    expect(childText(await rooms('anna@corp.example'), 'ResponseCode')).toBe('ErrorNameResolutionNoResults');
  });
});

describe('without the right to the address book', () => {
  const questions = { FindPeople: view() + query('anna'), GetPersona: '<m:PersonaId Id="AA=="/>', ExpandDL: '<m:Mailbox><t:EmailAddress>team@corp.example</t:EmailAddress></m:Mailbox>', GetRoomLists: '', GetRooms: '<m:RoomList/>' };
  it.each(Object.entries(questions))('%s is not served', async (operation, inside) => {
    for (const asking of [{ directory: BOOK, requester: { gal: 'none' } }, { directory: { ...BOOK, isKept: false }, requester: { gal: 'sync' } }, {}] satisfies Asking[]) {
      await expect(ask(bodyOf(operation, inside), { version: 'Exchange2016', ...asking })).rejects.toMatchObject({ code: 'ErrorInvalidRequest' });
    }
  });

  it('what came later is not in an older schema', async () => {
    await expect(find(view() + query('anna'), { ...SEARCHING, version: 'Exchange2010_SP2' })).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
    await expect(ask(bodyOf('GetRoomLists', ''), { ...SEARCHING, version: 'Exchange2007_SP1' })).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
  });
});
