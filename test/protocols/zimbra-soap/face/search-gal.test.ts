import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenNamed } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { decodeEnvelope } from '../../../../src/protocols/soap/envelope.ts';
import { entryOf, memoryDirectory } from '../../../directory/memory-directory.ts';
import { turnsDuring } from '../../../event-loop-turns.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { openFace, openGalFace, send, sendJson, xmlMessage } from './asking.ts';
import type { JsonBody } from './asking.ts';

const ANN = entryOf('ann@corp.example', { name: 'Ann Lee', aliases: ['a.lee@corp.example', 'lee@corp.example'], nickname: 'annie', title: 'Buyer', phone: '1', mobile: '2', fax: '3', street: 'S', city: 'C', state: 'T', postalCode: 'P', country: 'D', office: 'O', department: 'E', initials: 'AL' });
const BOB = entryOf('bob@zimbra.example', { name: 'Bob Annan', home: 'zimbra' });
const EXT = entryOf('ext@else.example', { name: 'Ext Ann', kind: 'contact' });
const ALL = entryOf('ann-all@corp.example', { name: 'Ann’s people', kind: 'group' });
const ROOM = entryOf('room-ann@corp.example', { name: 'Room Ann', kind: 'room', capacity: '12' });
const CAR = entryOf('car@corp.example', { name: 'Ann’s car', kind: 'equipment' });
const EVERYBODY = [ROOM, ALL, BOB, ANN, CAR, EXT];

let sync: FaceUnderTest;
let search: FaceUnderTest;
let none: FaceUnderTest;
beforeAll(async () => {
  sync = await openGalFace(memoryDirectory(EVERYBODY, { results: 3, members: { 'ann-all@corp.example': ['bob@zimbra.example', 'ann@corp.example'] } }));
  search = await openGalFace(memoryDirectory(EVERYBODY, { results: 3 }), 'search');
  none = await openGalFace(memoryDirectory(EVERYBODY), 'none');
});
afterAll(() => Promise.all([sync, search, none].map((one) => one.close())));

const searchGal = (keys: Record<string, unknown>): Record<string, unknown> => ({ SearchGalRequest: { _jsns: 'urn:zimbraAccount', ...keys } });
const emails = ({ cn = [] }: JsonBody['SearchGalResponse'] | JsonBody['AutoCompleteGalResponse']): readonly unknown[] => cn.map((one) => one._attrs?.['email']);
const found = async (face: FaceUnderTest, keys: Record<string, unknown>): Promise<readonly unknown[]> => emails((await sendJson(face, searchGal(keys))).Body.SearchGalResponse);
const codeOf = async (face: FaceUnderTest, body: Record<string, unknown>): Promise<string> => (await sendJson(face, body)).Body.Fault.Detail.Error.Code;

describe('SearchGal', () => {
  it('says of a person what Zimbra’s own address book does', async () => {
    const { Body } = await sendJson(sync, searchGal({ name: 'annie' }));
    const dn = `cn=${ANN.id},dc=bridge`;
    expect(Body.SearchGalResponse).toEqual({
      more: false, sortBy: 'nameAsc', offset: 0, paginationSupported: true, tokenizeKey: true,
      cn: [{
        id: dn, ref: dn,
        _attrs: {
          email: 'ann@corp.example', email2: 'a.lee@corp.example', email3: 'lee@corp.example', fullName: 'Ann Lee', initials: 'AL', nickname: 'annie', department: 'E', jobTitle: 'Buyer', office: 'O', workPhone: '1', mobilePhone: '2', workFax: '3',
          workStreet: 'S', workCity: 'C', workState: 'T', workPostalCode: 'P', workCountry: 'D', objectClass: ['person', 'organizationalPerson', 'inetOrgPerson'], modifyTimeStamp: '20261129120000Z', createTimeStamp: '20261101000000Z',
        },
      }],
      _jsns: 'urn:zimbraAccount',
    });
  });

  it('takes the name as attribute, element or query, with stars around it', async () => {
    for (const keys of [{ name: 'annan' }, { name: { _content: 'annan' } }, { name: [{ _content: '*annan*' }] }, { query: 'annan' }]) expect(await found(sync, keys)).toEqual(['bob@zimbra.example']);
    for (const xml of ['<SearchGalRequest xmlns="urn:zimbraAccount" name="annan"/>', '<SearchGalRequest xmlns="urn:zimbraAccount"><name>annan</name></SearchGalRequest>']) {
      const answer = decodeEnvelope(await readXml((await send(sync, xmlMessage(xml))).text)).body.children[0]!;
      expect(childrenNamed(answer.children[0], 'a').slice(0, 2).map((one) => one.text)).toEqual(['bob@zimbra.example', 'Bob Annan']);
    }
    // Inside, and of other kinds, they stand for themselves.
    for (const name of ['an*an', 'ann%', '%', 'a?n']) expect([name, await found(sync, { name })]).toEqual([name, []]);
  });

  it('sorts a page by name, backwards where asked, and leaves it as it is ranked for none', async () => {
    const byName = ['ann@corp.example', 'car@corp.example', 'ann-all@corp.example', 'bob@zimbra.example', 'ext@else.example', 'room-ann@corp.example'];
    const wide = await openGalFace(memoryDirectory(EVERYBODY));
    expect(await found(wide, { name: 'ann' })).toEqual(byName);
    expect(await found(wide, { name: 'ann', sortBy: 'nameDesc' })).toEqual([...byName].reverse());
    expect(await found(wide, { name: 'ann', sortBy: 'none' })).toEqual(EVERYBODY.map(({ address }) => address));
    await wide.close();
  });

  it('leaves resources out for account, as Zimbra’s own filters do, and knows resource, group and all', async () => {
    const byType = async (type?: string): Promise<readonly unknown[]> => found(sync, { name: '*', ...(type === undefined ? {} : { type }) });
    expect(await byType('account')).toEqual(['ann@corp.example', 'ann-all@corp.example', 'bob@zimbra.example', 'ext@else.example']);
    expect(await byType('resource')).toEqual(['car@corp.example', 'room-ann@corp.example']);
    expect(await byType('group')).toEqual(['ann-all@corp.example']);
    expect(await byType('all')).toEqual(await byType());
    expect(await codeOf(sync, searchGal({ name: 'a', type: 'person' }))).toBe('service.INVALID_REQUEST');
    expect(await codeOf(sync, searchGal({ name: 'a', type: 'constructor' }))).toBe('service.INVALID_REQUEST');
  });

  it('lists everybody by name for . and *, in pages for a client that may take everything', async () => {
    for (const name of ['.', '*', '**', '', ' ']) expect([name, (await found(sync, { name })).length]).toEqual([name, 6]);
    const { SearchGalResponse: first } = (await sendJson(sync, searchGal({ name: '*', limit: 4 }))).Body;
    const { SearchGalResponse: second } = (await sendJson(sync, searchGal({ name: '*', limit: 4, offset: 4 }))).Body;
    expect([first.more, second.more, second.offset, emails(first).length, emails(second)]).toEqual([true, false, 4, 4, ['ext@else.example', 'room-ann@corp.example']]);
    expect(await found(sync, { name: '*', limit: 2, offset: 1, sortBy: 'nameDesc' })).toEqual(['ext@else.example', 'bob@zimbra.example']);
  });

  it('shows one who may only search no more than the allowance, wherever the page begins', async () => {
    const { SearchGalResponse: first } = (await sendJson(search, searchGal({ name: '*' }))).Body;
    expect([first.more, emails(first).length]).toEqual([true, 3]);
    const { SearchGalResponse: next } = (await sendJson(search, searchGal({ name: '*', offset: 3 }))).Body;
    expect([next.more, emails(next)]).toEqual([false, []]);
    expect((await found(search, { name: 'ann', limit: 1_000 })).length).toBe(3);
  });

  it('comes to an end for whoever follows `more`, also where the address book never says that there are no others', async () => {
    const memory = memoryDirectory(EVERYBODY);
    const endless = await openGalFace({ ...memory, search: ({ limit, offset = 0, ...query }, requester) => ({ entries: memory.search({ ...query, limit: 3 }, requester).entries.slice(offset, offset + limit), more: true }) }, 'search');
    const filter = { cond: { attr: 'fullName', op: 'has', value: 'ann' } };
    for (const more of [{}, { searchFilter: filter }]) {
      const pages: boolean[] = [];
      for (let offset = 0; offset < 10; offset += 2) pages.push((await sendJson(endless, searchGal({ name: 'ann', limit: 2, offset, ...more }))).Body.SearchGalResponse.more);
      expect(pages).toEqual([true, true, false, false, false]);
    }
    await endless.close();
  });

  it('does not list people to whom one letter is not enough, and rooms all the same', async () => {
    const memory = memoryDirectory(EVERYBODY);
    const strict = await openGalFace({ ...memory, allowance: () => ({ results: 100, minimumLength: 3 }) }, 'search');
    const { SearchGalResponse } = (await sendJson(strict, searchGal({ name: '*' }))).Body;
    expect([SearchGalResponse.more, SearchGalResponse.cn]).toEqual([true, undefined]);
    expect(await found(strict, { name: '*', type: 'resource' })).toHaveLength(2);
    await strict.close();
  });

  it('finds an entry again by its ref, and nobody by another', async () => {
    expect(await found(sync, { ref: `cn=${BOB.id},dc=bridge` })).toEqual(['bob@zimbra.example']);
    expect(await found(sync, { ref: `CN=${BOB.id},DC=bridge`, name: 'ignored' })).toEqual(['bob@zimbra.example']);
    for (const ref of ['', 'cn=,dc=bridge', 'cn=1,dc=else', `uid=${BOB.id},dc=bridge`, 'cn=\0,dc=bridge', 'x'.repeat(10_000)]) expect(await found(sync, { ref })).toEqual([]);
  });

  it('says that groups can be expanded where asked, never whom they hold', async () => {
    const { cn = [] } = (await sendJson(sync, searchGal({ name: 'ann', needExp: 1, needIsOwner: 1, needIsMember: 'all', limit: 100 }))).Body.SearchGalResponse;
    expect(cn.map((one) => [one._attrs?.['email'], one.exp, one._attrs?.['member']])).toContainEqual(['ann-all@corp.example', true, undefined]);
    expect(cn.filter((one) => one.exp !== undefined)).toHaveLength(1);
  });

  it('has a filter beside the words, or beside everybody', async () => {
    const cond = (attr: string, op: string, value: string, more = {}): Record<string, unknown> => ({ attr, op, value, ...more });
    const wide = await openGalFace(memoryDirectory(EVERYBODY));
    expect(await found(wide, { name: 'ann', searchFilter: { conds: { cond: [cond('fullName', 'has', 'LEE')] } } })).toEqual(['ann@corp.example']);
    await wide.close();
    expect(await found(sync, { name: '*', searchFilter: { cond: cond('email', 'endswith', '@zimbra.example') } })).toEqual(['bob@zimbra.example']);
  });

  it('needs a name, a query or a ref, and not two of the first', async () => {
    for (const keys of [{}, { query: '' }, { name: 'a', query: 'b' }]) expect(await codeOf(sync, searchGal(keys))).toBe('service.INVALID_REQUEST');
  });

  it('refuses numbers that are none', async () => {
    for (const keys of [{ limit: -1 }, { limit: 'x' }, { offset: '1e9' }, { offset: 2 ** 31 }, { limit: 1.5 }, { offset: '9'.repeat(5_000) }]) expect([keys, await codeOf(sync, searchGal({ name: 'a', ...keys }))]).toEqual([keys, 'service.INVALID_REQUEST']);
    expect(await found(sync, { name: '*', offset: 2_147_483_647, limit: 2_147_483_647 })).toEqual([]);
    expect(await found(sync, { name: '*', limit: 0 })).toHaveLength(6);
  });

  it('is refused to a client without the right, and where no address book is kept', async () => {
    expect(await codeOf(none, searchGal({ name: 'ann' }))).toBe('service.PERM_DENIED');
    expect(await codeOf(none, searchGal({ name: '*' }))).toBe('service.PERM_DENIED');
    expect(await codeOf(none, searchGal({ ref: `cn=${BOB.id},dc=bridge` }))).toBe('service.PERM_DENIED');
    const bare = await openFace();
    expect(await codeOf(bare, searchGal({ name: 'ann' }))).toBe('service.PERM_DENIED');
    await bare.close();
  });
});

describe('AutoCompleteGal', () => {
  const complete = (keys: Record<string, unknown>): Record<string, unknown> => ({ AutoCompleteGalRequest: { _jsns: 'urn:zimbraAccount', ...keys } });
  it('gives the best first, people and groups unless asked for others, 20 at most', async () => {
    const many = await openGalFace(memoryDirectory(Array.from({ length: 60 }, (_, index) => entryOf(`u${index}@corp.example`))));
    const { AutoCompleteGalResponse } = (await sendJson(many, complete({ name: 'u', limit: 50 }))).Body;
    expect([AutoCompleteGalResponse.more, emails(AutoCompleteGalResponse).length, emails(AutoCompleteGalResponse)[0]]).toEqual([true, 20, 'u0@corp.example']);
    expect(emails((await sendJson(many, complete({ name: 'u', limit: 2 }))).Body.AutoCompleteGalResponse)).toEqual(['u0@corp.example', 'u1@corp.example']);
    await many.close();
    const { cn = [] } = (await sendJson(sync, complete({ name: { _content: 'ann' }, needExp: 1 }))).Body.AutoCompleteGalResponse;
    // The memory's own limit is 3.
    expect(cn.map((one) => [one._attrs?.['email'], one.exp])).toEqual([['ann-all@corp.example', true], ['bob@zimbra.example', undefined], ['ann@corp.example', undefined]]);
  });

  it('finds nobody without letters, and is refused without a name or the right', async () => {
    for (const name of ['', '*', '.', '  ']) expect((await sendJson(sync, complete({ name }))).Body.AutoCompleteGalResponse.cn).toBeUndefined();
    expect(await codeOf(sync, complete({}))).toBe('service.INVALID_REQUEST');
    expect(await codeOf(none, complete({ name: 'ann' }))).toBe('service.PERM_DENIED');
  });
});

describe('AutoComplete', () => {
  const complete = (keys: Record<string, unknown>): Record<string, unknown> => ({ AutoCompleteRequest: { _jsns: 'urn:zimbraMail', ...keys } });
  const matches = async (face: FaceUnderTest, keys: Record<string, unknown>): Promise<JsonBody['AutoCompleteResponse']> => (await sendJson(face, complete(keys))).Body.AutoCompleteResponse;

  it('offers one address of everybody, commas as blanks', async () => {
    expect(await matches(sync, { name: 'lee, ann', t: 'account' })).toEqual({
      canBeCached: true, _jsns: 'urn:zimbraMail',
      match: [{ email: '"Ann Lee" <ann@corp.example>', type: 'gal', ranking: '0', isGroup: false, full: 'Ann Lee', nick: 'annie' }],
    });
  });

  it('may be cached only where there are no others', async () => {
    expect((await matches(sync, { name: 'ann', t: 'all' })).canBeCached).toBe(false);
    expect((await matches(sync, { name: 'ann', t: 'group', needExp: 1 })).match).toMatchObject([{ isGroup: true, exp: true }]);
    expect((await matches(sync, { name: 'ann', t: 'group' })).match?.[0]?.exp).toBeUndefined();
  });

  it('lets no name bring an address of its own', async () => {
    const evil = await openGalFace(memoryDirectory([entryOf('real@corp.example', { name: 'Evil" <ceo@corp.example>, "x\\\n' })]));
    expect((await matches(evil, { name: 'evil' })).match?.[0]?.email).toBe('"Evil\\" <ceo@corp.example>, \\"x\\\\ " <real@corp.example>');
    await evil.close();
  });

  it('is silently empty without the right, without an address book, and where the GAL is not wanted', async () => {
    const bare = await openFace();
    for (const [face, keys] of [[none, {}], [bare, {}], [sync, { includeGal: 0 }]] as const) expect(await matches(face, { name: 'ann', ...keys })).toEqual({ canBeCached: true, _jsns: 'urn:zimbraMail' });
    await bare.close();
  });

  it('needs letters', async () => {
    for (const keys of [{}, { name: '' }, { name: ' , ,' }]) expect(await codeOf(sync, complete(keys))).toBe('service.INVALID_REQUEST');
    expect(await codeOf(none, complete({ name: 'a', t: 'x' }))).toBe('service.INVALID_REQUEST');
  });
});

describe('GetDistributionListMembers', () => {
  const members = (dl: string, keys: Record<string, unknown> = {}): Record<string, unknown> => ({ GetDistributionListMembersRequest: { _jsns: 'urn:zimbraAccount', dl: { by: 'name', _content: dl }, ...keys } });
  it('gives addresses in the group’s order, in pages', async () => {
    expect((await sendJson(sync, members(' Ann-All@corp.example '))).Body.GetDistributionListMembersResponse).toEqual({ more: false, total: 2, dlm: [{ _content: 'bob@zimbra.example' }, { _content: 'ann@corp.example' }], _jsns: 'urn:zimbraAccount' });
    expect((await sendJson(search, members('ann-all@corp.example'))).Body.GetDistributionListMembersResponse).toMatchObject({ total: 0 });
    const { text } = await send(sync, xmlMessage('<GetDistributionListMembersRequest xmlns="urn:zimbraAccount" limit="1" offset="1"><dl>ann-all@corp.example</dl></GetDistributionListMembersRequest>'));
    expect(text).toContain('<GetDistributionListMembersResponse xmlns="urn:zimbraAccount" more="0" total="2"><dlm>ann@corp.example</dlm></GetDistributionListMembersResponse>');
  });

  it('knows no list where there is a person or nobody: the same fault', async () => {
    for (const dl of ['ann@corp.example', 'nobody@corp.example', 'no address', 'a\0@b.example', 'x'.repeat(10_000)]) expect(await codeOf(sync, members(dl))).toBe('account.NO_SUCH_DISTRIBUTION_LIST');
  });

  it('refuses what Zimbra does', async () => {
    for (const keys of [{ offset: 2 }, { offset: -1 }, { limit: -1 }]) expect(await codeOf(sync, members('ann-all@corp.example', keys))).toBe('service.INVALID_REQUEST');
    expect(await codeOf(sync, { GetDistributionListMembersRequest: { _jsns: 'urn:zimbraAccount' } })).toBe('service.INVALID_REQUEST');
    expect(await codeOf(none, members('ann-all@corp.example'))).toBe('service.PERM_DENIED');
  });
});

describe('SearchCalendarResources', () => {
  const rooms = async (face: FaceUnderTest, keys: Record<string, unknown>): Promise<readonly string[]> =>
    ((await sendJson(face, { SearchCalendarResourcesRequest: { _jsns: 'urn:zimbraAccount', ...keys } })).Body.SearchCalendarResourcesResponse.calresource ?? []).map(({ name }) => name);
  const conds = (keys: Record<string, unknown>, ...cond: readonly (readonly [string, string, string, Record<string, unknown>?])[]): Record<string, unknown> => ({
    searchFilter: { conds: { ...keys, cond: cond.map(([attr, op, value, more = {}]) => ({ attr, op, value, ...more })) } },
  });

  it('finds rooms and equipment and nobody else, by name and by filter', async () => {
    expect(await rooms(sync, {})).toEqual(['car@corp.example', 'room-ann@corp.example']);
    expect(await rooms(sync, { name: { _content: 'room' } })).toEqual(['room-ann@corp.example']);
    expect(await rooms(sync, { name: 'ann', ...conds({}, ['zimbraCalResType', 'eq', 'location']) })).toEqual(['room-ann@corp.example']);
    expect(await rooms(sync, conds({}, ['zimbraCalResType', 'eq', 'Location'], ['zimbraCalResCapacity', 'ge', '12'], ['fullName', 'startswith', 'room']))).toEqual(['room-ann@corp.example']);
    expect(await rooms(sync, conds({}, ['zimbraCalResCapacity', 'gt', '12']))).toEqual([]);
    expect(await rooms(sync, conds({}, ['zimbraCalResCapacity', 'lt', '13']))).toEqual(['room-ann@corp.example']);
    expect(await rooms(sync, conds({}, ['zimbraCalResCapacity', 'le', 'x']))).toEqual([]);
    expect(await rooms(sync, conds({ or: 1 }, ['zimbraCalResType', 'eq', 'Equipment'], ['fullName', 'has', 'oom']))).toEqual(['car@corp.example', 'room-ann@corp.example']);
    expect(await rooms(sync, conds({ not: 1 }, ['zimbraCalResType', 'eq', 'Equipment']))).toEqual(['room-ann@corp.example']);
    expect(await rooms(sync, conds({}, ['zimbraCalResSite', 'has', '', { not: true }]))).toHaveLength(2);
  });

  it('says what was asked for of each', async () => {
    const { text } = await send(sync, xmlMessage('<SearchCalendarResourcesRequest xmlns="urn:zimbraAccount" attrs="fullName, zimbraCalResCapacity"><name>room</name></SearchCalendarResourcesRequest>'));
    expect(text).toContain(`paginationSupported="1"><calresource name="room-ann@corp.example" id="cn=${ROOM.id},dc=bridge"><a n="fullName">Room Ann</a><a n="zimbraCalResCapacity">12</a></calresource></SearchCalendarResourcesResponse>`);
  });

  it('is empty and no fault for one to whom the address book is closed', async () => {
    expect((await sendJson(none, { SearchCalendarResourcesRequest: { _jsns: 'urn:zimbraAccount' } })).Body.SearchCalendarResourcesResponse).toEqual({ more: false, sortBy: 'nameAsc', offset: 0, _jsns: 'urn:zimbraAccount' });
  });

  it('refuses filters that are none, and too many conditions, however they come', async () => {
    const refused = async (xml: string): Promise<void> => {
      const { text } = await send(sync, xmlMessage(`<SearchCalendarResourcesRequest xmlns="urn:zimbraAccount"><searchFilter>${xml}</searchFilter></SearchCalendarResourcesRequest>`));
      expect([xml.slice(0, 80), /<Code>(service\.[A-Z_]+)/.exec(text)?.[1]]).toEqual([xml.slice(0, 80), expect.stringMatching(/service\.(INVALID_REQUEST|PARSE_ERROR)/)]);
    };
    const cond = '<cond attr="fullName" op="has" value="a"/>';
    for (const xml of ['', '<other/>', '<cond op="eq" value="1"/>', '<cond attr="a" op="like" value="1"/>', '<cond attr="a" op="toString" value="1"/>', '<conds><other/></conds>', '<conds><cond attr="a" op="eq"/></conds>']) await refused(xml);
    await refused(`<conds>${cond.repeat(10_000)}</conds>`);
    await refused(`${'<conds>'.repeat(10_000)}${cond}${'</conds>'.repeat(10_000)}`);
  });
});

describe('a hostile question', () => {
  it.each([['10,000 characters', 'a'.repeat(10_000)], ['a NUL', 'an\0n'], ['per cent', '%'.repeat(1_000)], ['stars', `a${'*'.repeat(10_000)}b`], ['brackets', '(|(cn=*))'], ['a surrogate', '\ud800']])('with %s finds nobody, in JSON', async (_what, name) => {
    for (const body of [searchGal({ name }), { AutoCompleteGalRequest: { _jsns: 'urn:zimbraAccount', name } }, { AutoCompleteRequest: { _jsns: 'urn:zimbraMail', name } }]) {
      const { status, Body } = await sendJson(sync, body);
      expect([status, JSON.stringify(Body).includes('email')]).toEqual([200, false]);
    }
  });

  it('about 100,000 people lets others run meanwhile', async () => {
    const addresses = Array.from({ length: 100_000 }, (_, index) => `user${(index * 7_919) % 100_000}@corp.example`);
    const crowd = await openGalFace(memoryDirectory(addresses.map((address) => entryOf(address))));
    let answer: JsonBody | undefined;
    const turns = await turnsDuring(async () => {
      answer = (await sendJson(crowd, searchGal({ name: '*', limit: 1_000, offset: 40_000 }))).Body;
    });
    expect(emails(answer!.SearchGalResponse)).toEqual([...addresses].sort().slice(40_000, 41_000));
    // 2,000 entries a turn, and the merging of 81,000 and 41,000.
    expect(turns).toBeGreaterThanOrEqual(100);
    const none = await turnsDuring(() => sendJson(crowd, { SearchCalendarResourcesRequest: { _jsns: 'urn:zimbraAccount', searchFilter: { cond: { attr: 'fullName', op: 'has', value: 'x' } } } }));
    expect(none).toBeGreaterThanOrEqual(50);
    await crowd.close();
  });
});
