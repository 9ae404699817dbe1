import { afterEach, describe, expect, it } from 'vitest';
import { attribute, child, childrenNamed, childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import type { Signal, Zimbra } from '../../src/sandbox/zimbra.ts';

const ENTRY = { start: 1794992400000, end: 1794997800000, type: 'busy' } as const;
const A = 'xmlns="urn:zimbraAdmin"';

let server: Zimbra;
let calendars: CalendarStore;
let token: string;
afterEach(() => server.close());

async function start(): Promise<void> {
  calendars = createCalendarStore(['kim', 'lee', 'mia', 'galsync'].map((name) => ({ address: `${name}@zimbra.example`, displayName: name })));
  calendars.addMailbox({ address: 'noa@other.example', displayName: 'Noa' });
  calendars.add('mia@zimbra.example', ENTRY);
  server = createZimbra({
    username: 'svc@zimbra.example', password: 's3', admin: { username: 'admin@zimbra.example', password: 'a9' }, calendars, clock: { now: () => ENTRY.start },
    detailsOf: (address) => (address.startsWith('galsync') ? { isSystem: true } : address.startsWith('mia') ? { foreignPrincipal: 'ad:mia', deniesFreeBusy: true } : { foreignPrincipal: `ad:${address.slice(0, 3)}` }),
  });
  await server.listen();
  token = childText(await admin(AUTH('admin@zimbra.example', 'a9'), ''), 'authToken')!;
}

const AUTH = (name: string, password: string): string => `<AuthRequest ${A}><name>${name}</name><password>${password}</password></AuthRequest>`;

async function soap(path: string, operation: string, withToken: string, signal?: AbortSignal): Promise<XmlElement> {
  const header = withToken === '' ? '' : `<soap:Header><context xmlns="urn:zimbra"><authToken>${withToken}</authToken></context></soap:Header>`;
  const body = `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">${header}<soap:Body>${operation}</soap:Body></soap:Envelope>`;
  // Its own connection each: one that is kept would be found broken after a restart.
  const answer = await fetch(server.url + path, { method: 'POST', body, headers: { Connection: 'close' }, ...(signal === undefined ? {} : { signal }) });
  const found = child(await readXml(await answer.text()), 'Body')!.children[0]!;
  expect(answer.status).toBe(found.name === 'Fault' ? 500 : 200);
  return found;
}

const admin = (operation: string, withToken = token, signal?: AbortSignal): Promise<XmlElement> => soap('/service/admin/soap/', operation, withToken, signal);
const user = async (): Promise<string> => childText(await soap('/service/soap/', '<AuthRequest xmlns="urn:zimbraAccount"><account by="name">svc@zimbra.example</account><password>s3</password></AuthRequest>', ''), 'authToken')!;
const fault = (found: XmlElement): string | undefined => childText(descend(found, 'Detail', 'Error'), 'Code');
const create = async (attributes = 'defTypes="a" allAccounts="1"'): Promise<string> => attribute(await admin(`<AdminCreateWaitSetRequest ${A} ${attributes}/>`), 'waitSet')!;
const poll = (waitSet: string, seq: string, rest = 'defTypes="a" block="1" timeout="5"', signal?: AbortSignal): Promise<XmlElement> => admin(`<AdminWaitSetRequest ${A} waitSet="${waitSet}" seq="${seq}" ${rest}/>`, token, signal);
/** Addresses that an answer names. */
const named = (answer: XmlElement): readonly (string | undefined)[] => childrenNamed(answer, 'a').map((one) => server.accounts.byId(attribute(one, 'id')!)?.address);
const seqOf = (answer: XmlElement): string => attribute(answer, 'seq')!;
const NOW = 'defTypes="a" block="0"';
/** Until the stand-in has a request that waits: it has read it when a second connection has been answered. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await admin(`<GetAllServersRequest ${A}/>`);
};

describe('signing in as administrator', () => {
  it('takes its own account only, and tells a wrong name from a wrong password', async () => {
    await start();
    expect(fault(await admin(AUTH('admin@zimbra.example', 's3'), ''))).toBe('account.AUTH_FAILED');
    expect(fault(await admin(AUTH('svc@zimbra.example', 's3'), ''))).toBe('service.PERM_DENIED');
    expect(fault(await admin(`<AuthRequest ${A}/>`, ''))).toBe('service.INVALID_REQUEST');
    expect(fault(await admin(`<GetAllServersRequest ${A}/>`, ''))).toBe('service.AUTH_REQUIRED');
    expect(fault(await admin(`<GetAllServersRequest ${A}/>`, 'rubbish'))).toBe('service.AUTH_REQUIRED');
    expect(fault(await admin(`<GetAllServersRequest ${A}/>`, await user()))).toBe('service.PERM_DENIED');
    expect(fault(await admin(`<DeleteAccountRequest ${A}/>`))).toBe('service.UNKNOWN_DOCUMENT');
    expect(fault(await admin(`<constructor ${A}/>`))).toBe('service.UNKNOWN_DOCUMENT');
    expect(fault(await admin('<GetAllServersRequest xmlns="urn:zimbraMail"/>'))).toBe('service.UNKNOWN_DOCUMENT');
    server.revokeTokens();
    expect(fault(await admin(`<GetAllServersRequest ${A}/>`))).toBe('service.AUTH_EXPIRED');
  });

  it('shows the administrator on the user’s side what a user denies', async () => {
    await start();
    const ask = `<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${ENTRY.start}" e="${ENTRY.end}" uid="mia@zimbra.example"/>`;
    const slots = async (withToken: string): Promise<readonly string[]> => child(await soap('/service/soap/', ask, withToken), 'usr')!.children.map((one) => one.name);
    expect(await slots(await user())).toEqual(['n']);
    expect(await slots(token)).toEqual(['b']);
    const byId = ask.replace('uid="mia@zimbra.example"', `id="${server.accounts.byAddress('kim@zimbra.example')!.id}"`);
    expect(child(await soap('/service/soap/', byId, await user()), 'usr')!.children.map((one) => one.name)).toEqual(['f']);
  });
});

describe('WaitSets over all accounts', () => {
  it('wake a waiting request with the account that changed, and wait again with the new seq', async () => {
    await start();
    const signals: Signal[] = [];
    server.onSignal((signal) => signals.push(signal));
    const waitSet = await create();
    expect(waitSet).toMatch(/^AllWaitSet-/);
    const waiting = poll(waitSet, '0');
    await settle();
    const added = calendars.add('kim@zimbra.example', ENTRY);
    const first = await waiting;
    expect(named(first)).toEqual(['kim@zimbra.example']);
    expect(attribute(child(first, 'a'), 'changeid')).toMatch(/^\d+$/);
    expect(signals).toEqual([{ address: 'kim@zimbra.example', accountId: server.accounts.byAddress('kim@zimbra.example')!.id, waitSet, seq: seqOf(first) }]);
    const second = poll(waitSet, seqOf(first));
    await settle();
    calendars.remove('kim@zimbra.example', added.id);
    expect(named(await second)).toEqual(['kim@zimbra.example']);
    expect(seqOf(await second)).not.toBe(seqOf(first));
    const third = poll(waitSet, seqOf(await second));
    await settle();
    calendars.clear('mia@zimbra.example');
    expect(named(await third)).toEqual(['mia@zimbra.example']);
  });

  it('name each account once however often it changed, and keep it until it is acknowledged', async () => {
    await start();
    const waitSet = await create();
    calendars.add('kim@zimbra.example', ENTRY);
    calendars.add('lee@zimbra.example', ENTRY);
    calendars.add('kim@zimbra.example', ENTRY);
    const first = await poll(waitSet, '0', NOW);
    expect(named(first)).toEqual(['lee@zimbra.example', 'kim@zimbra.example']);
    // The answer was lost: the same comes again, with what has changed meanwhile.
    calendars.add('mia@zimbra.example', ENTRY);
    const again = await poll(waitSet, '0', NOW);
    expect(named(again)).toEqual(['lee@zimbra.example', 'kim@zimbra.example', 'mia@zimbra.example']);
    expect(named(await poll(waitSet, seqOf(first), NOW))).toHaveLength(3);
    const after = await poll(waitSet, seqOf(again), NOW);
    expect([named(after), seqOf(after)]).toEqual([[], seqOf(again)]);
  });

  it('answer nothing, with the same seq, when nothing happens in time', async () => {
    await start();
    const waitSet = await create();
    const answer = await poll(waitSet, '0', 'defTypes="a" block="1" timeout="0"');
    expect([seqOf(answer), named(answer)]).toEqual(['0', []]);
    const began = performance.now();
    const later = await poll(waitSet, '0', 'defTypes="a" block="1" timeout="1"');
    expect([seqOf(later), named(later)]).toEqual(['0', []]);
    expect(performance.now() - began).toBeGreaterThan(950);
  });

  it('cancel a waiting request when another one comes on the same set', async () => {
    await start();
    const waitSet = await create();
    const [first, second] = [poll(waitSet, '0'), settle().then(() => poll(waitSet, '0'))];
    expect(attribute(await first, 'canceled')).toBe('1');
    expect(attribute(await first, 'seq')).toBeUndefined();
    await settle();
    calendars.add('lee@zimbra.example', ENTRY);
    expect(named(await second)).toEqual(['lee@zimbra.example']);
  });

  it('lose nothing when whoever waited has gone', async () => {
    await start();
    const waitSet = await create();
    const leaving = new AbortController();
    const left = expect(poll(waitSet, '0', undefined, leaving.signal)).rejects.toThrow();
    await settle();
    leaving.abort();
    await left;
    calendars.add('kim@zimbra.example', ENTRY);
    expect(named(await poll(waitSet, '0', NOW))).toEqual(['kim@zimbra.example']);
  });

  it('live on over a restart by their id and seq, and say so when the log is gone', async () => {
    await start();
    const waitSet = await create();
    calendars.add('kim@zimbra.example', ENTRY);
    const seq = seqOf(await poll(waitSet, '0', NOW));
    calendars.add('lee@zimbra.example', ENTRY);
    await server.restart();
    expect(fault(await poll(waitSet, '0', NOW))).toBe('service.FAILURE');
    expect(fault(await poll(waitSet, seq, 'block="0"'))).toBe('service.INVALID_REQUEST');
    expect(named(await poll(waitSet, seq, NOW))).toEqual(['lee@zimbra.example']);
    await server.restart({ isLogRotated: true });
    const lost = await poll(waitSet, seq, NOW);
    expect(fault(lost)).toBe('service.FAILURE');
    expect(childText(child(lost, 'Code'), 'Value')).toBe('soap:Receiver');
    expect(fault(await poll('WaitSet-1', seq, NOW))).toBe('admin.NO_SUCH_WAITSET');
  });

  it('live on while the server is away for a moment', async () => {
    await start();
    const waitSet = await create();
    await server.setMode('refuse');
    calendars.add('kim@zimbra.example', ENTRY);
    await server.setMode('up');
    expect(named(await poll(waitSet, '0', NOW))).toEqual(['kim@zimbra.example']);
  });

  it('are destroyed, watch appointments only, and watch nobody without allAccounts in its exact case', async () => {
    await start();
    const [mails, nobody] = [await create('defTypes="m,c" allAccounts="1"'), await create('defTypes="a" allaccounts="1"')];
    expect(nobody).toMatch(/^WaitSet-/);
    calendars.add('kim@zimbra.example', ENTRY);
    for (const one of [mails, nobody]) expect(named(await poll(one, '0', NOW))).toEqual([]);
    expect(attribute(await admin(`<AdminDestroyWaitSetRequest ${A} waitSet="${nobody}"/>`), 'waitSet')).toBe(nobody);
    expect(fault(await poll(nobody, '0', NOW))).toBe('admin.NO_SUCH_WAITSET');
    expect(fault(await admin(`<AdminDestroyWaitSetRequest ${A} waitSet="${nobody}"/>`))).toBe('admin.NO_SUCH_WAITSET');
  });

  it('refuse what they cannot read', async () => {
    await start();
    const waitSet = await create();
    for (const request of [`<AdminCreateWaitSetRequest ${A} allAccounts="1"/>`, `<AdminCreateWaitSetRequest ${A} defTypes="a,x" allAccounts="1"/>`, `<AdminWaitSetRequest ${A} seq="0"/>`, `<AdminWaitSetRequest ${A} waitSet="${waitSet}"/>`, `<AdminWaitSetRequest ${A} waitSet="${waitSet}" seq="0" block="1" timeout="soon"/>`, `<AdminDestroyWaitSetRequest ${A}/>`]) {
      expect([request, fault(await admin(request))]).toEqual([request, 'service.INVALID_REQUEST']);
    }
    for (const seq of ['99999999999999999999', '5', '5-1-1.1', '-1-1-1.1']) expect(fault(await poll('AllWaitSet-unknown', seq, NOW))).toBe('service.FAILURE');
  });
});

describe('the directory of the stand-in Zimbra', () => {
  it('finds an account by id and by name, with the attributes that are asked for', async () => {
    await start();
    const byName = child(await admin(`<GetAccountRequest ${A} attrs="zimbraForeignPrincipal,zimbraIsSystemAccount"><account by="name">KIM@zimbra.example</account></GetAccountRequest>`), 'account')!;
    expect(attribute(byName, 'name')).toBe('kim@zimbra.example');
    expect(byName.children.map((one) => [attribute(one, 'n'), one.text])).toEqual([['zimbraForeignPrincipal', 'ad:kim']]);
    const byId = child(await admin(`<GetAccountRequest ${A}><account by="id">${attribute(byName, 'id')}</account></GetAccountRequest>`), 'account')!;
    expect(attribute(byId, 'name')).toBe('kim@zimbra.example');
    expect(fault(await admin(`<GetAccountRequest ${A}><account by="id">nobody</account></GetAccountRequest>`))).toBe('account.NO_SUCH_ACCOUNT');
    expect(fault(await admin(`<GetAccountRequest ${A}><account>kim@zimbra.example</account></GetAccountRequest>`))).toBe('service.INVALID_REQUEST');
  });

  it('is searched by domain and filter, page by page', async () => {
    await start();
    const search = async (attributes: string, query = ''): Promise<XmlElement> => admin(`<SearchDirectoryRequest ${A} types="accounts,resources" ${attributes}><query>${query}</query></SearchDirectoryRequest>`);
    const names = (answer: XmlElement): readonly (string | undefined)[] => childrenNamed(answer, 'account').map((one) => attribute(one, 'name')?.split('@')[0]);
    const all = await search('domain="zimbra.example"');
    expect(names(all)).toEqual(['galsync', 'kim', 'lee', 'mia']);
    expect([attribute(all, 'more'), attribute(all, 'searchTotal')]).toEqual(['0', '4']);
    const page = await search('limit="2" offset="1"');
    expect([names(page), attribute(page, 'more'), attribute(page, 'searchTotal')]).toEqual([['kim', 'lee'], '1', '5']);
    expect(names(await search('limit="2" offset="4"'))).toEqual(['noa']);
    expect(names(await search('', '(zimbraForeignPrincipal=ad:*)'))).toEqual(['kim', 'lee', 'mia', 'noa']);
    expect(names(await search('', `(|(zimbraId=${server.accounts.byAddress('lee@zimbra.example')!.id})(zimbraId=x))`))).toEqual(['lee']);
    expect(names(await search('', '(&amp;(zimbraForeignPrincipal=AD:*)(!(mail=*@other.example)))'))).toEqual(['kim', 'lee', 'mia']);
    expect(names(await admin(`<SearchDirectoryRequest ${A} types="domains"/>`))).toEqual([]);
    for (const request of [await search('limit="-1"'), await search('', '(zimbraId='), await search('', '('.repeat(500))]) expect(fault(request)).toBe('service.INVALID_REQUEST');
  });

  it('names its one server and its own provider, whose organisation is missing until its push is switched on', async () => {
    await start();
    const servers = await admin(`<GetAllServersRequest ${A} service="mailbox"/>`);
    expect(servers.children.map((one) => attribute(one, 'name'))).toEqual(['mail.zimbra.example']);
    expect((await admin(`<GetAllServersRequest ${A} service="ldap"/>`)).children).toEqual([]);
    expect(attribute(child(await admin(`<GetAllFreeBusyProvidersRequest ${A}/>`), 'provider'), 'prefix')).toBe('ad:');
    const config = `<GetConfigRequest ${A}><a n="zimbraFreebusyExchangeUserOrg"/></GetConfigRequest>`;
    expect((await admin(config)).children).toEqual([]);
    server.setNativePush(true);
    expect(childText(await admin(config), 'a')).toMatch(/^\/o=/);
  });
});
