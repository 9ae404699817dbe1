import { afterEach, describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { Resident } from '../../../src/freebusy/roster.ts';
import { escapeFilterValue, filterForAny } from '../../../src/protocols/zimbra-soap/search-directory.ts';
import { homeAgainst } from './home-under-test.ts';
import type { HomeUnderTest } from './home-under-test.ts';
import { AdminServer, accountId } from './zimbra-admin-server.ts';
import { envelope, fault } from './zimbra-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const never = new AbortController().signal;
const mailbox = (text: string): MailboxAddress => text as MailboxAddress;

async function rosterAgainst(prepare: (server: AdminServer) => void, options: Parameters<typeof homeAgainst>[1] = {}): Promise<HomeUnderTest & { readonly server: AdminServer }> {
  const server = await AdminServer.start();
  const made = homeAgainst(server.url, options);
  closers.push(() => server.close(), () => made.home.close());
  prepare(server);
  return { ...made, server };
}

async function everybody(home: HomeUnderTest['home']): Promise<readonly Resident[]> {
  const all: Resident[] = [];
  for await (const page of home.roster.all(never)) all.push(...page);
  return all;
}

const people = (server: AdminServer, count: number, domain = 'zimbra.example'): void => {
  for (let index = 0; index < count; index++) server.add({ id: accountId(index + (domain === 'zimbra.example' ? 0 : 50_000)), name: `u${index}@${domain}` });
};

describe('everybody who lives there', () => {
  it('is read page by page: people and resources of every configured domain, and the exact mailboxes beside them', async () => {
    const { home, server } = await rosterAgainst(
      (one) => {
        people(one, 1_203);
        people(one, 7, 'south.example');
        one.add({ id: accountId(90_001), name: 'guest@elsewhere.example', attributes: { zimbraForeignPrincipal: 'ad:guest' } }, { id: accountId(90_002), name: 'other@elsewhere.example' });
        one.add({ id: accountId(90_003), name: 'room@zimbra.example', isResource: true });
      },
      { domains: ['zimbra.example', 'south.example'], mailboxes: [mailbox('guest@elsewhere.example'), mailbox('u1@zimbra.example'), mailbox('gone@elsewhere.example')] },
    );
    const all = await everybody(home);
    expect(all).toHaveLength(1_203 + 7 + 1 + 1);
    expect(new Set(all.map((one) => one.mailbox)).size).toBe(all.length);
    expect(all).toContainEqual({ mailbox: 'guest@elsewhere.example', isSystem: false, foreignPrincipal: 'guest' });
    expect(all.map((one) => one.mailbox)).toContain('room@zimbra.example');
    expect(all.map((one) => one.mailbox)).not.toContain('other@elsewhere.example');
    const [first] = server.bodiesOf('SearchDirectoryRequest');
    expect(first).toContain('domain="zimbra.example"');
    expect(first).toContain('types="accounts,resources"');
    // The server's own default, 5,000, is a fault beyond it.
    expect(first).toContain('maxResults="0"');
  });

  it('misses nobody when accounts are deleted while the pages are read', async () => {
    const { home, server } = await rosterAgainst((one) => people(one, 1_200));
    const seen = new Set<string>();
    for await (const page of home.roster.all(never)) {
      for (const one of page) seen.add(one.mailbox);
      if (seen.size === 500) for (let index = 0; index < 40; index++) server.accounts.delete(accountId(index));
    }
    for (let index = 40; index < 1_200; index++) expect(seen.has(`u${index}@zimbra.example`)).toBe(true);
  });

  it('is nobody in a domain that the server does not have, and says so once', async () => {
    const { home, logged } = await rosterAgainst((one) => people(one, 3), { domains: ['no-such.example', 'zimbra.example'] });
    expect(await everybody(home)).toHaveLength(3);
    await everybody(home);
    expect(logged.filter(({ fields }) => fields.reason === 'no-such.example')).toHaveLength(1);
  });

  it.each([
    ['a page fails', { status: 503, body: '' }, 'BACKEND_BUSY'],
    ['too many are found', fault('account.TOO_MANY_SEARCH_RESULTS'), 'BACKEND_FAULT'],
    ['it is not permitted', fault('service.PERM_DENIED'), 'BACKEND_AUTH'],
    ['more is promised and nothing given', { body: envelope('<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="1" searchTotal="1200"/>') }, 'BACKEND_MALFORMED'],
    ['it is HTML', { body: '<html><p>' }, 'BACKEND_MALFORMED'],
  ])('is an error, never a shorter list, when %s', async (_name, answer, code) => {
    const { home, server } = await rosterAgainst((one) => people(one, 1_200));
    server.override = (operation, body) => (operation === 'SearchDirectoryRequest' && body.includes('offset="500"') ? answer : undefined);
    await expect(everybody(home)).rejects.toMatchObject({ code });
  });

  it('ends where a server pages for ever', async () => {
    const { home, server } = await rosterAgainst(() => undefined);
    server.override = (operation) =>
      operation === 'SearchDirectoryRequest'
        ? { body: envelope(`<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="1">${Array.from({ length: 500 }, (_, index) => `<account name="u${index}@zimbra.example" id="${accountId(index)}"/>`).join('')}</SearchDirectoryResponse>`) }
        : undefined;
    await expect(everybody(home)).rejects.toMatchObject({ code: 'BACKEND_MALFORMED' });
    expect(server.bodiesOf('SearchDirectoryRequest').length).toBeLessThan(20);
  });
});

describe('one who lives there', () => {
  const LEA = mailbox('lea@zimbra.example');
  const withLea = (server: AdminServer): void => server.add({ id: accountId(1), name: 'lea@zimbra.example', attributes: { zimbraForeignPrincipal: 'ad:lea.l', zimbraMailTransport: 'lmtp:m:7025' } });

  it('is found by address, with the foreign principal', async () => {
    const { home } = await rosterAgainst(withLea);
    expect(await home.roster.find(LEA, never)).toEqual({ mailbox: LEA, isSystem: false, foreignPrincipal: 'lea.l' });
    expect(await home.roster.find(mailbox('no@zimbra.example'), never)).toBeUndefined();
  });

  it('is asked for once however many want to know, and again after five minutes', async () => {
    const { home, server, clock } = await rosterAgainst(withLea);
    await Promise.all(Array.from({ length: 50 }, async () => home.roster.find(LEA, new AbortController().signal)));
    await home.roster.byId(accountId(1), never);
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(1);
    clock.at += 300_000;
    await home.roster.find(LEA, never);
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(2);
  });

  it('is an error where the server cannot be asked, not somebody who does not exist', async () => {
    const { home, server } = await rosterAgainst(withLea);
    server.override = (operation) => (operation === 'GetAccountRequest' ? fault('service.FAILURE', 'Receiver') : undefined);
    await expect(home.roster.find(LEA, never)).rejects.toMatchObject({ code: 'BACKEND_FAULT', temporary: true });
  });

  it('is looked for by SearchDirectory where GetAccount is not permitted', async () => {
    const { home, server } = await rosterAgainst(withLea);
    server.override = (operation) => (operation === 'GetAccountRequest' ? fault('service.PERM_DENIED') : undefined);
    expect(await home.roster.find(LEA, never)).toMatchObject({ mailbox: LEA });
    expect(await home.roster.find(mailbox('no@zimbra.example'), never)).toBeUndefined();
    expect(server.bodiesOf('SearchDirectoryRequest')[0]).toContain('(|(zimbraMailDeliveryAddress=lea@zimbra.example)(zimbraMailAlias=lea@zimbra.example))');
  });

  it('stops being waited for when the one who asks has no time left; the others still get their answer', async () => {
    const { home, server } = await rosterAgainst(withLea);
    await home.roster.byId(accountId(7), never);
    const hurried = new AbortController();
    const early = home.roster.find(LEA, hurried.signal);
    const patient = home.roster.find(LEA, never);
    hurried.abort();
    await expect(early).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(await patient).toMatchObject({ mailbox: LEA });
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(2);
  });
});

describe('a filter', () => {
  it('escapes what has a meaning in it (RFC 4515 §4: the examples)', () => {
    expect(escapeFilterValue('Parens R Us (for all your parenthetical needs)')).toBe('Parens R Us \\28for all your parenthetical needs\\29');
    expect(escapeFilterValue('*')).toBe('\\2a');
    expect(escapeFilterValue('C:\\MyFile')).toBe('C:\\5cMyFile');
    expect(escapeFilterValue('\0\0\0\u0004')).toBe('\\00\\00\\00\u0004');
    expect(filterForAny(['zimbraId'], ['x)(uid=*'])).toBe('(zimbraId=x\\29\\28uid=\\2a)');
  });
});
