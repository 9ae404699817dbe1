import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch as watchFiles } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { ShownPresence } from '../../src/presence/presence.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { SipPublisher } from '../../src/protocols/sip/publisher.ts';
import type { SipPublisherOptions } from '../../src/protocols/sip/publisher.ts';
import { Authority } from '../platform/certificates.ts';
import { hasKamailio, startKamailio } from './kamailio.ts';
import type { Kamailio } from './kamailio.ts';
import { publishAsTelephone, SipWatcher } from './sip-watcher.ts';

const HOUR_MS = 3_600_000;
const SIPP = '/usr/bin/sipp';
const hasSipp = process.env['REQUIRE_PEERS'] === '1' || existsSync(SIPP);

let people = 0;
/** Somebody of whom no other test published anything. */
const somebody = (): MailboxAddress => `user${++people}@corp.example` as MailboxAddress;
const signal = (): AbortSignal => AbortSignal.timeout(15_000);

function shown(state: ShownPresence['state'], text = ''): ShownPresence {
  const now = Date.now();
  return { state, until: now + HOUR_MS, reason: 'calendar', since: now, next: { state: 'away', start: now + 2 * HOUR_MS, end: null }, text, language: 'en' };
}

const tuples = (document: string): number => document.split('<tuple').length - 1;
const isMeeting = (document: string): boolean => /<\w+:meeting\/>/.test(document);
const isOpen = (document: string): boolean => document.includes('<basic>open</basic>');

describe.skipIf(!hasKamailio)('SIP publications at a Kamailio', () => {
  let kamailio: Kamailio;
  const open: { close(): unknown }[] = [];

  beforeAll(async () => void (kamailio = await startKamailio()));
  afterAll(() => kamailio.close());
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });

  function publisher(options: Partial<SipPublisherOptions> = {}, onLost: () => void = () => undefined, at = kamailio): SipPublisher {
    const one = new SipPublisher({ server: { host: at.host, port: at.port, transport: 'udp' }, expiresMs: HOUR_MS, memory: memoryTexts(), clock: systemClock, logger: silentLogger, domain: 'corp.example', ...options });
    one.start(onLost);
    open.push(one);
    return one;
  }

  async function watch(user: MailboxAddress, at = kamailio): Promise<SipWatcher> {
    const watcher = await SipWatcher.watch(at.port, user);
    open.push(watcher);
    return watcher;
  }

  it.each(['udp', 'tcp'] as const)('a watcher sees the meeting, a change, available again, and nothing after opting out (%s)', async (transport) => {
    const [who, one] = [somebody(), publisher({ server: { host: kamailio.host, port: kamailio.port, transport } })];
    const watcher = await watch(who);
    await one.publish(who, shown('in-a-meeting', 'In a meeting'), signal());
    const meeting = await watcher.sees(isMeeting);
    expect(meeting.document).toContain('<note xml:lang="en">In a meeting</note>');
    expect(meeting.document).toContain('timed-status from=');
    expect(isOpen(meeting.document)).toBe(true);
    await one.publish(who, shown('away', 'Away'), signal());
    expect(isMeeting((await watcher.sees((document) => /<\w+:away\/><\/|<\w+:away\/>\s*<\/\w+:activities>\s*<\w+:timestamp/.test(document))).document)).toBe(false);
    await one.publish(who, shown('available'), signal());
    const free = await watcher.sees((document) => isOpen(document) && !document.includes('person'));
    expect(tuples(free.document)).toBe(1);
    await one.withdraw(who, signal());
    await watcher.sees((document) => document.includes('<basic>closed</basic>') || document === '');
    expect(await one.observe(who, signal())).toBeUndefined();
  });

  it('the publisher observes what watchers see, a telephone’s state among it', async () => {
    const [who, one] = [somebody(), publisher()];
    expect(await one.observe(who, signal())).toBeUndefined();
    for (const state of ['in-a-meeting', 'away', 'do-not-disturb', 'on-the-phone', 'unknown', 'offline', 'available'] as const) {
      await one.publish(who, shown(state), signal());
      expect(await one.observe(who, signal())).toBe(state);
    }
    await publishAsTelephone(kamailio.port, who);
    expect(await one.observe(who, signal())).toBe('available');
    // Unknown is not available because a telephone is there.
    await one.publish(who, shown('unknown'), signal());
    expect(await one.observe(who, signal())).toBe('unknown');
  });

  it('a telephone’s tuple stands beside ours, and stays when its owner opts out, were the calendar unknown by then', async () => {
    const [who, one] = [somebody(), publisher()];
    await publishAsTelephone(kamailio.port, who);
    const watcher = await watch(who);
    await one.publish(who, shown('in-a-meeting'), signal());
    expect(tuples((await watcher.sees(isMeeting)).document)).toBe(2);
    await one.publish(who, shown('unknown'), signal());
    const unknown = await watcher.sees((document) => /<\w+:unknown\/>/.test(document));
    expect(tuples(unknown.document)).toBe(1);
    await one.withdraw(who, signal());
    const gone = await watcher.sees((document) => !document.includes('person'));
    expect(gone.document).toContain('id="telephone"');
  });

  it('a bridge that begins anew changes what it published before: never two tuples', async () => {
    const who = somebody();
    const memory = memoryTexts();
    const before = publisher({ memory });
    await before.publish(who, shown('in-a-meeting'), signal());
    await before.close();
    const watcher = await watch(who);
    const after = publisher({ memory });
    await after.publish(who, shown('available'), signal());
    const free = await watcher.sees((document) => !isMeeting(document));
    expect(tuples(free.document)).toBe(1);
    await after.withdraw(who, signal());
    expect(await after.observe(who, signal())).toBeUndefined();
  });

  it.skipIf(!hasSipp)('sipp watches too', async () => {
    const [who, one] = [somebody(), publisher()];
    await one.publish(who, shown('in-a-meeting'), signal());
    const { sentAnswer, exited } = await startSipp('watch.xml', who.split('@')[0]!, kamailio.port);
    // It has subscribed and seen the meeting once it has answered the first NOTIFY.
    await sentAnswer;
    await one.publish(who, shown('available'), signal());
    expect(await exited).toBe(0);
  });

  it('an address of odd characters is found again', async () => {
    const [who, one] = [`o'neil+a=b&c%d${++people}@corp.example` as MailboxAddress, publisher()];
    await one.publish(who, shown('in-a-meeting'), signal());
    expect(await one.observe(who, signal())).toBe('in-a-meeting');
  });

  it('the probe finds presence', async () => {
    expect((await publisher().probe(signal())).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'sign-in ok', 'presence ok']);
    const tcp = publisher({ server: { host: kamailio.host, port: kamailio.port, transport: 'tcp' } });
    expect((await tcp.probe(signal())).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP ok', 'sign-in ok', 'presence ok']);
  });

  it('over TLS, ended before Kamailio', async () => {
    const authority = new Authority('SIP');
    const { certificate, key } = authority.issue('/CN=im', 'IP:127.0.0.1', 30);
    const front = createTlsServer({ cert: certificate, key }, (socket) => {
      const back = connect(kamailio.port, '127.0.0.1');
      socket.on('error', () => back.destroy()).pipe(back);
      back.on('error', () => socket.destroy()).pipe(socket);
    });
    await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
    open.push({ close: () => (front.close(), authority.remove()) });
    const [who, one] = [somebody(), publisher({ server: { host: '127.0.0.1', port: (front.address() as AddressInfo).port, transport: 'tls' }, ca: [authority.certificate] })];
    await one.publish(who, shown('in-a-meeting'), signal());
    expect(await publisher().observe(who, signal())).toBe('in-a-meeting');
    expect((await one.probe(signal())).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'TCP ok', 'TLS ok', 'sign-in ok', 'presence ok']);
    const stranger = publisher({ server: { host: '127.0.0.1', port: (front.address() as AddressInfo).port, transport: 'tls' } });
    await expect(stranger.publish(who, shown('available'), signal())).rejects.toMatchObject({ code: 'BACKEND_TLS', temporary: false });
  });

  async function startSipp(scenario: string, service: string, port: number): Promise<{ readonly sentAnswer: Promise<void>; readonly exited: Promise<number | null> }> {
    const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
    const messages = join(folder, 'messages');
    const args = ['-sf', resolve('test', 'peers', 'sipp', scenario), '-s', service, '-m', '1', '-i', '127.0.0.1', '-p', String(await freeUdpPort()), '-nostdin', '-timeout', '15s', '-timeout_error', '-trace_msg', '-message_file', messages, `127.0.0.1:${port}`];
    const child: ChildProcess = spawn(SIPP, args, { stdio: 'ignore', cwd: folder });
    const watching = new AbortController();
    open.push({ close: () => (watching.abort(), child.kill('SIGKILL'), rmSync(folder, { recursive: true, force: true })) });
    const exited = new Promise<number | null>((done) => child.once('exit', done));
    const sentAnswer = new Promise<void>((done) => {
      const look = (): void => {
        if (existsSync(messages) && /UDP message sent[^:]*:\s*SIP\/2\.0 200/.test(readFileSync(messages, 'utf8'))) done();
      };
      watchFiles(folder, { signal: watching.signal }, look);
      void exited.then(() => done());
    });
    return { sentAnswer, exited };
  }
});

/** sipp wants to be told its port. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}

describe.skipIf(!hasKamailio)('a Kamailio of its own', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });

  async function world(kamailioOptions: Parameters<typeof startKamailio>[0], options: Partial<SipPublisherOptions> = {}, onLost: () => void = () => undefined): Promise<{ readonly kamailio: Kamailio; readonly publisher: SipPublisher; readonly again: (more: Partial<SipPublisherOptions>) => SipPublisher }> {
    const kamailio = await startKamailio(kamailioOptions);
    open.push(kamailio);
    const again = (more: Partial<SipPublisherOptions>): SipPublisher => {
      const one = new SipPublisher({ server: { host: kamailio.host, port: kamailio.port, transport: 'udp' }, expiresMs: HOUR_MS, memory: memoryTexts(), clock: systemClock, logger: silentLogger, domain: 'corp.example', ...options, ...more });
      one.start(onLost);
      open.push(one);
      return one;
    };
    return { kamailio, publisher: again({}), again };
  }

  it.each(['MD5', 'SHA-256'] as const)('that wants a sign-in by %s', async (algorithm) => {
    const credentials = { username: 'bridge', password: 'pw of bridge' };
    const { publisher, again } = await world({ signIn: { ...credentials, algorithm } }, credentials);
    const who = somebody();
    await publisher.publish(who, shown('in-a-meeting'), signal());
    await publisher.publish(who, shown('away'), signal());
    expect(await publisher.observe(who, signal())).toBe('away');
    expect((await publisher.probe(signal())).map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(['DNS ok', 'sign-in ok', 'presence ok']);
    const wrong = again({ password: 'wrong' });
    await expect(wrong.publish(who, shown('available'), signal())).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false });
    expect((await wrong.probe(signal())).at(-1)).toMatchObject({ step: 'sign-in', outcome: 'fail' });
    await expect(again({ username: undefined, password: undefined }).publish(who, shown('available'), signal())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(await publisher.observe(who, signal())).toBe('away');
  });

  it('that begins anew with nothing is told everything again', async () => {
    let lost = 0;
    const { kamailio, publisher } = await world({}, {}, () => lost++);
    const [anna, bernd] = [somebody(), somebody()];
    await publisher.publish(anna, shown('in-a-meeting'), signal());
    await publisher.publish(bernd, shown('in-a-meeting'), signal());
    await kamailio.stop();
    await kamailio.start();
    expect(await publisher.observe(anna, signal())).toBeUndefined();
    await publisher.publish(anna, shown('away'), signal());
    expect(await publisher.observe(anna, signal())).toBe('away');
    expect(lost).toBe(1);
    // A removal of what is not there any more is no failure.
    await publisher.withdraw(bernd, signal());
  });

  it.each(['memory', 'sqlite'] as const)('publications (in %s) outlive their time by being renewed, and lapse where nobody renews them', async (store) => {
    const { publisher, again } = await world({ maxExpires: 4, store });
    const [who, orphan] = [somebody(), somebody()];
    await publisher.publish(who, shown('in-a-meeting'), signal());
    const short = again({});
    await short.publish(orphan, shown('in-a-meeting'), signal());
    await short.close();
    // Kamailio takes away what has lapsed: by then the other one has been renewed at least once.
    while ((await publisher.observe(orphan, signal())) !== undefined) await new Promise((done) => setTimeout(done, 200));
    expect(await publisher.observe(who, signal())).toBe('in-a-meeting');
  });

  it('that wants longer lives gets them (423)', async () => {
    const { publisher } = await world({ minExpires: 1_800 }, { expiresMs: 60_000 });
    const who = somebody();
    await publisher.publish(who, shown('in-a-meeting'), signal());
    expect(await publisher.observe(who, signal())).toBe('in-a-meeting');
  });

  it('without presence is found out', async () => {
    const { publisher } = await world({ hasPresence: false });
    await expect(publisher.publish(somebody(), shown('in-a-meeting'), signal())).rejects.toMatchObject({ code: 'MAILBOX_UNKNOWN', temporary: false });
    expect((await publisher.probe(signal())).at(-1)).toMatchObject({ step: 'presence', outcome: 'warn' });
  });
});
