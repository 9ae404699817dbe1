import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BridgeError } from '../../../../src/core/errors.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { KeptEntries, ldapSource } from './kept-entries.ts';
import { ber, entry, integer, message, octets, paged, rawServer, reference, result } from './raw-server.ts';
import type { RawServer, Request } from './raw-server.ts';

let server: RawServer | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
});

type Answer = (request: Request) => Buffer | readonly Buffer[] | undefined;

/** A server that lets everybody in and shows no root DSE; `search` answers what is asked after that. */
async function serving(search: Answer, bind: Answer = ({ id }) => message(id, result(0x61))): Promise<KeptEntries> {
  server = await rawServer((request) => {
    if (request.operation === 0x60) return bind(request);
    if (request.operation !== 0x63) return undefined;
    return request.nth === 0 ? message(request.id, result(0x65, 32)) : search({ ...request, nth: request.nth - 1 });
  });
  return new KeptEntries(ldapSource({ url: server.url, base: 'dc=x', bindDn: 'cn=a,dc=x', password: 'secret' }));
}

const failure = async (work: Promise<unknown>): Promise<BridgeError> => work.then(() => Promise.reject(new Error('it went well')), (error: BridgeError) => error);
const somebody = (name: string, more: Readonly<Record<string, readonly (string | Buffer)[]>> = {}): Buffer => entry(`cn=${name},dc=x`, { entryUUID: [`id-${name}`], cn: [name], mail: [`${name}@x.example`], modifyTimestamp: ['20261129120000Z'], ...more });

describe('a directory that is not what it should be', () => {
  it.each([
    ['the bind', LIMITS.ldapSignInMs, 1],
    ['a search', LIMITS.ldapAnswerMs, 3],
  ])('and never answers %s ends with its bound', async (_what, bound, asked) => {
    const book = await (asked === 1 ? serving(() => undefined, () => undefined) : serving(() => undefined));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let error: BridgeError | undefined;
    const reading = failure(book.read({ signal: new AbortController().signal })).then((thrown) => (error = thrown));
    while (server!.requests.length < asked) await new Promise(setImmediate);
    vi.advanceTimersByTime(bound - 1);
    await new Promise(setImmediate);
    expect(error).toBeUndefined();
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await reading;
    expect(error?.code).toBe('DEADLINE');
  });

  it.each([
    ['of 4 GB', [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], 'BACKEND_TOO_LARGE'],
    ['of 2 GB', [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], 'BACKEND_TOO_LARGE'],
    ['one octet beyond the bound', [0x30, 0x84, ...be32(LIMITS.ldapEntryBytes - 5)], 'BACKEND_TOO_LARGE'],
    ['of eight octets', [0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1], 'BACKEND_MALFORMED'],
    ['without an end', [0x30, 0x80, 0x02, 0x01, 0x01], 'BACKEND_MALFORMED'],
    ['of something that is no message', [0x31, 0x03, 0x02, 0x01, 0x01], 'BACKEND_MALFORMED'],
    ['of nothing', [0x30, 0x00], 'BACKEND_MALFORMED'],
  ])('with a length %s', async (_what, bytes, code) => {
    const book = await serving(() => Buffer.from(bytes));
    expect((await failure(book.read())).code).toBe(code);
  });

  it('that speaks HTTP', async () => {
    const book = await serving(() => undefined, () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect((await failure(book.read())).code).toBe('BACKEND_MALFORMED');
  });

  it('that closes in the middle of a message, of a page, or between two pages', async () => {
    const whole = message(4, somebody('a'));
    for (const said of [[whole.subarray(0, whole.length - 3)], [whole], [whole, message(4, result(0x65), paged('next'))]]) {
      let searches = 0;
      server = await rawServer(({ id, operation }, socket) => {
        if (operation === 0x60) return message(id, result(0x61));
        if (operation !== 0x63) return undefined;
        searches += 1;
        if (searches === 1) return message(id, result(0x65, 32));
        if (searches === 2) socket.write(Buffer.concat(said));
        if (searches === 3 || said.length < 2) socket.end();
        return undefined;
      });
      const book = new KeptEntries(ldapSource({ url: server.url, base: 'dc=x', bindDn: 'cn=a', password: 'p' }));
      expect(await failure(book.read())).toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
      await server.close();
    }
  });

  it.each([
    // In all of these ldapts 8.2 by itself would go round for ever or read past the end.
    ['a value longer than its entry', (id: number) => message(id, ber(0x64, octets('cn=a'), ber(0x30, ber(0x30, octets('cn'), ber(0x31, Buffer.from([0x04, 0x7f, 0x61]))))))],
    ['values longer than their attribute', (id: number) => message(id, ber(0x64, octets('cn=a'), ber(0x30, Buffer.from([0x30, 0x06, 0x04, 0x02, 0x63, 0x6e, 0x31, 0x20]))))],
    ['attributes that are no sequence', (id: number) => message(id, ber(0x64, octets('cn=a'), octets('abcdefgh')))],
    ['attributes that end within one', (id: number) => message(id, ber(0x64, octets('cn=a'), ber(0x30, Buffer.from([0x30]))))],
    ['a reference that ends within one', (id: number) => message(id, ber(0x73, Buffer.from([0x04, 0x7f, 0x61])))],
    ['controls that end within one', (id: number) => Buffer.concat([message(id, result(0x65), Buffer.from([0x30]))])],
    ['a cookie longer than its control', (id: number) => message(id, result(0x65), ber(0x30, octets('1.2.840.113556.1.4.319'), octets(Buffer.from([0x30, 0x7f, 0x02, 0x01, 0x00]))))],
    ['a result without a text', (id: number) => message(id, ber(0x65, integer(0, 0x0a), octets('')))],
    ['a number of ten octets', () => ber(0x30, ber(0x02, Buffer.alloc(10, 1)), result(0x65))],
    ['something behind its end', (id: number) => ber(0x30, integer(id), result(0x65), octets('more'))],
  ])('that sends %s', async (_what, bytes) => {
    const book = await serving(({ id }) => bytes(id));
    expect((await failure(book.read())).code).toBe('BACKEND_MALFORMED');
  });

  it('that gives one page after the other without anybody comes to an end', async () => {
    const book = await serving(({ id }) => message(id, result(0x65), paged('again')));
    expect((await failure(book.read())).code).toBe('BACKEND_TOO_LARGE');
    expect(server!.requests.length).toBeLessThan(LIMITS.ldapIdlePages + 10);
  });

  it('that sends one entry after the other and no result comes to an end', async () => {
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => message(4, entry('', {}))));
    const book = await serving(() => Array.from({ length: LIMITS.ldapAnswerEntries / 1_000 + 1 }, () => many));
    expect(await failure(book.read())).toMatchObject({ code: 'BACKEND_TOO_LARGE', details: { limit: 'ldapAnswerEntries' } });
  });

  it('that refers to another server', async () => {
    const book = await serving(({ id }) => message(id, ber(0x65, integer(10, 0x0a), octets(''), octets(''), ber(0xa3, octets('ldap://elsewhere/')))));
    expect(await failure(book.read())).toMatchObject({ code: 'BACKEND_REDIRECT' });
  });

  it.each([
    [49, '80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 533, v4563\u0000', 'BACKEND_AUTH', 'the account is disabled'],
    [49, '80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 775, v4563\u0000', 'BACKEND_AUTH', 'the account is locked'],
    [8, '00002028: LdapErr: DSID-0C09023E, comment: The server requires binds to turn on integrity checking', 'BACKEND_AUTH', 'use an ldaps:// url, or startTls'],
    [51, '', 'BACKEND_BUSY', 'try again later'],
    [200, '', 'BACKEND_FAULT', 'see the log of the directory'],
  ])('that refuses the bind with %i %s', async (status, text, code, advice) => {
    const book = await serving(() => undefined, ({ id }) => message(id, result(0x61, status, text)));
    const error = await failure(book.read());
    expect([error.code, error.details['advice'], error.details['status']]).toEqual([code, advice, status]);
    expect(JSON.stringify(error.details)).not.toContain('\\u0000');
  });

  it('and that speaks between STARTTLS and TLS is not believed', async () => {
    server = await rawServer(({ id, operation }) => (operation === 0x77 ? Buffer.concat([message(id, result(0x78)), message(2, result(0x61)).subarray(0, 5)]) : undefined));
    const book = new KeptEntries(ldapSource({ url: server.url, base: 'dc=x', startTls: true }));
    expect((await failure(book.read())).code).toBe('BACKEND_TLS');
    expect(server.requests.map(({ operation }) => operation)).toEqual([0x77]);
  });
});

describe('a directory that does as it may', () => {
  const done = (id: number, ...controls: readonly Buffer[]): Buffer => message(id, result(0x65), ...controls);

  it('gives an empty page with a cookie, as Active Directory does, and goes on', async () => {
    const book = await serving(({ id, nth }) => [
      [message(id, somebody('a')), done(id, paged('1'))],
      [done(id, paged('2'))],
      [message(id, somebody('b')), done(id, paged(''))],
    ][nth]);
    await book.read();
    expect(book.addresses).toEqual(['a@x.example', 'b@x.example']);
    expect(server!.requests.filter(({ operation }) => operation === 0x63).at(-1)!.bytes.includes(octets('2'))).toBe(true);
  });

  it('gives references to other servers, which nobody follows', async () => {
    const book = await serving(({ id }) => [message(id, reference('ldap://forest/dc=forest')), message(id, somebody('a')), message(id, reference('ldap://other/')), done(id)]);
    await book.read();
    expect(book.addresses).toEqual(['a@x.example']);
  });

  it('does not page: everybody comes at once, 10,000 in a few packets or octet by octet', async () => {
    const everybody = (id: number, count: number): Buffer => Buffer.concat([...Array.from({ length: count }, (_, index) => message(id, somebody(`p${index}`))), done(id)]);
    const book = await serving(({ id }) => everybody(id, 10_000));
    await book.read();
    expect(book.all).toHaveLength(10_000);
    await server!.close();
    const slow = await serving(({ id }) => [...everybody(id, 3)].map((octet) => Buffer.from([octet])));
    await slow.read();
    expect(slow.all).toHaveLength(3);
  });

  it('shows its root to nobody, and its entries to us', async () => {
    server = await rawServer(({ id, operation, bytes }) => {
      if (operation !== 0x63) return undefined;
      return bytes.includes('supportedCapabilities') ? message(id, result(0x65, 50, 'no')) : [message(id, somebody('a')), done(id)];
    });
    const book = new KeptEntries(ldapSource({ url: server.url, base: 'dc=x' }));
    await book.read();
    expect(book.addresses).toEqual(['a@x.example']);
  });

  it('has neither timestamps nor ids: everybody is read every time, by DN', async () => {
    const book = await serving(({ id }) => [message(id, entry('CN=A , DC=x', { mail: ['a@x.example'] })), done(id)]);
    expect(await book.read()).toEqual({ cursor: undefined, isWhole: true });
    expect(book.all).toEqual([{ id: 'cn=a,dc=x', ref: 'cn=a,dc=x', address: 'a@x.example', kind: 'person', isMailbox: true }]);
  });

  it('gives 1,500 members at a time: the others are fetched', async () => {
    const dns = (from: number, to: number): readonly string[] => Array.from({ length: to - from }, (_, index) => `CN=m${from + index},DC=x`);
    const book = await serving(({ id, bytes, nth }) => {
      if (nth === 0) return [message(id, somebody('g', { objectClass: ['group'], member: [], 'member;range=0-1499': dns(0, 1500) })), done(id)];
      if (bytes.includes('member;range=1500-*')) return [message(id, entry('cn=g,dc=x', { 'member;range=1500-2999': dns(1500, 3000) })), done(id)];
      if (bytes.includes('member;range=3000-*')) return [message(id, entry('cn=g,dc=x', { 'member;range=3000-*': dns(3000, 3100) })), done(id)];
      return undefined;
    });
    await book.read();
    expect(book.at('g@x.example')?.members).toEqual(dns(0, 3100).map((one) => one.toLowerCase()));
  });

  it('sends values that are no UTF-8: they are left out, the others count', async () => {
    const book = await serving(({ id }) => [message(id, somebody('a', { title: [Buffer.from([0xff, 0xfe])], displayName: [Buffer.from([0xc3, 0x28])], proxyAddresses: [Buffer.from([0xff]), 'SMTP:prime@x.example'] })), done(id)]);
    await book.read();
    expect(book.all).toMatchObject([{ address: 'prime@x.example', name: 'a', aliases: ['a@x.example'] }]);
    expect(book.all[0]).not.toHaveProperty('title');
  });

  it('an objectGUID is the same whatever its octets look like as text', async () => {
    const guids = ['efbbbf41424344454647484950515253', '41424344454647484950515253545556', 'ff00ff00ff00ff00ff00ff00ff00ff00'];
    const book = await serving(({ id }) => [...guids.map((hex, index) => message(id, entry(`cn=${index},dc=x`, { objectGUID: [Buffer.from(hex, 'hex')], mail: [`u${index}@x.example`] }))), done(id)]);
    await book.read();
    expect(book.all.map(({ id }) => id)).toEqual(['41bfbbef-4342-4544-4647-484950515253', '44434241-4645-4847-4950-515253545556', '00ff00ff-00ff-00ff-ff00-ff00ff00ff00']);
  });

  describe('and of which changes are asked for', () => {
    const AT = { now: '20261129120000Z', minuteAgo: '20261129115900Z', longAgo: '20200101000000Z' };
    const a = somebody('a', { modifyTimestamp: [AT.now] });
    const minuteOld = somebody('m', { modifyTimestamp: [AT.minuteAgo] });
    const old = somebody('b', { modifyTimestamp: [AT.longAgo] });
    const nameless = entry('cn=n,dc=x', { mail: ['n@x.example'], modifyTimestamp: [AT.now] });

    /** Reads once for each state: who is there, and who of them is found by a search for changes. Tells what was asked for, and who is kept then. */
    async function rounds(...states: readonly { readonly all: readonly Buffer[]; readonly changed: readonly Buffer[] }[]): Promise<readonly (readonly [asked: string, kept: string])[]> {
      let state = states[0]!;
      const asked: string[] = [];
      server = await rawServer(({ id, operation, bytes }) => {
        if (operation !== 0x63) return undefined;
        const what = bytes.includes('supportedCapabilities') ? 'root' : bytes.includes('20261129115') ? 'changes' : bytes.includes('givenName') ? 'everybody' : 'ids';
        if (what === 'root') return message(id, result(0x65, 32));
        asked.push(what);
        return [...(what === 'changes' ? state.changed : state.all).map((one) => message(id, one)), done(id)];
      });
      const book = new KeptEntries(ldapSource({ url: server.url, base: 'dc=x', clock: { now: () => Date.UTC(2026, 10, 29, 12, 0, 5) } }));
      const seen: (readonly [string, string])[] = [];
      for (state of states) {
        asked.length = 0;
        await book.read();
        seen.push([asked.join(' '), book.all.map(({ address }) => address[0]).join(' ')]);
      }
      return seen;
    }

    it('shows somebody who did not change, as by a filter with memberOf: everybody is read again', async () => {
      const [without, shown] = [{ all: [a], changed: [a] }, { all: [a, old], changed: [a] }];
      expect(await rounds(without, without, shown, shown, without)).toEqual([['everybody', 'a'], ['changes ids', 'a'], ['changes ids everybody', 'a b'], ['changes ids', 'a b'], ['changes ids', 'a']]);
    });

    it('was set back by a minute: everybody is read again', async () => {
      const back = { all: [minuteOld, old], changed: [minuteOld] };
      expect(await rounds({ all: [a, minuteOld, old], changed: [a, minuteOld] }, back, back)).toEqual([['everybody', 'a b m'], ['changes everybody', 'b m'], ['changes ids', 'b m']]);
    });

    it('has one from now on whose id does not last: everybody is read every time', async () => {
      const mixed = { all: [a, nameless], changed: [a, nameless] };
      expect(await rounds({ all: [a], changed: [a] }, mixed, mixed)).toEqual([['everybody', 'a'], ['changes everybody', 'a n'], ['everybody', 'a n']]);
    });

    it('has one from the future: what comes before that is seen all the same', async () => {
      const future = somebody('f', { modifyTimestamp: ['20990101000000Z'] });
      expect(await rounds({ all: [future, old], changed: [future] }, { all: [future, a, old], changed: [future, a] })).toEqual([['everybody', 'b f'], ['changes ids', 'a b f']]);
    });
  });

  it('gives two entries with one id: the first counts, the other is said', async () => {
    const book = await serving(({ id }) => [message(id, somebody('a')), message(id, entry('cn=b,dc=x', { entryUUID: ['id-a'], mail: ['b@x.example'] })), done(id)]);
    await book.read();
    expect(book.addresses).toEqual(['a@x.example']);
  });
});

function be32(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
