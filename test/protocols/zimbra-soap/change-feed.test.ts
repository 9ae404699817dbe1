import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { ZimbraHomeOptions } from '../../../src/protocols/zimbra-soap/home.ts';
import { briefPause, homeAgainst, listen, until } from './home-under-test.ts';
import type { HomeUnderTest, Listening } from './home-under-test.ts';
import { AdminServer, accountId } from './zimbra-admin-server.ts';
import { envelope, fault } from './zimbra-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const [KIM, LEA] = [accountId(1), accountId(2)];

async function adminServer(): Promise<AdminServer> {
  const server = await AdminServer.start();
  closers.push(() => server.close());
  server.add({ id: KIM, name: 'kim@zimbra.example' }, { id: LEA, name: 'lea@zimbra.example' });
  return server;
}

function homeOf(server: AdminServer, options?: Partial<ZimbraHomeOptions>): HomeUnderTest {
  const made = homeAgainst(server.url, options);
  closers.push(() => made.home.close());
  return made;
}

function listening(...given: Parameters<typeof listen>): Listening {
  const ears = listen(...given);
  closers.push(() => ears.stop());
  return ears;
}

const polls = (server: AdminServer): readonly string[] => server.bodiesOf('AdminWaitSetRequest');
const seqOf = (body: string | undefined): string | undefined => / seq="([^"]*)"/.exec(body ?? '')?.[1];
const placeOf = (text: string | undefined): unknown => JSON.parse(text ?? 'null');
const away = new BridgeError('STORE_UNAVAILABLE', 'Redis is away', { temporary: true });

describe('a feed that starts', () => {
  it('makes a set over all accounts for appointments, says once that everything may have changed, and then hears every change', async () => {
    const server = await adminServer();
    const { home, memory } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    expect(ears.notices).toEqual([{ kind: 'resync', reason: '127.0.0.1: the first start' }]);
    server.change(KIM);
    await until(() => ears.notices.length === 2);
    expect(ears.notices[1]).toEqual({ kind: 'changed', mailboxes: ['kim@zimbra.example'] });
    await until(() => polls(server).length === 2);
    expect(seqOf(polls(server)[1])).toBe('9-1790000000000-1790000000.1');
    expect(placeOf(memory.saved.at(-1))).toEqual({ waitSet: 'AllWaitSet-1', seq: '9-1790000000000-1790000000.1' });
    expect(polls(server)[0]).toContain('block="1" timeout="2"');
  });

  it('tells of a change in less than the pace of its polls', async () => {
    const server = await adminServer();
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    const began = performance.now();
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(performance.now() - began).toBeLessThan(200);
  });

  it('goes on where it stopped: no new set, no resynchronisation, and what changed meanwhile is told', async () => {
    const server = await adminServer();
    const first = homeOf(server);
    const ears = listening(first.home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    await ears.stop();
    expect(server.sets.size).toBe(1);
    server.change(LEA);
    const second = homeOf(server, { memory: first.memory });
    const again = listening(second.home);
    await until(() => again.mailboxes().includes('lea@zimbra.example' as never));
    expect(again.resyncs()).toEqual([]);
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(1);
  });

  it('goes on with the same set and sequence when the server was started anew, and hears what happened before', async () => {
    const server = await adminServer();
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    server.restart();
    server.change(LEA);
    await until(() => ears.mailboxes().length === 2);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example', 'lea@zimbra.example']);
    expect(ears.resyncs()).toHaveLength(1);
    expect(polls(server).every((body) => body.includes('waitSet="AllWaitSet-1"') && body.includes('defTypes="a"'))).toBe(true);
  });

  it.each([
    ['no JSON', 'AllWaitSet-1'],
    ['another shape', '{"waitSet":7,"seq":"1"}'],
    ['no object', 'null'],
    ['a sequence that would not survive an attribute', '{"waitSet":"AllWaitSet-1","seq":"1\\n2"}'],
  ])('starts over from a stored place that is %s', async (_name, text) => {
    const server = await adminServer();
    const { home, memory } = homeOf(server);
    memory.places.set(`zimbra/waitset/${server.url.host}`, text);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    expect(ears.resyncs()).toEqual(['127.0.0.1: the stored place in the WaitSet is unreadable']);
    expect(placeOf(memory.saved[0])).toEqual({ waitSet: 'AllWaitSet-1', seq: '0' });
  });
});

describe('a change that cannot be stored', () => {
  it('is told until it is, and acknowledged only then: neither the poll nor the stored place goes on', async () => {
    const server = await adminServer();
    const { home, memory, pauses } = homeOf(server);
    let isAway = false;
    let tried = 0;
    const ears = listening(home, async () => {
      if (!isAway) return;
      tried += 1;
      throw away;
    });
    await until(() => polls(server).length === 1);
    isAway = true;
    server.change(KIM);
    await until(() => tried > 20);
    expect(polls(server)).toHaveLength(1);
    expect(placeOf(memory.saved.at(-1))).toEqual({ waitSet: 'AllWaitSet-1', seq: '0' });
    // The server still has the batch: a process that dies now loses nothing.
    expect(Math.max(...pauses.filter((ms) => ms < 3_000_000))).toBeLessThanOrEqual(5_000 * 1.25);
    isAway = false;
    await until(() => polls(server).length === 2);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example']);
    expect(seqOf(polls(server)[1])).toBe('9-1790000000000-1790000000.1');
  });

  it('is signalled again to the next process when this one dies before', async () => {
    const server = await adminServer();
    const first = homeOf(server);
    let isAway = false;
    let tried = 0;
    const ears = listening(first.home, async () => {
      if (!isAway) return;
      tried += 1;
      throw away;
    });
    await until(() => polls(server).length === 1);
    isAway = true;
    server.change(KIM);
    await until(() => tried > 0);
    await ears.stop();
    server.change(LEA);
    const again = listening(homeOf(server, { memory: first.memory }).home);
    await until(() => again.mailboxes().length >= 2);
    expect(new Set(again.mailboxes())).toEqual(new Set(['kim@zimbra.example', 'lea@zimbra.example']));
    expect(again.resyncs()).toEqual([]);
  });

  it('waits for the place as well: the next poll is not sent before it is stored', async () => {
    const server = await adminServer();
    const { home, memory } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    memory.fail = away;
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(polls(server)).toHaveLength(1);
    memory.fail = undefined;
    await until(() => polls(server).length === 2);
  });

  it('makes no new set while the stored place cannot be read', async () => {
    const server = await adminServer();
    const { home, memory, pauses } = homeOf(server);
    memory.fail = away;
    listening(home);
    await until(() => pauses.length > 10);
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(0);
    memory.fail = undefined;
    await until(() => polls(server).length === 1);
  });
});

describe('a WaitSet that is no good any more', () => {
  it.each([
    ['the server does not know it', fault('admin.NO_SUCH_WAITSET')],
    ['its place is not in the RedoLog any more', fault('service.FAILURE', 'Receiver', 'system failure: Unable to sync to commit id 9-1-1.1')],
    ['its first sequence outlived a restart', fault('service.PARSE_ERROR', 'Sender', 'parse error: Invalid CommitId 0')],
  ])('is replaced at once, with a resynchronisation: %s', async (_name, answer) => {
    const server = await adminServer();
    let isLost = false;
    server.override = (operation, body) => (isLost && operation === 'AdminWaitSetRequest' && body.includes('AllWaitSet-1"') ? answer : undefined);
    const { home, memory, pauses } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    isLost = true;
    server.change(KIM);
    await until(() => ears.resyncs().length === 2);
    await until(() => polls(server).at(-1)?.includes('AllWaitSet-2"') === true);
    expect(ears.resyncs()[1]).toMatch(/^127\.0\.0\.1: the WaitSet is lost \(/);
    expect(placeOf(memory.saved.at(-1))).toEqual({ waitSet: 'AllWaitSet-2', seq: '0' });
    expect(pauses.filter((ms) => ms > 250 && ms < 3_000_000)).toEqual([]);
  });

  it('is replaced when an answer is too large to be read: the same batch would come for ever', async () => {
    const server = await adminServer();
    const huge = envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="1-1-1.1">${' '.repeat(33 * 1024 * 1024)}</AdminWaitSetResponse>`);
    server.override = (operation, body) => (operation === 'AdminWaitSetRequest' && body.includes('AllWaitSet-1"') ? { body: huge } : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => ears.resyncs().length === 2);
    expect(ears.resyncs()[1]).toContain('BACKEND_TOO_LARGE');
    await until(() => server.operations.includes('AdminDestroyWaitSetRequest'));
  });

  it.each([
    ['an internal failure', fault('service.FAILURE', 'Receiver', 'system failure: null')],
    ['a set that is somebody else’s', fault('service.PERM_DENIED', 'Sender', 'permission denied: Not owner(creator) of waitset')],
  ])('is replaced after the third time, and not before: %s', async (_name, answer) => {
    const server = await adminServer();
    server.override = (operation, body) => (operation === 'AdminWaitSetRequest' && body.includes('AllWaitSet-1"') ? answer : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => ears.resyncs().length === 2);
    expect(polls(server).filter((body) => body.includes('AllWaitSet-1"'))).toHaveLength(3);
    await until(() => server.operations.includes('AdminDestroyWaitSetRequest'));
    expect(server.bodiesOf('AdminDestroyWaitSetRequest')[0]).toContain('waitSet="AllWaitSet-1"');
  });

  it('is kept where no new one can be made either, and goes on when the server is well again', async () => {
    const server = await adminServer();
    let isIll = false;
    server.override = (operation) => (isIll && operation !== 'AuthRequest' ? fault('service.FAILURE', 'Receiver') : undefined);
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    isIll = true;
    server.restart();
    await until(() => server.bodiesOf('AdminCreateWaitSetRequest').length > 3);
    server.change(LEA);
    isIll = false;
    await until(() => ears.mailboxes().includes('lea@zimbra.example' as never));
    expect(ears.resyncs()).toHaveLength(1);
  });
});

describe('trouble that passes', () => {
  it.each([
    ['HTML of a proxy with status 200', { body: '<html><body>Welcome</body></html>' }],
    ['HTML with status 500', { status: 500, body: '<html><br>' }],
    ['502', { status: 502, body: '<html>' }],
    ['503', { status: 503, body: '' }],
    ['a cut-off answer', { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="x" seq="1">').slice(0, 250) }],
    ['another answer', { body: envelope('<GetInfoResponse xmlns="urn:zimbraAccount"/>') }],
    ['an answer without a sequence', { body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1"><a id="${KIM}"/></AdminWaitSetResponse>`) }],
    ['maintenance', fault('service.TEMPORARILY_UNAVAILABLE', 'Receiver')],
    ['a redirect elsewhere', { status: 302, body: '', headers: { location: 'https://evil.example/' } }],
  ])('costs growing pauses and neither the set nor a change: %s', async (_name, answer) => {
    const server = await adminServer();
    const { home, pauses } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.override = (operation) => (operation === 'AdminWaitSetRequest' ? answer : undefined);
    server.change(KIM);
    await until(() => polls(server).length > 8);
    expect(ears.mailboxes()).toHaveLength(1);
    server.override = () => undefined;
    server.change(LEA);
    await until(() => ears.mailboxes().includes('lea@zimbra.example' as never));
    expect(ears.resyncs()).toHaveLength(1);
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(1);
    const grown = pauses.filter((ms) => ms > 500 && ms < 3_000_000);
    expect(Math.max(...grown)).toBeGreaterThan(5_000);
    // Once the server is well again, the next change waits for no more than the rest of one pause.
    expect(Math.max(...grown)).toBeLessThanOrEqual(10_000);
  });

  it('gives a silent server its time and polls again, the set unchanged', async () => {
    const server = await adminServer();
    const ears = listening(homeOf(server, { timing: { pause: briefPause, blockMs: 100, patienceMs: 400 } }).home);
    await until(() => polls(server).length >= 1);
    server.override = (operation) => (operation === 'AdminWaitSetRequest' ? 'silent' : undefined);
    const before = polls(server).length;
    await until(() => polls(server).length > before + 3);
    server.override = () => undefined;
    server.change(LEA);
    await until(() => ears.mailboxes().length > 0);
    expect(ears.resyncs()).toHaveLength(1);
  });

  it('is hearing only while every poll is answered as it should be, at every mail store', async () => {
    const server = await adminServer();
    server.servers = ['127.0.0.1', 'localhost'];
    const { home } = homeOf(server, { hosts: ['localhost'], timing: { pause: briefPause, blockMs: 100, patienceMs: 400 } });
    expect(home.feed.isHearing()).toBe(false);
    const ears = listening(home);
    await until(() => home.feed.isHearing());
    // One store is silent, the other one answers.
    server.override = (operation, body) => (operation === 'AdminWaitSetRequest' && /AllWaitSet-1"/.test(body) ? 'silent' : undefined);
    await until(() => !home.feed.isHearing());
    server.override = () => undefined;
    await until(() => home.feed.isHearing());
    await ears.stop();
    expect(home.feed.isHearing()).toBe(false);
  });

  it('renews a token that is no longer taken, by fault or by 401, without a word to anybody', async () => {
    const server = await adminServer();
    const { home, pauses } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.validToken = 'none';
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(server.signIns).toBe(2);
    let refuse = true;
    server.override = (operation) => {
      if (operation !== 'AdminWaitSetRequest' || !refuse) return undefined;
      refuse = false;
      return { status: 401, body: '' };
    };
    server.change(LEA);
    await until(() => server.signIns === 3);
    server.change(KIM);
    await until(() => ears.mailboxes().length >= 3);
    expect(ears.resyncs()).toHaveLength(1);
    expect(pauses.filter((ms) => ms > 250 && ms < 3_000_000)).toEqual([]);
  });

  it('does not lock the administrator out by trying a refused password over and over', async () => {
    const server = await adminServer();
    server.override = (operation) => (operation === 'AuthRequest' ? fault('account.AUTH_FAILED') : undefined);
    const { home, pauses } = homeOf(server);
    listening(home);
    await until(() => pauses.length > 12);
    // The clock stands still: within ten seconds one sign-in is sent, whoever asks.
    expect(server.operations.filter((one) => one === 'AuthRequest')).toHaveLength(1);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(15_000 * 0.75);
  });

  it('does not spin when the server answers at once for ever', async () => {
    const server = await adminServer();
    server.override = (operation, body) =>
      operation === 'AdminWaitSetRequest' ? { body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="${seqOf(body)}"/>`) } : undefined;
    listening(homeOf(server, { timing: {} }).home);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(polls(server).length).toBeGreaterThan(1);
    expect(polls(server).length).toBeLessThanOrEqual(6);
  });
});

describe('another poller on the same set', () => {
  it('is noted once, and the poll goes on with the same set and sequence', async () => {
    const server = await adminServer();
    let times = 2;
    server.override = (operation) =>
      operation === 'AdminWaitSetRequest' && times-- > 0 ? { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" canceled="1"/>') } : undefined;
    const { home, logged } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 3);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(new Set(polls(server).slice(0, 3).map((body) => /waitSet="[^"]*" seq="[^"]*"/.exec(body)?.[0]))).toEqual(new Set(['waitSet="AllWaitSet-1" seq="0"']));
    expect(logged.filter(({ message }) => message.includes('somebody else'))).toHaveLength(1);
    expect(ears.resyncs()).toHaveLength(1);
  });

  it('is left alone with it when that goes on: this one makes its own, and does not destroy the other’s', async () => {
    const server = await adminServer();
    server.override = (operation, body) =>
      operation === 'AdminWaitSetRequest' && body.includes('AllWaitSet-1"') ? { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" canceled="true"/>') } : undefined;
    const ears = listening(homeOf(server).home);
    await until(() => ears.resyncs().length === 2);
    await until(() => polls(server).at(-1)?.includes('AllWaitSet-2"') === true);
    expect(server.operations).not.toContain('AdminDestroyWaitSetRequest');
  });
});

describe('a WaitSet that is canceled for ever', () => {
  it('costs a new set and a pass over everybody more and more rarely', async () => {
    const server = await adminServer();
    server.override = (operation) =>
      operation === 'AdminWaitSetRequest' ? { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" canceled="1"/>') } : undefined;
    const { home, pauses } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length > 60);
    // The first one, and after 3, 6, 12, 24 and 48.
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(6);
    expect(ears.resyncs()).toHaveLength(6);
    expect(pauses.filter((ms) => ms > 5_000 && ms < 3_000_000).length).toBeGreaterThan(40);
    server.override = () => undefined;
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
  });
});

describe('a server that loses every new set', () => {
  it('is given more and more time: each try costs a pass over everybody', async () => {
    const server = await adminServer();
    server.override = (operation) => (operation === 'AdminWaitSetRequest' ? fault('admin.NO_SUCH_WAITSET') : undefined);
    const { home, pauses } = homeOf(server);
    listening(home);
    await until(() => polls(server).length > 10);
    expect(Math.max(...pauses.filter((ms) => ms < 3_000_000))).toBeGreaterThan(40_000);
  });
});

describe('between good answers', () => {
  it.each([
    ['canceled', { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" canceled="1"/>') }],
    ['an internal failure', fault('service.FAILURE', 'Receiver', 'system failure: null')],
  ])('trouble is not added up to a new set: %s', async (_name, answer) => {
    const server = await adminServer();
    let asked = 0;
    server.override = (operation) => {
      if (operation !== 'AdminWaitSetRequest') return undefined;
      return ++asked % 3 === 0 ? { body: envelope('<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="0"/>') } : answer;
    };
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length > 20);
    expect(ears.resyncs()).toHaveLength(1);
    expect(server.bodiesOf('AdminCreateWaitSetRequest')).toHaveLength(1);
  });

  it('an answer without news writes nothing', async () => {
    const server = await adminServer();
    const { home, memory } = homeOf(server, { timing: { pause: briefPause, blockMs: 0, patienceMs: 1_000 } });
    listening(home);
    await until(() => polls(server).length > 10);
    expect(memory.saved).toHaveLength(1);
  });
});

describe('whom a change is about', () => {
  it('is looked up anew for every answer that names it, and then believed: who changes may have another name or principal', async () => {
    const server = await adminServer();
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    const never = new AbortController().signal;
    server.change(KIM);
    await until(() => polls(server).length === 2);
    expect(await home.roster.find(ears.mailboxes()[0]!, never)).toEqual({ mailbox: 'kim@zimbra.example', isSystem: false });
    server.add({ id: KIM, name: 'kimberly@zimbra.example', attributes: { zimbraForeignPrincipal: 'ad:kim' } });
    server.change(KIM);
    await until(() => polls(server).length === 3);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example', 'kimberly@zimbra.example', 'kim@zimbra.example']);
    expect(await home.roster.find('kimberly@zimbra.example' as never, never)).toMatchObject({ foreignPrincipal: 'kim' });
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(2);
    expect(await home.roster.find('kim@zimbra.example' as never, never)).toBeUndefined();
  });

  it('is told with both addresses after a renaming: a message lies under the old one', async () => {
    const server = await adminServer();
    const { home, clock } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    server.accounts.get(KIM)!.name = 'kim.lee@zimbra.example';
    clock.at += 300_000;
    // Somebody else asks first: the old address must not be forgotten over it.
    await home.roster.find('kim.lee@zimbra.example' as never, new AbortController().signal);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 3);
    expect(ears.mailboxes().slice(1)).toEqual(['kim.lee@zimbra.example', 'kim@zimbra.example']);
    await until(() => polls(server).length === 3);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 4);
    expect(ears.mailboxes().at(-1)).toBe('kim.lee@zimbra.example');
  });

  it('is told by the last known address when the account is gone, and not at all when it never was', async () => {
    const server = await adminServer();
    const { home, clock } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    server.accounts.delete(KIM);
    clock.at += 300_000;
    server.change(KIM, accountId(99));
    await until(() => polls(server).length === 3);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example', 'kim@zimbra.example']);
  });

  it('includes accounts that the server reports as errors, with the reason in the log', async () => {
    const server = await adminServer();
    let isFirst = true;
    server.override = (operation) => {
      if (operation !== 'AdminWaitSetRequest' || !isFirst) return undefined;
      isFirst = false;
      return { body: envelope(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="0"><error id="${KIM}" t="MAILBOX_DELETED"/><n id="${LEA}"/></AdminWaitSetResponse>`) };
    };
    const { home, logged } = homeOf(server);
    const ears = listening(home);
    await until(() => ears.mailboxes().length === 2);
    expect(logged.some(({ fields }) => fields.reason === 'MAILBOX_DELETED')).toBe(true);
  });

  it('waits where the server cannot say it now: nothing is acknowledged, and nothing lost', async () => {
    const server = await adminServer();
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.override = (operation) => (operation === 'GetAccountRequest' ? { status: 503, body: '' } : undefined);
    server.change(KIM);
    await until(() => server.bodiesOf('GetAccountRequest').length > 5);
    expect(polls(server)).toHaveLength(1);
    server.override = () => undefined;
    await until(() => polls(server).length === 2);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example']);
  });

  it('becomes everybody where the server can never say it: one account does not hold up all others', async () => {
    const server = await adminServer();
    const { home } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.override = (operation) => (operation === 'GetAccountRequest' ? fault('service.INVALID_REQUEST') : undefined);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    expect(ears.resyncs()[1]).toContain('cannot be looked up');
  });

  it.each([
    ['a failure that Zimbra calls its own', fault('service.FAILURE', 'Receiver', 'system failure: bad entry')],
    ['an attribute that is hidden from us', { body: envelope(`<GetAccountResponse xmlns="urn:zimbraAdmin"><account id="${KIM}" name="kim@zimbra.example"><a n="zimbraForeignPrincipal" pd="1"/></account></GetAccountResponse>`) }],
    ['a refusal, of SearchDirectory as well', fault('service.PERM_DENIED')],
    ['nonsense', { body: envelope('<GetInfoResponse xmlns="urn:zimbraAccount"/>') }],
    ['HTML', { body: '<html><p>' }],
  ])('holds up nobody else where the server cannot show it: %s', async (_name, answer) => {
    const server = await adminServer();
    const { home, pauses } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.override = (operation, body) => ((operation === 'GetAccountRequest' || operation === 'SearchDirectoryRequest') && body.includes(KIM) ? answer : undefined);
    server.change(KIM, LEA);
    await until(() => ears.resyncs().length === 2);
    // The other one does not even wait for that.
    expect(ears.notices.slice(1)).toEqual([{ kind: 'changed', mailboxes: ['lea@zimbra.example'] }, { kind: 'resync', reason: expect.stringContaining('cannot be looked up') as string }]);
    expect(pauses.filter((ms) => ms > 250 && ms < 3_000_000).every((ms) => ms < 5_000)).toBe(true);
    server.change(LEA);
    await until(() => ears.mailboxes().length >= 2);
    expect(ears.mailboxes()).toEqual(['lea@zimbra.example', 'lea@zimbra.example']);
  });

  it('is told by its last known address where the server cannot show it now, without a pass over everybody', async () => {
    const server = await adminServer();
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => polls(server).length === 2);
    server.override = (operation) => (operation === 'GetAccountRequest' ? fault('service.FAILURE', 'Receiver') : undefined);
    server.change(KIM);
    await until(() => polls(server).length === 3);
    expect(ears.mailboxes()).toEqual(['kim@zimbra.example', 'kim@zimbra.example']);
    expect(ears.resyncs()).toHaveLength(1);
  });

  it.each([
    ['503', { status: 503, body: '' }],
    ['maintenance', fault('service.TEMPORARILY_UNAVAILABLE', 'Receiver')],
    ['a token that is refused again and again', fault('service.AUTH_EXPIRED')],
  ])('waits for as long as it takes where the trouble is the server’s: %s', async (_name, answer) => {
    const server = await adminServer();
    const { home, clock } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.override = (operation) => {
      clock.at += 11_000;
      return operation === 'GetAccountRequest' ? answer : undefined;
    };
    server.change(KIM);
    await until(() => server.bodiesOf('GetAccountRequest').length > 12);
    expect(polls(server)).toHaveLength(1);
    expect(ears.notices).toHaveLength(1);
    server.override = () => undefined;
    await until(() => ears.mailboxes().length === 1);
  });

  it('is searched for where GetAccount is not permitted', async () => {
    const server = await adminServer();
    server.override = (operation) => (operation === 'GetAccountRequest' ? fault('service.PERM_DENIED') : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(server.bodiesOf('SearchDirectoryRequest')[0]).toContain(`<query>(zimbraId=${KIM})</query>`);
  });

  it('is asked for one by one where SearchDirectory is not permitted', async () => {
    const server = await adminServer();
    const ids = Array.from({ length: 40 }, (_, index) => accountId(index + 100));
    for (const [index, id] of ids.entries()) server.add({ id, name: `u${index}@zimbra.example` });
    server.override = (operation) => (operation === 'SearchDirectoryRequest' ? fault('service.PERM_DENIED') : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    const name = [...server.sets.keys()][0]!;
    for (const id of ids) server.sets.get(name)!.current.add(id);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 41);
  });
});

describe('a flood', () => {
  it('of 200,000 accounts is told of in small pieces and bounded memory, by one pass over the directory', async () => {
    const server = await adminServer();
    const COUNT = 200_000;
    const page = (from: number): string =>
      envelope(
        `<SearchDirectoryResponse xmlns="urn:zimbraAdmin" more="${from + 500 < COUNT ? 1 : 0}" searchTotal="${COUNT}">` +
          Array.from({ length: 500 }, (_, index) => `<account name="u${from + index}@zimbra.example" id="${accountId(from + index)}"><a n="zimbraMailTransport">lmtp:m:7025</a></account>`).join('') +
          '</SearchDirectoryResponse>',
      );
    const signalled = envelope(
      `<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="9-1-1.1">${Array.from({ length: COUNT }, (_, index) => `<a id="${accountId(index)}" changeid="1"/>`).join('')}</AdminWaitSetResponse>`,
    );
    server.override = (operation, body) => {
      if (operation === 'SearchDirectoryRequest') return { body: page(Number(/ offset="(\d+)"/.exec(body)?.[1])) };
      return operation === 'AdminWaitSetRequest' && seqOf(body) === '0' ? { body: signalled } : undefined;
    };
    const { home } = homeOf(server, { timing: {} });
    const told = new Set<string>();
    let largest = 0;
    const before = process.memoryUsage().heapUsed;
    const ears = listening(home, async (notice) => {
      if (notice.kind !== 'changed') return;
      largest = Math.max(largest, notice.mailboxes.length);
      for (const mailbox of notice.mailboxes) told.add(mailbox);
    });
    const began = performance.now();
    await until(() => told.size === COUNT && seqOf(polls(server).at(-1)) === '9-1-1.1', 'the flood', 55_000);
    const seconds = (performance.now() - began) / 1000;
    const heapMb = (process.memoryUsage().heapUsed - before) / 1024 ** 2;
    if (process.env['SHOW_FIGURES'] !== undefined) process.stderr.write(`flood: ${seconds.toFixed(1)} s, heap +${heapMb.toFixed(0)} MB\n`);
    expect(told.size).toBe(COUNT);
    expect(largest).toBeLessThanOrEqual(500);
    expect(server.bodiesOf('SearchDirectoryRequest')).toHaveLength(400);
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(0);
    expect(ears.resyncs()).toHaveLength(1);
    expect(heapMb).toBeLessThan(400);
  }, 60_000);

  it('of some hundreds is asked for by filters of a hundred ids', async () => {
    const server = await adminServer();
    const ids = Array.from({ length: 250 }, (_, index) => accountId(index + 1_000));
    for (const [index, id] of ids.entries()) server.add({ id, name: `u${index}@zimbra.example` });
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    for (const set of server.sets.values()) for (const id of ids) set.current.add(id);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 251);
    expect(server.bodiesOf('SearchDirectoryRequest')).toHaveLength(3);
    expect(server.bodiesOf('GetAccountRequest')).toHaveLength(0);
  });

  it('of more accounts than are taken at once becomes a resynchronisation, and is acknowledged', async () => {
    const server = await adminServer();
    const signalled = envelope(
      `<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="9-1-1.1">${Array.from({ length: 200_001 }, (_, index) => `<a id="x${index}"/>`).join('')}</AdminWaitSetResponse>`,
    );
    server.override = (operation, body) => (operation === 'AdminWaitSetRequest' && seqOf(body) === '0' ? { body: signalled } : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => seqOf(polls(server).at(-1)) === '9-1-1.1');
    expect(ears.resyncs()[1]).toBe('one answer named 200001 accounts');
    expect(ears.mailboxes()).toEqual([]);
  });
});

describe('several mail stores', () => {
  it('are each watched by a set of their own where `hosts` lists them, with one token', async () => {
    const server = await adminServer();
    server.servers = ['127.0.0.1', 'localhost'];
    const { home, memory } = homeOf(server, { hosts: ['localhost'] });
    const ears = listening(home);
    await until(() => polls(server).length === 2);
    expect(server.sets.size).toBe(2);
    expect(server.signIns).toBe(1);
    expect([...memory.places.keys()].sort()).toEqual([`zimbra/waitset/127.0.0.1:${server.url.port}`, `zimbra/waitset/localhost:${server.url.port}`]);
    expect([...ears.resyncs()].sort()).toEqual(['127.0.0.1: the first start', 'localhost: the first start']);
  });

  it('that `hosts` does not list are never sent anything: the server’s word does not decide where the token goes', async () => {
    const server = await adminServer();
    const thief = await AdminServer.start();
    closers.push(() => thief.close());
    const port = thief.url.port;
    server.servers = ['127.0.0.1', 'localhost', `localhost:${port}`, `127.0.0.1:${port}`, `x@localhost:${port}/`, 'evil.example/', 'http://localhost', '[::1]', '0x7f.1', ' '];
    const { home, logged } = homeOf(server);
    listening(home);
    await until(() => polls(server).length === 1);
    await until(() => logged.some(({ message }) => message.includes('`hosts`')));
    expect(thief.asked).toEqual([]);
    expect(server.sets.size).toBe(1);
    expect(logged.find(({ message }) => message.includes('`hosts`'))?.fields.reason).toMatch(/^localhost, an unreadable name/);
  });

  it('that come later are watched later; one that goes is left', async () => {
    const server = await adminServer();
    server.servers = ['127.0.0.1'];
    const made = homeOf(server, { hosts: ['localhost'], timing: { blockMs: 2_000, patienceMs: 1_000, pause: async (ms, signal) => new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 30));
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    }) } });
    listening(made.home);
    await until(() => polls(server).length >= 1);
    server.servers = ['127.0.0.1', 'localhost'];
    await until(() => server.sets.size === 2);
    server.servers = ['localhost'];
    await until(() => server.asked.filter((body) => body.includes('GetAllServersRequest')).length > 5);
    expect(server.sets.size).toBe(2);
  });

  it('that cannot be listed leave adminUrl alone, and the list is asked for again', async () => {
    const server = await adminServer();
    server.override = (operation) => (operation === 'GetAllServersRequest' ? { status: 503, body: '' } : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => server.bodiesOf('GetAllServersRequest').length > 3);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
  });

  it('that the administrator may not list leave adminUrl alone, without asking again and again', async () => {
    const server = await adminServer();
    server.override = (operation) => (operation === 'GetAllServersRequest' ? fault('service.PERM_DENIED') : undefined);
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(server.bodiesOf('GetAllServersRequest')).toHaveLength(1);
  });
});

describe('a feed that is stopped', () => {
  it('ends at once, in the middle of a poll, and leaves its set on the server', async () => {
    const server = await adminServer();
    const ears = listening(homeOf(server).home);
    await until(() => polls(server).length === 1);
    const began = performance.now();
    await ears.stop();
    expect(performance.now() - began).toBeLessThan(500);
    expect(server.operations).not.toContain('AdminDestroyWaitSetRequest');
  });

  it('ends at once also while its listener hangs, and acknowledges nothing', async () => {
    const server = await adminServer();
    const { home, memory } = homeOf(server);
    let told = 0;
    const ears = listening(home, async (notice) => {
      if (notice.kind === 'resync') return;
      told += 1;
      await new Promise(() => undefined);
    });
    await until(() => polls(server).length === 1);
    server.change(KIM);
    await until(() => told === 1);
    await ears.stop();
    expect(placeOf(memory.saved.at(-1))).toEqual({ waitSet: 'AllWaitSet-1', seq: '0' });
  });

  it('says nothing of the password or a token in the log', async () => {
    const server = await adminServer();
    const { home, logged } = homeOf(server);
    const ears = listening(home);
    await until(() => polls(server).length === 1);
    server.validToken = 'none';
    server.change(KIM);
    await until(() => ears.mailboxes().length === 1);
    expect(JSON.stringify(logged)).not.toMatch(/admin1|s<3|cret/);
  });
});
