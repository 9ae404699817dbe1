import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../../../src/directory/smtp-address.ts';
import { HttpuCallBack } from '../../../../src/platform/call-back/httpu-call-back.ts';
import { memoryTexts } from '../../../../src/presence/publisher.ts';
import { WebdavPresenceGateway } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import type { WebdavPresenceOptions } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import type { WatchTimes } from '../../../../src/protocols/owa-webdav/watch/watch-times.ts';
import { Happenings } from './happenings.ts';
import { PASSWORD, ScriptedExchange, USERNAME, sendDatagram, statuses } from './scripted-exchange.ts';
import type { Reply, Seen } from './scripted-exchange.ts';

const anna = parseMailboxAddress('anna@exch.example')!;
const bob = parseMailboxAddress('bob@exch.example')!;
const carl = parseMailboxAddress('carl@exch.example')!;
const LOOPBACK = { host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' };
const calendarOf = (mailbox: string) => `/exchange/${mailbox}/Calendar/`;

/** What would take an hour takes a fifth of a second; what is not tried here never comes. */
const NEVER = 3_600_000;
const TIMES: WatchTimes = {
  lifetimes: { leastMs: NEVER, longestMs: NEVER },
  renewedAt: 0.1,
  pollMs: NEVER,
  safetyPollMs: NEVER,
  gatheringMs: 50,
  pauses: { firstMs: 20, longestMs: 50 },
  refusedPauseMs: NEVER,
  unsolicitedMs: NEVER,
};
const SOON = { leastMs: 2_000, longestMs: 2_000 };

interface Told {
  readonly mailbox: MailboxAddress;
  readonly reason: string | undefined;
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startExchange(): Promise<ScriptedExchange> {
  const exchange = await ScriptedExchange.start();
  closing.push(() => exchange.close());
  for (const mailbox of [anna, bob, carl]) exchange.add(mailbox);
  return exchange;
}

async function startCallBack(): Promise<HttpuCallBack> {
  const callBack = await HttpuCallBack.open(LOOPBACK, silentLogger);
  closing.push(() => callBack.close());
  return callBack;
}

function startGateway(exchange: ScriptedExchange, callBack: HttpuCallBack | undefined, options: Omit<Partial<WebdavPresenceOptions>, 'times'> & { readonly times?: Partial<WatchTimes> } = {}) {
  const changed = new Happenings<Told>();
  const trouble = new Happenings<Told>();
  const gateway = new WebdavPresenceGateway({
    description: 'old exchange',
    servers: [exchange.url],
    auth: 'basic',
    username: USERNAME,
    password: PASSWORD,
    hosts: [],
    callBack,
    memory: memoryTexts(),
    listener: {
      changed: (mailboxes, reason) => {
        for (const mailbox of mailboxes) changed.add({ mailbox, reason });
      },
      trouble: (mailbox, reason) => trouble.add({ mailbox, reason }),
    },
    clock: { now: () => Date.now() },
    logger: silentLogger,
    ...options,
    times: { ...TIMES, ...options.times },
  });
  closing.unshift(() => gateway.close());
  return { gateway, watch: gateway.watch, changed, trouble };
}

const told = (mailbox: string, reason: string) => (one: Told) => one.mailbox === mailbox && one.reason === reason;
const isMethod = (method: string) => (one: Seen) => one.method === method;
const isNew = ({ method, headers }: Seen) => method === 'SUBSCRIBE' && headers['subscription-id'] === undefined;
const isRenewal = ({ method, headers }: Seen) => method === 'SUBSCRIBE' && headers['subscription-id'] !== undefined;
const count = (exchange: ScriptedExchange, isSuch: (one: Seen) => boolean) => exchange.seen.all.filter(isSuch).length;
/** Works instead of the server where the request is such. */
const onlyFor = (isSuch: (one: Seen) => boolean, reply: Reply) => (request: Seen) => (isSuch(request) ? reply : undefined);

describe('a subscription', () => {
  it('is asked for at the discovered folder, and calls back', async () => {
    const exchange = await startExchange();
    const callBack = await startCallBack();
    exchange.add(anna, '予定表');
    const { watch, changed } = startGateway(exchange, callBack);
    expect(watch.modeOf(anna)).toBe('starting');
    watch.follow(new Set([anna]));
    expect(watch.modeOf(anna)).toBe('starting');
    await changed.next(told(anna, 'resubscribed'));
    expect(watch.modeOf(anna)).toBe('hinted');
    expect(watch.modeOf(bob)).toBe('starting');
    const { path, headers } = exchange.seen.all.find(isNew)!;
    expect(path).toBe(`/exchange/anna@exch.example/${encodeURIComponent('予定表')}/`);
    expect(headers).toMatchObject({ 'notification-type': 'update', depth: '1', 'subscription-lifetime': '3600', 'notification-delay': '5' });
    expect(headers['call-back']).toMatch(new RegExp(`^httpu://127\\.0\\.0\\.1:${callBack.port}/[\\w-]{22}$`));
    await exchange.touch(path);
    await changed.next(told(anna, 'notified'));
    const poll = exchange.seen.all.find(isMethod('POLL'))!;
    expect([poll.path, poll.headers['subscription-id']]).toEqual([path, '1']);
    expect(watch.status()).toMatchObject({ method: 'subscribe', live: 0, hinted: 1, polled: 0, starting: 0, moving: 0, trouble: undefined });
    expect(watch.status().heardAt).toBeGreaterThan(0);
  });

  it('a burst of notifications, duplicated and out of order, is one POLL; one that says "nothing" changes nothing', async () => {
    const exchange = await startExchange();
    const callBack = await startCallBack();
    const { watch, changed } = startGateway(exchange, callBack, { times: { gatheringMs: NEVER } });
    watch.follow(new Set([anna, bob]));
    await changed.times(2, () => true);
    const { callBack: url, id } = [...exchange.subscriptions.values()].find(({ path }) => path === calendarOf(anna))!;
    const datagram = `NOTIFY ${url!} HTTP/1.1\nSubscription-ID: ${id}\n\n`;
    for (let times = 0; times < 30; times++) await sendDatagram(url!, datagram);
    await exchange.seen.next(isMethod('POLL'));
    await sendDatagram(url!, datagram);
    // Bob's comes behind them all.
    await exchange.touch(calendarOf(bob));
    await changed.next(told(bob, 'notified'));
    expect(count(exchange, ({ method, headers }) => method === 'POLL' && headers['subscription-id'] === id)).toBe(1);
    expect(changed.all.filter(told(anna, 'notified'))).toEqual([]);
  });

  it('forged datagrams without its path, or with other ids, cost nothing', async () => {
    const exchange = await startExchange();
    const callBack = await startCallBack();
    const { watch, changed } = startGateway(exchange, callBack);
    watch.follow(new Set([anna, bob, carl]));
    await changed.times(3, () => true);
    const { callBack: url, id } = [...exchange.subscriptions.values()].find(({ path }) => path === calendarOf(anna))!;
    const another = [...exchange.subscriptions.values()].find(({ path }) => path === calendarOf(carl))!.id;
    for (const forged of [`NOTIFY ${url!} HTTP/1.1\nSubscription-ID: ${another}`, `NOTIFY /x HTTP/1.1\nSubscription-ID: ${id}`, `NOTIFY ${url!} HTTP/1.1\nSubscription-ID: 4711`, `NOTIFY ${url!} HTTP/1.1\nSubscription-ID: <script>`, `POLL ${url!} HTTP/1.1\nSubscription-ID: ${id}`, 'x']) {
      await sendDatagram(url!, forged);
    }
    await exchange.touch(calendarOf(bob));
    await changed.next(told(bob, 'notified'));
    expect(count(exchange, isMethod('POLL'))).toBe(1);
  });

  it('a datagram that is lost is found by the slow POLL', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { safetyPollMs: 100 } });
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    exchange.subscriptions.get('1')!.hasFired = true;
    await changed.next(told(anna, 'notified'));
  });

  it('without a call-back it is polled', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, undefined, { times: { pollMs: 100 } });
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    expect(exchange.seen.all.find(isNew)!.headers['call-back']).toBeUndefined();
    expect(watch.modeOf(anna)).toBe('hinted');
    await exchange.seen.times(2, isMethod('POLL'));
    expect(changed.all).toHaveLength(1);
    exchange.subscriptions.get('1')!.hasFired = true;
    await changed.next(told(anna, 'notified'));
  });

  it('those of one Content-Location are polled and renewed together', async () => {
    const exchange = await startExchange();
    const callBack = await startCallBack();
    exchange.location = () => `${exchange.url.origin}/exchange/poll`;
    const { watch, changed } = startGateway(exchange, callBack, { times: { lifetimes: SOON } });
    watch.follow(new Set([anna, bob, carl]));
    await changed.times(3, () => true);
    await exchange.touch(calendarOf(bob));
    await changed.next(told(bob, 'notified'));
    const poll = exchange.seen.all.find(isMethod('POLL'))!;
    expect([poll.path, poll.headers['subscription-id']!.split(',').sort()]).toEqual(['/exchange/poll', ['1', '2', '3']]);
    const renewal = await exchange.seen.next(isRenewal);
    expect(renewal.headers['subscription-id']!.split(',').length).toBe(3);
  });

  it('another host\'s Content-Location is not gone to', async () => {
    const exchange = await startExchange();
    const other = await startExchange();
    exchange.location = (path) => other.url.origin + path;
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    await exchange.touch(calendarOf(anna));
    await changed.next(told(anna, 'notified'));
    expect([other.seen.all.length, exchange.seen.all.find(isMethod('POLL'))!.path]).toEqual([0, calendarOf(anna)]);
  });

  it('works with a form logon, and over a forgotten session', async () => {
    const exchange = await startExchange();
    exchange.auth = 'form';
    const { watch, changed } = startGateway(exchange, await startCallBack(), { auth: 'form' });
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    exchange.forgetSessions();
    await exchange.touch(calendarOf(anna));
    await changed.next(told(anna, 'notified'));
  });
});

describe('renewal', () => {
  it('names the id and nothing that is forbidden, and is no change', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { lifetimes: SOON } });
    watch.follow(new Set([anna]));
    await exchange.seen.times(3, isRenewal);
    const { headers, path } = exchange.seen.all.find(isRenewal)!;
    expect([path, headers['subscription-id'], headers['call-back'], headers['notification-type'], headers['depth']]).toEqual([calendarOf(anna), '1', undefined, undefined, undefined]);
    expect([changed.all.length, count(exchange, isNew), watch.modeOf(anna)]).toEqual([1, 1, 'hinted']);
  });

  it('that the server does not know (412) makes a new one, and says so', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { lifetimes: SOON } });
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    exchange.subscriptions.clear();
    await changed.times(2, told(anna, 'resubscribed'));
    expect([...exchange.subscriptions.keys()]).toEqual(['2']);
  });

  it('where some of many are lost (207), those are made anew', async () => {
    const exchange = await startExchange();
    exchange.location = () => `${exchange.url.origin}/exchange/poll`;
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { lifetimes: SOON } });
    watch.follow(new Set([anna, bob]));
    await changed.times(2, () => true);
    const lost = [...exchange.subscriptions.values()].find(({ path }) => path === calendarOf(bob))!;
    exchange.subscriptions.delete(lost.id);
    await changed.times(2, told(bob, 'resubscribed'));
    expect(changed.all.filter(told(anna, 'resubscribed'))).toHaveLength(1);
  });

  it('that many at once are refused (400) is done one by one; refused even then, the subscription is made anew and the old one ended', async () => {
    const exchange = await startExchange();
    exchange.location = () => `${exchange.url.origin}/exchange/poll`;
    exchange.script = (request) => (isRenewal(request) && request.headers['subscription-id']!.includes(',') ? { status: 400 } : undefined);
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { lifetimes: SOON } });
    watch.follow(new Set([anna, bob]));
    await exchange.seen.next((one) => isRenewal(one) && one.headers['subscription-id'] === '1');
    await exchange.seen.next((one) => isRenewal(one) && one.headers['subscription-id'] === '2');
    expect(changed.all).toHaveLength(2);
    exchange.script = onlyFor(isRenewal, { status: 400 });
    await exchange.seen.times(2, isMethod('UNSUBSCRIBE'));
    await changed.times(2, told(anna, 'resubscribed'));
    await changed.times(2, told(bob, 'resubscribed'));
  });

  it('a folder that was renamed is found again', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack(), { times: { lifetimes: SOON } });
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    exchange.add(anna, 'Kalender');
    exchange.subscriptions.clear();
    await changed.times(2, told(anna, 'resubscribed'));
    expect([...exchange.subscriptions.values()].map(({ path }) => path)).toEqual(['/exchange/anna@exch.example/Kalender/']);
  });
});

describe('POLL', () => {
  it.each([400, 405, 501])('that is not understood (%d): what is notified is believed', async (status) => {
    const exchange = await startExchange();
    exchange.script = onlyFor(isMethod('POLL'), { status });
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    await exchange.touch(calendarOf(anna));
    await changed.next(told(anna, 'notified'));
    await exchange.touch(calendarOf(anna));
    await changed.times(2, told(anna, 'notified'));
    expect([watch.modeOf(anna), count(exchange, isMethod('POLL'))]).toEqual(['hinted', 1]);
  });

  it('that is not understood where nobody calls back leaves polling to others', async () => {
    const exchange = await startExchange();
    exchange.script = onlyFor(isMethod('POLL'), { status: 501 });
    const { watch, trouble } = startGateway(exchange, undefined, { times: { pollMs: 50 } });
    watch.follow(new Set([anna]));
    await trouble.next(told(anna, 'the server does not understand POLL'));
    expect(watch.modeOf(anna)).toBe('polled');
  });

  it.each([
    ['is malformed', { status: 207, body: '<a:multistatus xmlns:a="DAV:">' }],
    ['fails', { status: 500 }],
    ['is busy', { status: 503 }],
  ])('that %s: what was notified is believed, and it is asked again', async (_name, reply) => {
    const exchange = await startExchange();
    exchange.script = onlyFor(isMethod('POLL'), reply);
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    await exchange.touch(calendarOf(anna));
    await changed.next(told(anna, 'notified'));
    await exchange.seen.times(2, isMethod('POLL'));
    exchange.script = () => undefined;
    await exchange.seen.times(3, isMethod('POLL'));
  });

  it('that does not speak about the id says that it may have changed', async () => {
    const exchange = await startExchange();
    exchange.script = onlyFor(isMethod('POLL'), { status: 207, body: statuses([]) });
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    await exchange.touch(calendarOf(anna));
    await changed.next(told(anna, 'notified'));
  });

  it('that knows the id no more makes a new subscription', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    const [one] = exchange.subscriptions.values();
    exchange.subscriptions.clear();
    await sendDatagram(one!.callBack!, `NOTIFY ${one!.callBack!} HTTP/1.1\nSubscription-ID: ${one!.id}`);
    await changed.times(2, told(anna, 'resubscribed'));
  });
});

describe('an unsolicited notification', () => {
  it('makes everybody doubtful until they are renewed', async () => {
    const exchange = await startExchange();
    const { watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna, bob]));
    await changed.times(2, () => true);
    exchange.script = onlyFor(isRenewal, { status: 503 });
    const [one] = exchange.subscriptions.values();
    await sendDatagram(one!.callBack!, `NOTIFY ${one!.callBack!} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await exchange.seen.times(2, isRenewal);
    expect([watch.modeOf(anna), watch.modeOf(bob)]).toEqual(['polled', 'polled']);
    expect(watch.status().trouble).toMatch(/BACKEND_BUSY.*notifications will be missing: 2 subscriptions are renewed/);
    exchange.script = () => undefined;
    await Promise.all([changed.next(told(anna, 'renewed')), changed.next(told(bob, 'renewed'))]);
    expect([watch.modeOf(anna), watch.modeOf(bob), watch.status().trouble]).toEqual(['hinted', 'hinted', undefined]);
    // Within a minute another one costs nothing.
    const renewals = count(exchange, isRenewal);
    await sendDatagram(one!.callBack!, `NOTIFY ${one!.callBack!} HTTP/1.1\r\n\r\n`);
    await exchange.touch(one!.path);
    await changed.next(({ reason }) => reason === 'notified');
    expect(count(exchange, isRenewal)).toBe(renewals);
  });
});

describe('what cannot be subscribed to', () => {
  it.each([
    [403, 'MAILBOX_REFUSED: the calendar may not be subscribed to'],
    [501, 'UNSUPPORTED: the server takes no subscriptions (501)'],
    [400, 'UNSUPPORTED: the server takes no subscriptions (400)'],
  ])('a mailbox (%d) has its own trouble and stands in nobody\'s way', async (status, reason) => {
    const exchange = await startExchange();
    exchange.script = (request) => (isNew(request) && request.path === calendarOf(anna) ? { status } : undefined);
    const { watch, changed, trouble } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna, bob]));
    await changed.next(told(bob, 'resubscribed'));
    await trouble.next(told(anna, reason));
    expect([watch.modeOf(anna), watch.modeOf(bob), watch.status().trouble]).toEqual(['polled', 'hinted', '1 calendars cannot be subscribed to']);
  });

  it('a subscription without an id is none', async () => {
    const exchange = await startExchange();
    exchange.script = onlyFor(isNew, { status: 200 });
    const { watch, trouble } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await trouble.next(told(anna, 'BACKEND_MALFORMED: the server gives a subscription without an id'));
  });

  it('while the server is away everybody waits; then all is made good', async () => {
    const exchange = await startExchange();
    exchange.script = () => ({ status: 503 });
    const { watch, changed, trouble } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna, bob, carl]));
    await exchange.seen.times(4, () => true);
    expect(watch.status().trouble).toMatch(/^BACKEND_BUSY/);
    exchange.script = () => undefined;
    await changed.times(3, ({ reason }) => reason === 'resubscribed');
    expect([watch.status().hinted, watch.status().trouble, trouble.all]).toEqual([3, undefined, []]);
  });
});

describe('coming and going', () => {
  it('whoever is followed no more is unsubscribed', async () => {
    const exchange = await startExchange();
    const memory = memoryTexts();
    const { watch, changed } = startGateway(exchange, await startCallBack(), { memory });
    watch.follow(new Set([anna, bob]));
    await changed.times(2, () => true);
    watch.follow(new Set([bob]));
    const { headers } = await exchange.seen.next(isMethod('UNSUBSCRIBE'));
    expect([...exchange.subscriptions.values()].map(({ path }) => path)).toEqual([calendarOf(bob)]);
    expect(headers['subscription-id']).toMatch(/^\d$/);
    expect(watch.modeOf(anna)).toBe('starting');
    watch.follow(new Set([anna, bob]));
    await changed.times(2, told(anna, 'resubscribed'));
  });

  it('after a restart subscriptions are renewed, not doubled, and heard under their old URL', async () => {
    const exchange = await startExchange();
    const memory = memoryTexts();
    const callBack = await startCallBack();
    const first = startGateway(exchange, callBack, { memory });
    first.watch.follow(new Set([anna, bob]));
    await first.changed.times(2, () => true);
    await first.gateway.close();
    expect(exchange.subscriptions.size).toBe(2);
    const second = startGateway(exchange, callBack, { memory });
    second.watch.follow(new Set([anna]));
    await second.changed.next(told(anna, 'renewed'));
    expect(count(exchange, isNew)).toBe(2);
    await exchange.touch(calendarOf(anna));
    await second.changed.next(told(anna, 'notified'));
    // Bob opted out while we were away.
    await exchange.seen.next(isMethod('UNSUBSCRIBE'));
    expect([...exchange.subscriptions.values()].map(({ path }) => path)).toEqual([calendarOf(anna)]);
  });

  it('after a restart with another port they are made anew, and the old ones ended', async () => {
    const exchange = await startExchange();
    const memory = memoryTexts();
    const first = startGateway(exchange, await startCallBack(), { memory });
    first.watch.follow(new Set([anna]));
    await first.changed.next(told(anna, 'resubscribed'));
    await first.gateway.close();
    const second = startGateway(exchange, await startCallBack(), { memory });
    second.watch.follow(new Set([anna]));
    await second.changed.next(told(anna, 'resubscribed'));
    await exchange.seen.next(isMethod('UNSUBSCRIBE'));
    expect([...exchange.subscriptions.keys()]).toEqual(['2']);
  });

  it('what is kept and cannot be read, or has run out, or is elsewhere, is forgotten', async () => {
    const exchange = await startExchange();
    const memory = memoryTexts();
    const kept = { id: '9', folder: exchange.url.origin + calendarOf(bob), lifetimeMs: NEVER, expiresAt: Date.now() + NEVER };
    memory.set(`webdav-subscription ${anna}`, '{');
    memory.set(`webdav-subscription ${bob}`, JSON.stringify({ ...kept, expiresAt: 1 }));
    memory.set(`webdav-subscription ${carl}`, JSON.stringify({ ...kept, folder: 'https://evil.example/x', location: 'https://evil.example/x' }));
    const { watch, changed } = startGateway(exchange, await startCallBack(), { memory });
    watch.follow(new Set([anna, bob, carl]));
    await changed.times(3, ({ reason }) => reason === 'resubscribed');
    expect([count(exchange, isRenewal), exchange.subscriptions.size]).toEqual([0, 3]);
  });

  it('when the port moves, they move; the old path is heard until then (A63)', async () => {
    const exchange = await startExchange();
    const callBack = await startCallBack();
    const { watch, changed } = startGateway(exchange, callBack);
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    const [old] = exchange.subscriptions.values();
    exchange.script = onlyFor(isNew, { status: 503 });
    const free = await startCallBack();
    const { port } = free;
    await free.close();
    await callBack.rebind({ ...LOOPBACK, port });
    expect(watch.status().moving).toBe(1);
    await exchange.seen.times(2, isNew);
    await sendDatagram(old!.callBack!, `NOTIFY ${old!.callBack!} HTTP/1.1\nSubscription-ID: ${old!.id}`);
    await changed.next(told(anna, 'notified'));
    exchange.script = () => undefined;
    await changed.times(2, told(anna, 'resubscribed'));
    await exchange.seen.next(isMethod('UNSUBSCRIBE'));
    const [moved, ...more] = exchange.subscriptions.values();
    expect([new URL(moved!.callBack!).port, more.length, watch.status().moving]).toEqual([String(port), 0, 0]);
    await exchange.touch(calendarOf(anna));
    await changed.times(2, told(anna, 'notified'));
  });

  it('takes leave where it is asked to, as far as the server answers, and is silent afterwards', async () => {
    const exchange = await startExchange();
    const memory = memoryTexts();
    const { gateway, watch, changed } = startGateway(exchange, await startCallBack(), { memory });
    watch.follow(new Set([anna, bob]));
    await changed.times(2, () => true);
    await gateway.close({ unsubscribe: true });
    expect([exchange.subscriptions.size, [...memory.keys()].filter((key) => key.startsWith('webdav-subscription'))]).toEqual([0, []]);
    const { length } = exchange.seen.all;
    watch.follow(new Set([carl]));
    await gateway.close();
    expect(exchange.seen.all.length).toBe(length);
  });

  it('a server that says nothing does not hold up the leave', async () => {
    const exchange = await startExchange();
    const { gateway, watch, changed } = startGateway(exchange, await startCallBack());
    watch.follow(new Set([anna]));
    await changed.next(told(anna, 'resubscribed'));
    exchange.script = ({ method }) => (method === 'UNSUBSCRIBE' ? 'silence' : undefined);
    await gateway.close({ unsubscribe: true });
    expect(exchange.subscriptions.size).toBe(1);
  });
});
