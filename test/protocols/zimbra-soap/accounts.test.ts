import { afterEach, describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { Resident } from '../../../src/freebusy/roster.ts';
import { escapeFilterValue, filterForAny } from '../../../src/protocols/zimbra-soap/search-directory.ts';
import { KnownAccounts } from '../../../src/protocols/zimbra-soap/known-accounts.ts';
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

  it('misses nobody when accounts are deleted before the last page is read', async () => {
    const { home, server } = await rosterAgainst((one) => people(one, 1_000));
    const seen = new Set<string>();
    for await (const page of home.roster.all(never)) {
      if (seen.size === 0) for (let index = 0; index < 40; index++) server.accounts.delete(accountId(index));
      for (const one of page) seen.add(one.mailbox);
    }
    expect(seen.size).toBe(1_000);
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
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(1);
    clock.at += 300_000;
    await home.roster.find(LEA, never);
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(2);
  });

  it('is asked for at once by who will not have what was heard a while ago, and everybody else believes the new answer, also that there is nobody', async () => {
    const { home, server } = await rosterAgainst(withLea);
    await home.roster.find(LEA, never);
    server.accounts.delete(accountId(1));
    expect(await home.roster.find(LEA, never)).toBeDefined();
    expect(await home.roster.find(LEA, never, { fresh: true })).toBeUndefined();
    expect(await home.roster.find(LEA, never)).toBeUndefined();
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
    await home.roster.find(mailbox('no@zimbra.example'), never);
    const hurried = new AbortController();
    const early = home.roster.find(LEA, hurried.signal);
    const patient = home.roster.find(LEA, never);
    hurried.abort();
    await expect(early).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(await patient).toMatchObject({ mailbox: LEA });
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(2);
  });
});

describe('who is nobody in particular', () => {
  it.each([
    // As zmsetup.pl made them (`RandomPassword -l 8 10`, in lower case), from logs of installations that their owners published.
    ['spam.qkaikzzo', true],
    ['ham.ngphx8up', true],
    ['virus-quarantine.lzab8c2m_', true],
    ['galsync.yryjyuviw0', true],
    ['galsync', true],
    ['galsync-2', true],
    ['ham.jiyoon', false],
    ['spam.filter', false],
    ['ham.van.den.berg', false],
    ['galsyncer', false],
    ['graham.ngphx8up', false],
  ])('goes by the names that Zimbra gives, and by nothing like them: %s', async (name, isSystem) => {
    const { home } = await rosterAgainst((one) => one.add({ id: accountId(1), name: `${name}@zimbra.example` }));
    expect(await home.roster.find(mailbox(`${name}@zimbra.example`), never)).toMatchObject({ isSystem });
  });

  it('has no foreign principal: who has one is a person, whatever the name', async () => {
    const { home } = await rosterAgainst((one) => one.add({ id: accountId(1), name: 'spam.reporter@zimbra.example', attributes: { zimbraForeignPrincipal: 'ad:spam.reporter' } }));
    expect(await home.roster.find(mailbox('spam.reporter@zimbra.example'), never)).toMatchObject({ isSystem: false, foreignPrincipal: 'spam.reporter' });
  });
});

describe('whom changed ids are about', () => {
  const named = async ({ home }: HomeUnderTest, ids: readonly string[], between: () => Promise<unknown> = async () => undefined): Promise<{ readonly ids: string[]; readonly mailboxes: MailboxAddress[]; readonly error?: unknown }> => {
    const heard = { ids: [] as string[], mailboxes: [] as MailboxAddress[] };
    try {
      for await (const piece of home.roster.named(new Set(ids), never)) {
        heard.ids.push(...piece.ids);
        heard.mailboxes.push(...piece.mailboxes);
        await between();
      }
    } catch (error) {
      return { ...heard, error };
    }
    return heard;
  };

  it('is told even of those whom a pass over everybody pushes out of memory meanwhile', async () => {
    const made = await rosterAgainst((one) => people(one, 2_500));
    await everybody(made.home);
    const ids = [...made.server.accounts.keys()];
    const others = (offset: number): string => Array.from({ length: 500 }, (_, index) => `<account name="o${offset + index}@zimbra.example" id="${accountId(100_000 + offset + index)}"/>`).join('');
    made.server.override = (operation, body) => {
      const offset = Number(/ offset="(\d+)"/.exec(body)?.[1]);
      return operation === 'SearchDirectoryRequest' && made.server.accounts.size === 0
        ? { body: envelope(`<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="${offset < 50_000 ? 1 : 0}" searchTotal="50500">${others(offset)}</SearchDirectoryResponse>`) }
        : undefined;
    };
    const kept = [...made.server.accounts.values()];
    let isFirst = true;
    const heard = await named(made, ids, async () => {
      if (!isFirst) return;
      isFirst = false;
      made.server.accounts.clear();
      await everybody(made.home);
      made.server.add(...kept);
    });
    expect(heard.error).toBeUndefined();
    expect(heard.ids).toHaveLength(2_500);
    expect(new Set(heard.mailboxes).size).toBe(2_500);
  }, 60_000);

  it.each([
    ['a few', 7, 'GetAccountRequest'],
    ['hundreds', 240, 'SearchDirectoryRequest'],
  ])('is told of all others where some of %s cannot be shown', async (_name, count, operation) => {
    const made = await rosterAgainst((one) => people(one, count));
    const isBad = (body: string): boolean => body.includes(accountId(2)) || body.includes(accountId(3));
    made.server.override = (name, body) => ((name === 'GetAccountRequest' || name === 'SearchDirectoryRequest') && isBad(body) ? fault('service.FAILURE', 'Receiver') : undefined);
    const heard = await named(made, [...made.server.accounts.keys()]);
    expect(heard.error).toMatchObject({ code: 'BACKEND_FAULT' });
    expect(heard.ids).toHaveLength(count - 2);
    expect(heard.mailboxes).toHaveLength(count - 2);
    expect(made.server.operations).toContain(operation);
  });

  it('asks no hundreds of single questions of a server that can show nobody', async () => {
    const made = await rosterAgainst((one) => people(one, 1_000));
    made.server.override = (operation) => (operation === 'AuthRequest' ? undefined : fault('service.FAILURE', 'Receiver'));
    expect(await named(made, [...made.server.accounts.keys()])).toMatchObject({ ids: [], error: { code: 'BACKEND_FAULT' } });
    expect(made.server.bodiesOf('GetAccountRequest').length).toBeLessThanOrEqual(12);
  });

  it('takes what cannot be found any more out of what is believed, whichever way it was asked for', async () => {
    const made = await rosterAgainst((one) => people(one, 20));
    await everybody(made.home);
    made.server.accounts.delete(accountId(1));
    made.server.accounts.delete(accountId(2));
    expect((await named(made, [accountId(1)])).mailboxes).toEqual(['u1@zimbra.example']);
    expect(await made.home.roster.find(mailbox('u1@zimbra.example'), never)).toBeUndefined();
    expect((await named(made, Array.from({ length: 20 }, (_, index) => accountId(index)))).mailboxes).toContain('u2@zimbra.example');
    expect(made.server.bodiesOf('SearchDirectoryRequest').at(-1)).toContain('zimbraId=');
    expect(await made.home.roster.find(mailbox('u2@zimbra.example'), never)).toBeUndefined();
  });
});

describe('an address', () => {
  it('that passed from one account to another stays with its new owner when the old one comes by', () => {
    const known = new KnownAccounts({ now: () => 0 });
    const x = mailbox('office@zimbra.example');
    known.keep({ id: 'a', mailbox: x, isSystem: false });
    known.keep({ id: 'b', mailbox: x, isSystem: false });
    known.keep({ id: 'a', mailbox: mailbox('retired@zimbra.example'), isSystem: false });
    expect(known.currentBy(x)?.id).toBe('b');
    expect(known.addresses('a')).toEqual(['retired@zimbra.example', 'office@zimbra.example']);
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
