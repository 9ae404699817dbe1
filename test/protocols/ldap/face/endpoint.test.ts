import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Client } from 'ldapts';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import { LdapListener } from '../../../../src/protocols/ldap/endpoint.ts';
import { entryOf } from '../../../directory/memory-directory.ts';
import { PRESENT, RawClient, bindRequest, control, paged, request, searchRequest, tlv } from './raw-client.ts';
import { PASSWORD, PEOPLE, directoryOf, openFace } from './world.ts';
import type { FaceWorld } from './world.ts';

let world: FaceWorld | undefined;
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  await world?.listener.close(200);
  world = undefined;
});

async function open(...args: Parameters<typeof openFace>): Promise<FaceWorld> {
  world = await openFace(...args);
  return world;
}

async function rawClient(face: FaceWorld, boundAs?: string): Promise<RawClient> {
  const client = await RawClient.open(face.port);
  clients.push(client);
  if (boundAs === undefined) return client;
  client.say(request(1, bindRequest(`cn=${boundAs},dc=bridge`, PASSWORD)));
  expect(await client.until(1)).toMatchObject([{ id: 1, tag: 0x61, code: 0 }]);
  return client;
}

/** Message ids and result codes, in the order of the ids: answers to different requests may overtake each other. */
const byId = (messages: readonly { readonly id: number; readonly code: number }[]): readonly (readonly [number, number])[] => messages.map(({ id, code }) => [id, code] as const).sort(([a], [b]) => a - b);

const NOTICE = '1.3.6.1.4.1.1466.20036';
const begins = (attribute: string, text: string): Buffer => tlv(0xa4, tlv(4, attribute), tlv(0x30, tlv(0x80, text)));

describe('a bind', () => {
  it.each<[string, string, string, number]>([
    ['by the contract’s name', 'cn=zimbra,dc=bridge', PASSWORD, 0],
    ['by an escaped name', 'cn=CORP\\\\bridge,dc=bridge', PASSWORD, 0],
    ['by a name with a comma', 'CN=Lee\\, Kim,DC=Bridge', PASSWORD, 0],
    ['by a bare name', 'zimbra', PASSWORD, 0],
    ['by a mail address', 'peer@corp.example', PASSWORD, 0],
    ['of a client without right to the address book', 'cn=nogal,dc=bridge', PASSWORD, 0],
    ['with a wrong password', 'cn=zimbra,dc=bridge', 'wrong', 49],
    ['of nobody', 'cn=nobody,dc=bridge', PASSWORD, 49],
    ['under another base', 'cn=zimbra,dc=other', PASSWORD, 49],
    ['with a name that is none', 'cn=zimbra,,', PASSWORD, 49],
    ['without a password', 'cn=zimbra,dc=bridge', '', 53],
    ['of nobody in particular', '', '', 0],
    ['too often', 'cn=zimbra,dc=bridge', 'too often', 51],
  ])('%s', async (_what, name, password, code) => {
    const face = await open();
    const client = await rawClient(face);
    client.say(request(7, bindRequest(name, password)));
    expect(await client.until(1)).toMatchObject([{ id: 7, tag: 0x61, code }]);
    client.say(request(8, searchRequest('dc=bridge', 0, PRESENT)));
    const isIn = code === 0 && name !== '' && !name.includes('nogal');
    expect((await client.until(isIn ? 3 : 2)).at(-1)).toMatchObject({ id: 8, tag: 0x65, code: isIn ? 0 : 50 });
    expect(face.signIns).toHaveLength(password === '' ? 0 : 1);
    expect(JSON.stringify(face.lines)).not.toContain('secret');
  });

  it('by SASL, or of version 2, is refused, and leaves nobody bound', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    client.say(request(2, tlv(0x60, tlv(2, Buffer.of(3)), tlv(4, ''), tlv(0xa3, tlv(4, 'PLAIN'), tlv(4, 'x')))), request(3, searchRequest('dc=bridge', 2, PRESENT)));
    await client.until(3);
    client.say(request(4, bindRequest('cn=zimbra,dc=bridge', PASSWORD, 2)));
    expect((await client.until(4)).slice(1).map(({ id, code }) => [id, code])).toEqual([[2, 7], [3, 50], [4, 2]]);
  });

  it('is over before what comes behind it is answered', async () => {
    const face = await open();
    const client = await rawClient(face);
    client.say(request(1, bindRequest('zimbra', PASSWORD)), request(2, searchRequest('dc=bridge', 2, begins('cn', 'blue'), ['cn'])));
    expect((await client.until(3)).map(({ id, tag, code }) => [id, tag, code])).toEqual([[1, 0x61, 0], [2, 0x64, -1], [2, 0x65, 0]]);
  });
});

describe('without a bind', () => {
  it('the root DSE is all there is', async () => {
    const face = await open();
    const client = await rawClient(face);
    client.say(request(1, searchRequest('', 0, PRESENT, ['supportedControl', 'supportedExtension', 'namingContexts', 'supportedSASLMechanisms'])));
    const [entry, done] = await client.until(2);
    expect(entry!.text).toContain('1.2.840.113556.1.4.319');
    expect(entry!.text).toContain('dc=bridge');
    expect(entry!.text).not.toContain('supportedSASLMechanisms');
    expect(entry!.text).not.toContain('20037');
    expect(done).toMatchObject({ tag: 0x65, code: 0 });
    for (const [index, [base, scope]] of ([['', 1], ['', 2], ['dc=bridge', 0], ['dc=bridge', 2], ['cn=x', 0]] as const).entries()) client.say(request(10 + index, searchRequest(base, scope, PRESENT)));
    expect((await client.until(7)).slice(2).map(({ tag, code }) => [tag, code])).toEqual(Array.from({ length: 5 }, () => [0x65, 50]));
  });

  it('messages are small', async () => {
    const face = await open();
    const client = await rawClient(face);
    client.say(Buffer.from('308200', 'hex'), Buffer.of(0x10));
    client.say(request(1, searchRequest('', 0, tlv(0x87, 'x'.repeat(LIMITS.ldapMessageBytesBeforeBind)))));
    await client.closed;
    expect(client.messages().at(-1)!.text).toContain(NOTICE);
  });
});

describe('a search', () => {
  const ldapts = async (face: FaceWorld, username: string): Promise<Client> => {
    const client = new Client({ url: face.listener.url });
    await client.bind(`cn=${username},dc=bridge`, PASSWORD);
    return client;
  };

  it('shows everything that the contract names', async () => {
    const client = await ldapts(await open(), 'zimbra');
    const { searchEntries } = await client.search('dc=bridge', { scope: 'sub', filter: '(|(cn=mul*)(sn=mul*)(gn=mul*)(mail=mul*))', attributes: ['*', '+'] });
    // ldapts adds what was asked for and is not there as [].
    expect(searchEntries.map((entry) => Object.fromEntries(Object.entries(entry).filter(([, value]) => value.length > 0)))).toEqual([
      {
        dn: `uid=${PEOPLE[0]!.id},dc=bridge`,
        objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'user'],
        objectCategory: 'person',
        cn: 'Anna Müller',
        displayName: 'Anna Müller',
        givenName: 'Anna',
        sn: 'Müller',
        mail: 'anna@corp.example',
        proxyAddresses: ['SMTP:anna@corp.example', 'smtp:a.mueller@corp.example'],
        mailNickname: 'annam',
        uid: ['annam', PEOPLE[0]!.id],
        legacyExchangeDN: '/o=Corp/ou=First/cn=Recipients/cn=anna',
        title: 'Head, "Sales"',
        department: 'Sales',
        ou: 'Sales',
        company: 'Corp',
        o: 'Corp',
        telephoneNumber: '+49 30 1234-5',
        l: 'Berlin',
        co: 'DE',
        c: 'DE',
        whenChanged: '20261129120000Z',
        whenCreated: '20261101000000Z',
        modifyTimestamp: '20261129120000Z',
        createTimestamp: '20261101000000Z',
        entryUUID: '616e6e61-4063-6f72-702e-6578616d706c',
        entryDN: `uid=${PEOPLE[0]!.id},dc=bridge`,
        structuralObjectClass: 'inetOrgPerson',
        hasSubordinates: 'FALSE',
      },
    ]);
    await client.unbind();
  });

  it('shows what was asked for, under the name it was asked for', async () => {
    const client = await ldapts(await open(), 'zimbra');
    const shown = async (attributes: readonly string[], base = 'dc=bridge', filter = '(mail=blue*)'): Promise<unknown> => (await client.search(base, { filter, attributes: [...attributes] })).searchEntries.map(({ dn: _, ...rest }) => Object.fromEntries(Object.entries(rest).filter(([, value]) => value.length > 0)));
    expect(await shown(['GN', 'SURNAME', 'MAIL', 'nothing', 'userCertificate;binary', 'msexchresourcesearchproperties', 'msExchResourceCapacity'])).toEqual([{ surname: 'Blue Room', mail: 'blue@corp.example', msExchResourceSearchProperties: 'Room', msExchResourceCapacity: '8' }]);
    expect(await shown(['1.1'])).toEqual([{}]);
    expect(Object.keys((await shown(['+']) as [object])[0]).sort()).toEqual(['createTimestamp', 'entryDN', 'entryUUID', 'hasSubordinates', 'modifyTimestamp', 'structuralObjectClass']);
    expect(await shown(['member', 'objectClass'], '', '(cn=sales*)')).toEqual([{ member: [`uid=${PEOPLE[0]!.id},dc=bridge`, `uid=${PEOPLE[2]!.id},dc=bridge`], objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'group'] }]);
    await client.unbind();
  });

  it('has a base, one level and a tree, and nothing beside', async () => {
    const client = await ldapts(await open(), 'zimbra');
    const count = async (base: string, scope: 'base' | 'one' | 'sub', filter = '(objectClass=*)'): Promise<number> => (await client.search(base, { scope, filter, attributes: ['1.1'] })).searchEntries.length;
    const anna = `UID=${PEOPLE[0]!.id.toUpperCase()}, DC=Bridge`;
    expect(await Promise.all([count('dc=bridge', 'base'), count('DC=BRIDGE', 'one'), count('dc=bridge', 'sub'), count('', 'one'), count('', 'sub'), count(anna, 'base'), count(anna, 'one'), count(anna, 'sub'), count(anna, 'base', '(cn=bernd*)')])).toEqual([1, 8, 9, 1, 9, 1, 0, 1, 0]);
    await expect(count('dc=other', 'sub')).rejects.toMatchObject({ code: 32 });
    await expect(count('uid=nobody,dc=bridge', 'base')).rejects.toMatchObject({ code: 32 });
    await expect(count('bridge', 'sub')).rejects.toMatchObject({ code: 34 });
    await client.unbind();
  });

  it('asks the address book once for what somebody types, and looks through everybody only for what has no beginning', async () => {
    const asked: string[] = [];
    const client = await ldapts(await open({ directory: directoryOf(PEOPLE, { asked, results: 100 }) }), 'CORP\\5cbridge');
    const names = async (filter: string, sizeLimit = 0): Promise<unknown> => (await client.search('', { filter, sizeLimit, attributes: ['cn'] }).catch((error: { code: number }) => ({ searchEntries: [{ cn: error.code }] }))).searchEntries.map(({ cn }) => cn);
    expect(await names('(|(cn=ann*)(sn=ann*)(gn=ann*)(mail=ann*))')).toEqual(['Anna Müller', 'Bernd Annaberg']);
    expect(asked.splice(0)).toEqual(['ann']);
    expect(await names('(&(|(cn=ann*)(sn=ann*))(|(cn=ber*)(gn=ber*)))')).toEqual(['Bernd Annaberg']);
    expect(asked.splice(0)).toEqual(['ann ber']);
    expect(await names('(|(cn=*nab*)(mail=*nab*))')).toEqual(['Bernd Annaberg']);
    expect(asked.splice(0)).toEqual(['nab', 'all']);
    expect(await names('(foo=x)')).toEqual([]);
    expect(asked).toEqual([]);
    await client.unbind();
  });

  it('is cut at the client’s limit and at ours, and says so', async () => {
    const face = await open();
    const client = await rawClient(face, 'CORP\\5cbridge');
    client.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'), ['cn'])), request(3, searchRequest('', 2, tlv(0x87, 'cn'), ['cn'], 2)), request(4, searchRequest('', 2, tlv(0x87, 'cn'), ['cn'], 100)), request(5, searchRequest('', 2, begins('mail', 'b'), ['cn'], 2)), request(6, searchRequest('', 2, begins('mail', 'b'), ['cn'], 3)));
    const messages = (await client.until(19)).slice(1);
    const of = (id: number): readonly number[] => messages.filter((one) => one.id === id).map(({ code }) => code);
    expect([2, 3, 4, 5, 6].map(of)).toEqual([[-1, -1, -1, 4], [-1, -1, 4], [-1, -1, -1, 4], [-1, -1, 4], [-1, -1, -1, 0]]);
  });

  it('for less than a client has to type finds nobody', async () => {
    const face = await open({ directory: directoryOf(PEOPLE, { minimumLength: 3 }) });
    const client = await rawClient(face, 'CORP\\5cbridge');
    client.say(request(2, searchRequest('', 2, begins('cn', 'an'))), request(3, searchRequest('', 2, tlv(0x87, 'cn'))), request(4, searchRequest('', 2, begins('cn', 'ann'))), request(5, searchRequest('', 2, begins('cn', 'b'))));
    expect(byId(await client.until(6)).slice(1)).toEqual([[2, 0], [3, 0], [4, -1], [4, 0], [5, 0]]);
    const all = await rawClient(face, 'zimbra');
    all.say(request(2, searchRequest('', 2, begins('cn', 'an'))));
    expect((await all.until(3)).slice(1).map(({ code }) => code)).toEqual([-1, 0]);
  });

  it('that takes too long ends with what was found', async () => {
    let now = 0;
    const face = await open({ directory: directoryOf(Array.from({ length: 20_000 }, (_, index) => entryOf(`${String(index).padStart(5, '0')}@corp.example`, { id: String(index).padStart(32, '0') }))), clock: () => (now += 400) });
    const client = await rawClient(face, 'zimbra');
    client.say(request(2, searchRequest('', 2, tlv(0xa4, tlv(4, 'cn'), tlv(0x30, tlv(0x82, '4@corp.example'))), ['1.1'], 0, 1)));
    for (; client.messages().at(-1)?.tag !== 0x65; ) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(client.messages().at(-1)).toMatchObject({ id: 2, code: 3 });
    expect(client.messages().length).toBeGreaterThan(2);
    expect(client.messages().length).toBeLessThan(2_000);
  });

  it('that is abandoned is not answered', async () => {
    const face = await open({ directory: directoryOf(Array.from({ length: 30_000 }, (_, index) => entryOf(`${String(index).padStart(5, '0')}@corp.example`, { id: String(index).padStart(32, '0') }))) });
    const client = await rawClient(face, 'zimbra');
    client.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'), ['1.1'])), request(3, tlv(0x50, Buffer.of(2))), request(4, searchRequest('', 0, PRESENT, ['1.1'])));
    for (; !client.messages().some(({ id, tag }) => id === 4 && tag === 0x65); ) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.messages().filter(({ id, tag }) => id === 2 && tag === 0x65)).toEqual([]);
    expect(client.messages().filter(({ id }) => id === 2).length).toBeLessThan(30_000);
  });

  it('of everybody waits for a client that does not take it', async () => {
    const face = await open({ directory: directoryOf(Array.from({ length: 30_000 }, (_, index) => entryOf(`${String(index).padStart(5, '0')}@corp.example`, { id: String(index).padStart(32, '0') }))) });
    const client = await rawClient(face, 'zimbra');
    client.pause();
    const before = process.memoryUsage().external;
    client.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'))));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(process.memoryUsage().external - before).toBeLessThan(14_000_000);
    expect(face.lines.some(({ operation }) => operation === 'search')).toBe(false);
    client.resume();
    for (const end = Date.now() + 15_000; face.lines.at(-1)!.operation !== 'search' && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(face.lines.at(-1)).toMatchObject({ operation: 'search', status: 0, count: 30_000 });
  });
});

describe('paged results', () => {
  const cookieOf = (text: string): Buffer => Buffer.from(/([0-9a-f]{32})$/.exec(text)?.[1] ?? '', 'latin1');

  it('give everybody once, whatever changes between the pages', async () => {
    const people = [...PEOPLE];
    const face = await open({ directory: directoryOf(people) });
    const client = await rawClient(face, 'zimbra');
    const seen: string[] = [];
    let cookie: Buffer | undefined;
    for (let id = 2; cookie === undefined || cookie.length > 0; id++) {
      client.say(request(id, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(3, cookie ?? '')));
      const before = client.messages().length;
      for (; client.messages().at(-1)?.tag !== 0x65 || client.messages().at(-1)?.id !== id; ) await new Promise((resolve) => setTimeout(resolve, 2));
      const page = client.messages().slice(before === client.messages().length ? 0 : before);
      cookie = cookieOf(page.at(-1)!.text);
      seen.push(...client.messages().filter((one) => one.id === id && one.tag === 0x64).map(({ text }) => /[\w.]+@[\w.]+/.exec(text)![0]));
      // Somebody goes, somebody comes to the front, somebody is renamed, all change places.
      if (id === 2) people.splice(0, people.length, entryOf('new@corp.example', { name: 'New' }), ...people.filter(({ address }) => address !== 'blue@corp.example').map((one) => ({ ...one, name: `${one.name} 2` })).reverse());
    }
    expect(seen).toEqual(['anna', 'bernd', 'kim', 'wang', 'beamer', 'sales', 'out'].map((name) => PEOPLE.find(({ address }) => address.startsWith(`${name}@`))!.address));
  });

  it('are for one question of one connection, each cookie once', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    client.say(request(2, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1)));
    const cookie = cookieOf((await client.until(3)).at(-1)!.text);
    expect(cookie).toHaveLength(32);
    const other = await rawClient(face, 'zimbra');
    other.say(request(2, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1, cookie)));
    expect((await other.until(2)).at(-1)).toMatchObject({ code: 53 });
    client.say(request(3, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1, cookie)), request(4, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1, cookie)), request(5, searchRequest('dc=bridge', 1, PRESENT), paged(1, 'x'.repeat(100))));
    const messages = await client.until(7);
    expect(byId(messages).slice(3)).toEqual([[3, -1], [3, 0], [4, 53], [5, 53]]);
    client.say(request(6, searchRequest('dc=bridge', 1, PRESENT, ['cn']), paged(1, cookieOf(messages.find(({ id, code }) => id === 3 && code === 0)!.text))));
    expect((await client.until(8)).at(-1)).toMatchObject({ id: 6, code: 53 });
  });

  it('a page of nothing ends them, and no more than four are kept', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    const cookies: Buffer[] = [];
    for (let id = 2; id < 7; id++) {
      client.say(request(id, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1)));
      cookies.push(cookieOf((await client.until(1 + (id - 1) * 2)).at(-1)!.text));
    }
    client.say(request(7, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1, cookies[0])), request(8, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(0, cookies[4])), request(9, searchRequest('dc=bridge', 1, PRESENT, ['mail']), paged(1, cookies[4])));
    expect((await client.until(14)).slice(11).map(({ id, code }) => [id, code])).toEqual([[7, 53], [8, 0], [9, 53]]);
  });

  it('cost a client that may only search one question for each page at most, and last a minute', async () => {
    let now = 1_000_000;
    const counted: string[] = [];
    const directory = directoryOf(PEOPLE, { asked: counted });
    const face = await open({ clock: () => now, directory: { ...directory, byId: (id, requester) => (counted.push('byId'), directory.byId(id, requester)) } });
    const client = await rawClient(face, 'CORP\\5cbridge');
    client.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'), ['mail']), paged(1)));
    client.say(request(3, searchRequest('', 2, tlv(0x87, 'cn'), ['mail']), paged(1, cookieOf((await client.until(3)).at(-1)!.text))));
    const second = (await client.until(5)).at(-1)!;
    expect(counted).toEqual(['all']);
    now += 60_000;
    client.say(request(4, searchRequest('', 2, tlv(0x87, 'cn'), ['mail']), paged(1, cookieOf(second.text))));
    expect((await client.until(6)).at(-1)).toMatchObject({ id: 4, code: 53 });
  });

  it('are cut where an answer would be, over all pages', async () => {
    const face = await open();
    const client = await rawClient(face, 'CORP\\5cbridge');
    client.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'), ['mail']), paged(2)));
    const cookie = cookieOf((await client.until(4)).at(-1)!.text);
    client.say(request(3, searchRequest('', 2, tlv(0x87, 'cn'), ['mail']), paged(2, cookie)));
    expect((await client.until(6)).slice(4).map(({ code }) => code)).toEqual([-1, 4]);
  });
});

describe('other requests', () => {
  it('change nothing, and what is not known is refused in its own form', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    const anna = `uid=${PEOPLE[0]!.id},dc=bridge`;
    const compare = (attribute: string, value: string, dn = anna): Buffer => tlv(0x6e, tlv(4, dn), tlv(0x30, tlv(4, attribute), tlv(4, value)));
    const requests: readonly (readonly [Buffer, tag: number, code: number])[] = [
      [tlv(0x66, tlv(4, anna), tlv(0x30)), 0x67, 53],
      [tlv(0x68, tlv(4, anna), tlv(0x30)), 0x69, 53],
      [tlv(0x4a, anna), 0x6b, 53],
      [tlv(0x6c, tlv(4, anna), tlv(4, 'cn=x'), tlv(1, Buffer.of(0))), 0x6d, 53],
      [compare('sn', 'MULLER'), 0x6f, 6],
      [compare('sn', 'Lee'), 0x6f, 5],
      [compare('foo', 'x'), 0x6f, 17],
      [compare('fax', 'x'), 0x6f, 16],
      [compare('sn', 'x', 'cn=x'), 0x6f, 32],
      [tlv(0x77, tlv(0x80, '1.2.3')), 0x78, 2],
      [tlv(0x77, tlv(0x80, '1.3.6.1.4.1.1466.20037')), 0x78, 2],
      [tlv(0x77, tlv(0x80, '1.3.6.1.4.1.4203.1.11.3')), 0x78, 0],
    ];
    for (const [index, [operation]] of requests.entries()) client.say(request(2 + index, operation));
    const messages = (await client.until(1 + requests.length)).slice(1);
    expect(messages.map(({ tag, code }) => [tag, code])).toEqual(requests.map(([, tag, code]) => [tag, code]));
    expect(messages.at(-1)!.text).toContain('dn:cn=zimbra,dc=bridge');
  });

  it('a critical control that is not known is refused, another one ignored', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    const sort = '1.2.840.113556.1.4.473';
    client.say(request(2, searchRequest('dc=bridge', 0, PRESENT), control(sort, true)), request(3, searchRequest('dc=bridge', 0, PRESENT), control(sort, false)), request(4, searchRequest('dc=bridge', 0, PRESENT), control('2.16.840.1.113730.3.4.2', true)));
    await client.until(6);
    client.say(request(5, bindRequest('zimbra', PASSWORD), control(sort, true)));
    expect(byId(await client.until(7)).slice(1)).toEqual([[2, 12], [3, -1], [3, 0], [4, -1], [4, 0], [5, 12]]);
  });

  it('an unbind ends the connection without a word', async () => {
    const client = await rawClient(await open(), 'zimbra');
    client.say(request(2, tlv(0x42)));
    await client.closed;
    expect(client.messages()).toHaveLength(1);
  });
});

describe('a stranger', () => {
  it.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['four gigabytes', Buffer.from('3084ffffffff0201', 'hex')],
    ['an indefinite length', Buffer.from('3080020101', 'hex')],
    ['message 0', request(0, tlv(0x42))],
    ['no such operation', request(1, tlv(0x7e))],
    ['a response', request(1, tlv(0x65, tlv(0x0a, Buffer.of(0)), tlv(4), tlv(4)))],
    ['an empty message', Buffer.from('3000', 'hex')],
  ])('%s is told that it is over', async (_what, bytes) => {
    const face = await open();
    const client = await rawClient(face);
    client.say(bytes);
    await client.closed;
    expect(client.messages()).toMatchObject([{ id: 0, tag: 0x78, code: 2 }]);
    expect(client.messages()[0]!.text).toContain(NOTICE);
    expect(face.lines).toMatchObject([{ face: 'ldap', message: 'a connection was ended' }]);
  });

  it('a filter 10,000 deep is a protocol error, and the connection lives on', async () => {
    const face = await open();
    const client = await rawClient(face, 'zimbra');
    let layers = tlv(0x87, 'cn');
    for (let depth = 0; depth < 10_000; depth++) layers = tlv(0xa2, layers);
    client.say(request(2, searchRequest('', 2, layers)), request(3, searchRequest('dc=bridge', 0, PRESENT, ['1.1'])));
    expect(byId(await client.until(4)).slice(1)).toEqual([[2, 2], [3, -1], [3, 0]]);
  });

  it('random octets, and honest messages with an octet changed, never stop it', async () => {
    const face = await open();
    const folder = new URL('../../../../fixtures/ldap/search-request/', import.meta.url);
    const honest = readdirSync(folder).map((name) => readFileSync(new URL(`${name}/message`, folder)));
    const mutated = fc.tuple(fc.constantFrom(...honest), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean()).map(([message, at, octet, isCut]) => {
      const copy = Buffer.from(message);
      copy[at % copy.length] = octet;
      return isCut ? copy.subarray(0, at % copy.length) : copy;
    });
    const junk = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const enveloped = fc.uint8Array({ maxLength: 100 }).map((bytes) => tlv(0x30, tlv(2, Buffer.of(9)), Buffer.from(bytes)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, junk, enveloped), async (bytes) => {
        const client = await RawClient.open(face.port);
        client.say(request(1, bindRequest('zimbra', PASSWORD)), bytes, request(77, searchRequest('', 0, PRESENT, ['1.1'])));
        for (let turn = 0; turn < 100 && client.messages().length < 2; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
        client.end();
        expect(client.messages()[0]).toMatchObject({ id: 1, code: 0 });
      }),
      { numRuns: 150 },
    );
    expect(face.lines.filter(({ code }) => code === 'INTERNAL')).toEqual([]);
    const after = await rawClient(face, 'zimbra');
    after.say(request(2, searchRequest('dc=bridge', 0, PRESENT, ['1.1'])));
    expect((await after.until(3)).at(-1)).toMatchObject({ code: 0 });
  });
});

describe('a bridge that has too much to do', () => {
  it('is busy (51) to a bind, a search and a comparison, asks nobody, and goes on when it has less; what is done is counted out', async () => {
    let state: 'full' | 'late' | undefined = 'late';
    let inside = 0;
    let entered = 0;
    const face = await open({
      enter: () => {
        if (state !== undefined) return state;
        inside += 1;
        entered += 1;
        return () => void (inside -= 1);
      },
    });
    const client = await rawClient(face);
    const compare = tlv(0x6e, tlv(4, 'dc=bridge'), tlv(0x30, tlv(4, 'dc'), tlv(4, 'bridge')));
    client.say(request(1, bindRequest('zimbra', PASSWORD)), request(2, searchRequest('dc=bridge', 2, PRESENT)));
    expect((await client.until(2)).map(({ id, code }) => [id, code])).toEqual([[1, 51], [2, 51]]);
    expect(face.signIns).toEqual([]);
    state = undefined;
    client.say(request(3, bindRequest('zimbra', PASSWORD)), request(4, searchRequest('dc=bridge', 0, PRESENT)));
    expect((await client.until(5)).slice(2).map(({ id, code }) => [id, code])).toEqual([[3, 0], [4, -1], [4, 0]]);
    state = 'full';
    client.say(request(5, compare));
    expect((await client.until(6)).at(-1)).toMatchObject({ id: 5, code: 51 });
    expect([entered, inside]).toEqual([2, 0]);
    expect(face.lines.filter(({ code }) => code === 'BACKEND_BUSY')).toHaveLength(3);
  });
});

describe('a listener', () => {
  it('says why it cannot open', async () => {
    const face = await open();
    await expect(LdapListener.open({ host: '127.0.0.1', port: face.port }, undefined, face.services)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(LdapListener.open({ host: '127.0.0.1', port: 0 }, undefined, { ...face.services, base: 'bridge' })).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(LdapListener.open({ host: '127.0.0.1', port: 0 }, { implicit: true, certificate: 'x', key: 'y' }, face.services)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('swaps what answers: whoever has bound has to connect again, with a notice', async () => {
    const face = await open();
    const [bound, stranger] = [await rawClient(face, 'zimbra'), await rawClient(face)];
    face.listener.setServices({ ...face.services, directory: directoryOf([]) });
    await bound.closed;
    expect(bound.messages().at(-1)).toMatchObject({ id: 0, tag: 0x78, code: 52 });
    stranger.say(request(1, bindRequest('zimbra', PASSWORD)), request(2, searchRequest('dc=bridge', 1, PRESENT)));
    expect((await stranger.until(2)).map(({ code }) => code)).toEqual([0, 0]);
  });

  it('holds so many connections of one address, and takes others when they are gone', async () => {
    const face = await open();
    const many = await Promise.all(Array.from({ length: LIMITS.ldapConnectionsPerAddress }, () => rawClient(face, 'zimbra')));
    const refused = await RawClient.open(face.port);
    await refused.closed;
    expect(face.lines.filter(({ message }) => message !== 'request')).toMatchObject([{ message: 'connections are refused' }]);
    many[0]!.end();
    await many[0]!.closed;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rawClient(face, 'zimbra');
  });

  it('gives up the oldest of those that never signed in: whoever sits on all of them keeps nobody out', async () => {
    const face = await open();
    const served = await rawClient(face, 'zimbra');
    const idle = await Promise.all(Array.from({ length: LIMITS.ldapConnectionsPerAddress - 1 }, () => rawClient(face)));
    const late = await rawClient(face, 'zimbra');
    await Promise.race(idle.map(({ closed }) => closed));
    late.say(request(2, searchRequest('', 0, PRESENT)));
    served.say(request(2, searchRequest('', 0, PRESENT)));
    for (const client of [late, served]) expect((await client.until(3)).map(({ code }) => code)).toEqual([0, -1, 0]);
    expect(face.lines.filter(({ message }) => message !== 'request')).toEqual([]);
  });

  it('lets what is under way end before it closes', async () => {
    const face = await open({ directory: directoryOf(Array.from({ length: 5_000 }, (_, index) => entryOf(`${String(index).padStart(5, '0')}@corp.example`, { id: String(index).padStart(32, '0') }))) });
    const [busy, idle] = [await rawClient(face, 'zimbra'), await rawClient(face)];
    busy.say(request(2, searchRequest('', 2, tlv(0x87, 'cn'), ['cn'])));
    await busy.until(2);
    await face.listener.close(5_000);
    world = undefined;
    expect(busy.messages().filter(({ tag }) => tag === 0x64)).toHaveLength(5_000);
    expect(busy.messages().at(-1)).toMatchObject({ tag: 0x78, code: 52 });
    expect(idle.messages().at(-1)).toMatchObject({ tag: 0x78, code: 52 });
  });
});
