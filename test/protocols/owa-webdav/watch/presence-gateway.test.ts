import { afterEach, describe, expect, it } from 'vitest';
import type { NotificationPort } from '../../../../src/core/notification-port.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../../src/directory/smtp-address.ts';
import { HttpuCallBack } from '../../../../src/platform/call-back/httpu-call-back.ts';
import { memoryTexts } from '../../../../src/presence/publisher.ts';
import { WebdavPresenceGateway } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import type { WebdavPresenceOptions } from '../../../../src/protocols/owa-webdav/presence-gateway.ts';
import { context } from '../stand-in.ts';
import { NOW, PASSWORD, ScriptedExchange, USERNAME, item } from './scripted-exchange.ts';

const anna = parseMailboxAddress('anna@exch.example')!;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(options: Partial<WebdavPresenceOptions> = {}) {
  const exchange = await ScriptedExchange.start();
  const callBack = await HttpuCallBack.open({ host: '127.0.0.1', port: 0, publicHost: '127.0.0.1' }, silentLogger);
  const gateway = new WebdavPresenceGateway({
    description: 'old exchange',
    servers: [exchange.url],
    auth: 'basic',
    username: USERNAME,
    password: PASSWORD,
    hosts: [],
    callBack,
    memory: memoryTexts(),
    listener: { changed: () => undefined, trouble: () => undefined },
    clock: { now: () => NOW },
    logger: silentLogger,
    ...options,
  });
  closing.push(() => gateway.close(), () => exchange.close(), () => callBack.close());
  return { exchange, gateway };
}

/** Everything but what a step has to do with clocks and versions, as `outcome step: text`. */
async function probed(gateway: WebdavPresenceGateway, sample: typeof anna | 'nobody' = anna) {
  const findings = await gateway.probe(sample === 'nobody' ? undefined : sample, context());
  for (const { outcome, advice } of findings) expect(outcome === 'ok' || (advice ?? '') !== '').toBe(true);
  return findings;
}
const lines = (findings: Awaited<ReturnType<typeof probed>>) => findings.map(({ outcome, step, text }) => `${outcome} ${step}: ${text}`);

describe('the probe', () => {
  it('tries everything, and leaves nothing behind', async () => {
    const { exchange, gateway } = await start();
    exchange.add(anna, '予定表', [item({ dtstart: '2026-03-02T09:30:00.000Z', dtend: '2026-03-02T10:00:00.000Z' })]);
    expect(lines(await probed(gateway))).toEqual([
      'ok sign-in: signed in (basic)',
      'ok version: store 6.5.7226 (Exchange 2003)',
      expect.stringMatching(/^ok clock: /),
      'ok right to read: the account may open the mailbox of anna@exch.example (Receive-As)',
      'ok calendar folder: the calendar is /exchange/anna@exch.example/予定表/',
      'ok read calendar: SEARCH works: 1 events about now',
      'ok subscription: SUBSCRIBE works, for 60 minutes',
      'ok call-back: the notification port is reached under its own address, from here',
    ]);
    expect(exchange.subscriptions.size).toBe(0);
  });

  it('a wrong password: the domain is named where it is missing (A21)', async () => {
    const { gateway } = await start({ username: 'presence' });
    const [signIn, ...rest] = await probed(gateway);
    expect(signIn).toMatchObject({ step: 'sign-in', outcome: 'fail', text: 'BACKEND_AUTH: the server refuses the credentials' });
    expect(signIn!.advice).toContain('DOMAIN\\user');
    expect(rest.map(({ step }) => step)).toEqual(['call-back']);
    const other = await start({ password: 'wrong' });
    expect((await probed(other.gateway))[0]!.advice).toBe('check username and password');
  });

  it('a form where Basic was meant', async () => {
    const { exchange, gateway } = await start();
    exchange.auth = 'form';
    expect((await probed(gateway))[0]).toMatchObject({ step: 'sign-in', outcome: 'fail', advice: 'set auth: form' });
  });

  it.each([401, 403])('a mailbox that may not be opened (%d) is no-receive-as (A19)', async (status) => {
    const { exchange, gateway } = await start();
    exchange.add(anna);
    exchange.script = ({ method }) => (method === 'PROPFIND' ? { status } : undefined);
    expect(lines(await probed(gateway))).toContain('fail right to read: no-receive-as: the account may not open the mailbox of anna@exch.example');
  });

  it('a mailbox that is not there (404)', async () => {
    const { gateway } = await start();
    expect(lines(await probed(gateway))).toContain('fail right to read: there is nothing at /exchange/anna@exch.example/ (404)');
  });

  it('an Exchange that has no WebDAV any more (A04)', async () => {
    const { exchange, gateway } = await start();
    exchange.script = () => ({ status: 404, headers: { 'x-owa-version': '14.3.123.4' } });
    expect((await probed(gateway))[0]).toMatchObject({ step: 'version', outcome: 'fail', text: 'OWA 14.3.123.4: Exchange 2010 and later have no WebDAV', advice: 'make it a gateway of type ews' });
  });

  it('a folder elsewhere, a closed calendar, no subscriptions', async () => {
    const { exchange, gateway } = await start();
    exchange.add(anna).href = 'https://evil.example/exchange/anna/Calendar/';
    expect(lines(await probed(gateway)).at(-2)).toBe('fail calendar folder: BACKEND_REDIRECT: the server says that the calendar is elsewhere (https://evil.example)');
    exchange.add(anna);
    exchange.script = ({ method }) => (method === 'SEARCH' ? { status: 403 } : method === 'SUBSCRIBE' ? { status: 501 } : undefined);
    expect(lines(await probed(gateway)).slice(-3, -1)).toEqual([
      'warn read calendar: SEARCH is refused (403): cmd=freebusy is asked instead, in slots of minutes',
      'warn subscription: UNSUPPORTED: the server takes no subscriptions (501)',
    ]);
  });

  it('nobody named, no port, no server', async () => {
    const { exchange, gateway } = await start({ callBack: undefined });
    expect(lines(await probed(gateway, 'nobody')).filter((one) => !one.includes('clock'))).toEqual([
      'ok sign-in: signed in (basic)',
      'warn right to read: nobody is named whose calendar could be tried',
      'warn call-back: no notification port is open: subscriptions are polled',
    ]);
    await exchange.close();
    expect((await probed(gateway))[0]).toMatchObject({ step: 'connection', outcome: 'fail' });
  });

  it('a call-back that nobody hears', async () => {
    const deaf: NotificationPort = { scheme: 'httpu', generation: 1, open: () => ({ url: 'httpu://127.0.0.1:9/x', close: () => undefined }), onMoved: () => () => undefined };
    const { exchange, gateway } = await start({ callBack: deaf });
    exchange.add(anna);
    expect(lines(await probed(gateway)).at(-1)).toBe('fail call-back: a datagram to 127.0.0.1:9/udp does not arrive');
  });
});

describe('the gateway', () => {
  it('is what the port says, and may be closed twice', async () => {
    const { gateway } = await start();
    expect([gateway.description, gateway.type]).toEqual(['old exchange', 'webdav']);
    await gateway.close();
    await gateway.close({ unsubscribe: true });
  });
});

describe('several servers', () => {
  it('a mailbox is looked for at each, and everything about it goes to the one that has it', async () => {
    const [first, second] = [await ScriptedExchange.start(), await ScriptedExchange.start()];
    second.add(anna, 'Kalender', [item({ dtstart: '2026-03-02T09:30:00.000Z', dtend: '2026-03-02T10:00:00.000Z' })]);
    const { gateway } = await start({ servers: [first.url, second.url], callBack: undefined });
    closing.push(() => first.close(), () => second.close());
    const window = { start: NOW, end: NOW + 3_600_000 };
    const read = async () => gateway.source.freeBusy({ mailboxes: [anna], window, details: false }, context());
    for (const times of [1, 2]) {
      expect(await read(), String(times)).toMatchObject([{ freeBusy: { events: [{ busyType: 'busy' }] } }]);
    }
    // Looked for once; then the place is known.
    expect(first.seen.all.map(({ method }) => method)).toEqual(['PROPFIND']);
    expect(second.seen.all.map(({ method }) => method)).toEqual(['PROPFIND', 'SEARCH', 'SEARCH']);
    const findings = await gateway.probe(anna, context());
    expect(findings.map(({ step, outcome }) => `${outcome} ${step}`)).toContain('ok subscription');
    expect(first.seen.all.every(({ method }) => method === 'PROPFIND')).toBe(true);
  });

  it('goes past one that is dead', async () => {
    const gone = await ScriptedExchange.start();
    const { url } = gone;
    await gone.close();
    const well = await ScriptedExchange.start();
    well.add(anna, 'Calendrier', [item({ dtstart: '2026-03-02T09:30:00.000Z', dtend: '2026-03-02T10:00:00.000Z' })]);
    const { gateway } = await start({ servers: [url, well.url], callBack: undefined });
    closing.push(() => well.close());
    expect(await gateway.source.freeBusy({ mailboxes: [anna], window: { start: NOW, end: NOW + 3_600_000 }, details: false }, context())).toMatchObject([{ freeBusy: { events: [{ busyType: 'busy' }] } }]);
  });
});
