import { afterEach, describe, expect, it, vi } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { ShownPresence } from '../../../src/presence/presence.ts';
import { memoryTexts } from '../../../src/presence/publisher.ts';
import { SipPublisher } from '../../../src/protocols/sip/publisher.ts';
import type { SipPublisherOptions } from '../../../src/protocols/sip/publisher.ts';
import { reply, scriptedServer } from './scripted-server.ts';
import type { ScriptedServer, SeenMessage } from './scripted-server.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const BERND = 'bernd@corp.example' as MailboxAddress;
const NOW = Date.parse('2026-03-02T09:00:00Z');
const MEETING: ShownPresence = { state: 'in-a-meeting', until: NOW + 3_600_000, reason: 'calendar', since: NOW, next: null, text: 'In a meeting', language: 'en' };
const FREE: ShownPresence = { ...MEETING, state: 'available', until: null, text: '' };
const signal = (): AbortSignal => AbortSignal.timeout(15_000);
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

type Answer = (request: SeenMessage, count: number) => readonly string[] | Promise<readonly string[]>;

interface World {
  readonly server: ScriptedServer;
  readonly clock: { time: number; now(): number };
  readonly memory: ReturnType<typeof memoryTexts>;
  readonly lost: () => number;
  /** Waits until so many tags were kept: an answer was taken in, not only sent. */
  readonly kept: (count: number) => Promise<void>;
  /** Waits until something was warned of. */
  readonly warned: Promise<void>;
  readonly publisher: (options?: Partial<SipPublisherOptions>) => SipPublisher;
}

/** By default a server that takes everything, with tags e1, e2, … */
async function world(answer: Answer = granting): Promise<World> {
  let count = 0;
  let lost = 0;
  const server = await scriptedServer('udp', (request) => answer(request, ++count));
  const clock = { time: NOW, now: () => clock.time };
  const memory = memoryTexts();
  let sets = 0;
  const looks = new Set<() => void>();
  const set = memory.set.bind(memory);
  memory.set = (key, text) => {
    set(key, text);
    sets++;
    for (const look of looks) look();
  };
  let warn: () => void = () => undefined;
  const warned = new Promise<void>((resolve) => (warn = resolve));
  open.push(server);
  return {
    server,
    clock,
    memory,
    lost: () => lost,
    warned,
    kept: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => void (sets >= wanted && resolve());
        looks.add(look);
        look();
      }),
    publisher: (options = {}) => {
      const publisher = new SipPublisher({ server: server.server, expiresMs: 3_600_000, memory, clock, logger: { ...silentLogger, warn: () => warn() }, timers: { t1Ms: 2_000, t2Ms: 4_000 }, ...options });
      publisher.start(() => lost++);
      open.unshift(publisher);
      return publisher;
    },
  };
}

function granting(request: SeenMessage, count: number): readonly string[] {
  return [reply(request, '200 OK', `SIP-ETag: e${count}`, `Expires: ${request.header('Expires')}`)];
}

/** What a PUBLISH is: tag, seconds, and the state in its document. */
function told(message: SeenMessage): string {
  const state = message.body === '' ? 'no document' : (/<r:activities[^>]*><r:([\w-]+)\/>/.exec(message.body)?.[1] ?? /<basic>(\w+)/.exec(message.body)![1]!);
  return `${message.header('SIP-If-Match') ?? 'new'} ${message.header('Expires')} ${state}`;
}

describe('a SIP publisher', () => {
  it('publishes, changes, and removes by the tag of the answer before (RFC 3903 §4)', async () => {
    const { server, publisher, memory } = await world();
    const one = publisher();
    expect(one.label).toBe(`sip 127.0.0.1:${server.server.port}`);
    await one.publish(ANNA, MEETING, signal());
    await one.publish(ANNA, FREE, signal());
    await one.withdraw(ANNA, signal());
    expect(server.seen.map(told)).toEqual(['new 3600 meeting', 'e1 3600 open', 'e2 0 no document']);
    expect(server.seen[0]!.header('Event')).toBe('presence');
    expect(server.seen[0]!.header('Content-Type')).toBe('application/pidf+xml');
    expect(server.seen[0]!.body).toContain('entity="sip:anna@corp.example"');
    expect([...memory.keys()]).toEqual([]);
    await one.withdraw(ANNA, signal());
    expect(server.seen).toHaveLength(3);
  });

  it('goes on where its predecessor stopped, while that publication lives', async () => {
    const { server, publisher, memory, clock } = await world();
    const before = publisher();
    await before.publish(ANNA, MEETING, signal());
    await before.close();
    expect([...memory.keys()]).toEqual([`${before.label} anna@corp.example`]);
    const after = publisher();
    await after.publish(ANNA, FREE, signal());
    await after.close();
    clock.time += 3_600_001;
    await publisher().publish(ANNA, FREE, signal());
    expect(server.seen.map(told)).toEqual(['new 3600 meeting', 'e1 3600 open', 'new 3600 open']);
  });

  it('has published when its tag is on disk; a disk that does not take it is no failure', async () => {
    const { publisher, memory } = await world();
    const order: string[] = [];
    memory.flush = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`kept ${[...memory.keys()].length}`);
      if (order.length > 2) throw new BridgeError('STORE_UNAVAILABLE', 'the disk is full');
    };
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    order.push('published');
    await one.publish(ANNA, FREE, signal());
    expect(order).toEqual(['kept 1', 'published', 'kept 1']);
  });

  it('forgets at its start what has lapsed or cannot be read, and leaves others’ texts alone', async () => {
    const { publisher, memory, clock, server } = await world();
    const key = (mailbox: string): string => `sip 127.0.0.1:${server.server.port} ${mailbox}`;
    memory.set(key('anna@corp.example'), `${clock.time} old`);
    memory.set(key('bernd@corp.example'), `${clock.time + 1} live`);
    memory.set(key('clara@corp.example'), 'two words and "more"');
    memory.set('sip 127.0.0.1:1 anna@corp.example', '1 x');
    publisher();
    expect([...memory.keys()]).toEqual([key('bernd@corp.example'), 'sip 127.0.0.1:1 anna@corp.example']);
  });

  it('begins anew after a 412, and says once that the server has lost what it was told', async () => {
    let isEmpty = false;
    const { server, publisher, lost } = await world((request, count) => (isEmpty && request.header('SIP-If-Match')?.startsWith('e') === true && Number(request.header('SIP-If-Match')!.slice(1)) < 3 ? [reply(request, '412 Conditional Request Failed')] : granting(request, count)));
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    await one.publish(BERND, MEETING, signal());
    isEmpty = true;
    await one.publish(ANNA, FREE, signal());
    await one.publish(BERND, FREE, signal());
    expect(server.seen.map(told).slice(2)).toEqual(['e1 3600 open', 'new 3600 open', 'e2 3600 open', 'new 3600 open']);
    expect(lost()).toBe(1);
    isEmpty = false;
    await one.publish(ANNA, MEETING, signal());
    expect(server.seen.map(told).at(-1)).toBe('e4 3600 meeting');
  });

  it('says a second loss too, a minute after the first; what the first one took is none', async () => {
    const gone = new Set<string>();
    const { server, publisher, lost, clock } = await world((request, count) => (gone.has(request.header('SIP-If-Match') ?? '') ? [reply(request, '412 Conditional Request Failed')] : granting(request, count)));
    const one = publisher();
    for (const mailbox of [ANNA, BERND]) await one.publish(mailbox, MEETING, signal());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      for (const tag of ['e1', 'e2']) gone.add(tag);
      await one.publish(ANNA, FREE, signal());
      await one.publish(BERND, FREE, signal());
      expect(lost()).toBe(1);
      vi.advanceTimersByTime(LIMITS.sipLostPauseMs);
      expect(lost()).toBe(1);
      // Once more, soon after.
      const tags = server.seen.length;
      for (let count = 1; count <= tags; count++) gone.add(`e${count}`);
      await one.publish(ANNA, MEETING, signal());
      expect(lost()).toBe(1);
      clock.time += LIMITS.sipLostPauseMs;
      vi.advanceTimersByTime(LIMITS.sipLostPauseMs);
      expect(lost()).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes a 412 of its own making (an answer that never came) for no loss', async () => {
    let step = 0;
    const { publisher, lost } = await world((request, count) => {
      step++;
      if (step === 2) return [];
      return step === 3 ? [reply(request, '412 Conditional Request Failed')] : granting(request, count);
    });
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    await expect(one.publish(ANNA, FREE, AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
    await one.publish(ANNA, FREE, signal());
    expect(lost()).toBe(0);
  });

  it('takes a 412 for a former life’s tag for no loss: everything is published anyway after a start', async () => {
    const { server, publisher, lost, memory, clock } = await world((request, count) => (request.header('SIP-If-Match') === 'old' ? [reply(request, '412 Conditional Request Failed')] : granting(request, count)));
    memory.set(`sip 127.0.0.1:${server.server.port} ${ANNA}`, `${clock.time + 1_000} old`);
    await publisher().publish(ANNA, FREE, signal());
    expect(server.seen.map(told)).toEqual(['old 3600 open', 'new 3600 open']);
    expect(lost()).toBe(0);
  });

  it('does not try for ever', async () => {
    const { server, publisher } = await world((request, count) => [reply(request, '423 Interval Too Brief', `Min-Expires: ${3_600 + count}`)]);
    await expect(publisher().publish(ANNA, MEETING, signal())).rejects.toMatchObject({ code: 'BACKEND_FAULT' });
    expect(server.seen).toHaveLength(LIMITS.sipPublishTries);
  });

  it('asks for as long as a 423 wants, and remembers it', async () => {
    const { server, publisher } = await world((request, count) => (Number(request.header('Expires')) < 7_200 ? [reply(request, '423 Interval Too Brief', 'Min-Expires: 7200')] : granting(request, count)));
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    await one.publish(BERND, MEETING, signal());
    expect(server.seen.map(told)).toEqual(['new 3600 meeting', 'new 7200 meeting', 'new 7200 meeting']);
  });

  it.each([
    ['no Min-Expires', []],
    ['less than was asked for', ['Min-Expires: 60']],
    ['more than a day', ['Min-Expires: 999999999']],
  ])('believes no 423 with %s', async (_what, headers) => {
    const { server, publisher } = await world((request) => [reply(request, '423 Interval Too Brief', ...headers)]);
    await expect(publisher().publish(ANNA, MEETING, signal())).rejects.toMatchObject({ code: 'BACKEND_FAULT', temporary: false });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    ['302 Moved Temporarily', 'BACKEND_REDIRECT', false],
    ['400 Bad Request', 'BACKEND_FAULT', false],
    ['401 Unauthorized', 'BACKEND_AUTH', false],
    ['403 Forbidden', 'MAILBOX_REFUSED', false],
    ['404 Not Found', 'MAILBOX_UNKNOWN', false],
    ['405 Method Not Allowed', 'CONFIGURATION', false],
    ['407 Proxy Authentication Required', 'BACKEND_AUTH', false],
    ['408 Request Timeout', 'BACKEND_UNREACHABLE', true],
    ['412 Conditional Request Failed', 'BACKEND_FAULT', true],
    ['415 Unsupported Media Type', 'CONFIGURATION', false],
    ['482 Loop Detected', 'BACKEND_FAULT', false],
    ['489 Bad Event', 'CONFIGURATION', false],
    ['500 Server Internal Error', 'BACKEND_FAULT', true],
    ['503 Service Unavailable', 'BACKEND_BUSY', true],
    ['504 Server Time-out', 'BACKEND_UNREACHABLE', true],
    ['599 Whatever', 'BACKEND_FAULT', true],
    ['603 Decline', 'MAILBOX_REFUSED', false],
    ['604 Does Not Exist Anywhere', 'MAILBOX_UNKNOWN', false],
    ['699 Whatever', 'BACKEND_FAULT', false],
    // A 200 without a tag could never be changed again.
    ['200 OK', 'BACKEND_MALFORMED', true],
  ])('%s is %s', async (status, code, temporary) => {
    const { server, publisher, memory } = await world((request) => [reply(request, status, 'Retry-After: 17 (later)')]);
    await expect(publisher().publish(ANNA, MEETING, signal())).rejects.toMatchObject({ code, temporary, ...(code === 'BACKEND_AUTH' ? {} : { retryAfterMs: 17_000 }) });
    expect(server.seen).toHaveLength(1);
    expect([...memory.keys()]).toEqual([]);
  });

  it('believes no tag that is none, and no life of no seconds', async () => {
    const { publisher } = await world((request, count) => [count === 1 ? reply(request, '200 OK', 'SIP-ETag: a b') : reply(request, '200 OK', 'SIP-ETag: a', 'Expires: 0')]);
    const one = publisher();
    await expect(one.publish(ANNA, MEETING, signal())).rejects.toMatchObject({ code: 'BACKEND_MALFORMED' });
    await expect(one.publish(ANNA, MEETING, signal())).rejects.toMatchObject({ code: 'BACKEND_MALFORMED' });
  });

  it('keeps the tag of a removal that failed, and takes 412 for done', async () => {
    let removals = 0;
    const { server, publisher, memory } = await world((request, count) => (request.header('Expires') !== '0' ? granting(request, count) : [reply(request, ++removals === 1 ? '503 Service Unavailable' : '412 Conditional Request Failed')]));
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    await expect(one.withdraw(ANNA, signal())).rejects.toMatchObject({ code: 'BACKEND_BUSY' });
    await one.withdraw(ANNA, signal());
    expect(server.seen.map(told)).toEqual(['new 3600 meeting', 'e1 0 no document', 'e1 0 no document']);
    expect([...memory.keys()]).toEqual([]);
  });

  it('shows who is unknown as closed before it removes them, because Kamailio cannot', async () => {
    const { server, publisher } = await world();
    const one = publisher();
    await one.publish(ANNA, { ...FREE, state: 'unknown' }, signal());
    await one.withdraw(ANNA, signal());
    expect(server.seen.map(told)).toEqual(['new 3600 unknown', 'e1 3600 closed', 'e2 0 no document']);
  });
});

describe('what a SIP publisher renews by itself', () => {
  /** Nothing else in these tests changes a meeting. */
  const isRefresh = (message: SeenMessage): boolean => /^e\d+ 3600 meeting$/.test(told(message));

  it('is refreshed before it lapses, again and again, and with its document (Kamailio 5.6 may forget it else)', async () => {
    const { server, publisher, clock, kept } = await world();
    await publisher().publish(ANNA, MEETING, signal());
    clock.time += 3_000_000;
    expect(told(await server.sees(isRefresh))).toBe('e1 3600 meeting');
    await kept(2);
    clock.time += 3_000_000;
    expect(told(await server.sees(isRefresh, 2))).toBe('e2 3600 meeting');
  });

  it('is published anew, with its document, where the server has lost it or it has lapsed', async () => {
    let isEmpty = true;
    const { server, publisher, clock, lost, kept } = await world((request, count) => {
      if (!isRefresh(request) || !isEmpty) return granting(request, count);
      isEmpty = false;
      return [reply(request, '412 Conditional Request Failed')];
    });
    await publisher().publish(ANNA, MEETING, signal());
    clock.time += 3_000_000;
    expect(told(await server.sees((one) => told(one).startsWith('new'), 2))).toBe('new 3600 meeting');
    await kept(2);
    expect(lost()).toBe(1);
    clock.time += 4_000_000;
    expect(told(await server.sees((one) => told(one).startsWith('new'), 3))).toBe('new 3600 meeting');
  });

  it('is tried again after a failure', async () => {
    let failures = 0;
    const { server, publisher, clock, warned } = await world((request, count) => (isRefresh(request) && ++failures === 1 ? [reply(request, '500 Server Internal Error')] : granting(request, count)));
    await publisher().publish(ANNA, MEETING, signal());
    clock.time += 2_900_000;
    await warned;
    clock.time += 60_000;
    expect(told(await server.sees(isRefresh, 2))).toBe('e1 3600 meeting');
  });

  it('waits for its turn: a change during a refresh uses the refresh’s tag', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { server, publisher, clock } = await world(async (request, count) => {
      if (isRefresh(request)) await held;
      return granting(request, count);
    });
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    clock.time += 3_000_000;
    await server.sees(isRefresh);
    const change = one.publish(ANNA, FREE, signal());
    release();
    await change;
    expect(server.seen.map(told)).toEqual(['new 3600 meeting', 'e1 3600 meeting', 'e2 3600 open']);
  });

  it('is not what could not be changed: an old state lapses', async () => {
    const { server, publisher, clock } = await world((request, count) => (count === 2 ? [reply(request, '403 Forbidden')] : granting(request, count)));
    const one = publisher();
    await one.publish(ANNA, MEETING, signal());
    await expect(one.publish(ANNA, FREE, signal())).rejects.toMatchObject({ code: 'MAILBOX_REFUSED' });
    await one.publish(BERND, MEETING, signal());
    clock.time += 3_000_000;
    expect((await server.sees(isRefresh)).start).toContain('bernd');
    await one.close();
    expect(server.seen.filter(isRefresh)).toHaveLength(1);
  });
});

describe('what a SIP publisher observes', () => {
  /** A NOTIFY for a SUBSCRIBE. */
  const notify = (request: SeenMessage, state: string, document: string, change: (text: string) => string = (text) => text): string =>
    change(
      [`NOTIFY ${/<([^>]+)>/.exec(request.header('Contact')!)![1]} SIP/2.0`, 'Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKn', `From: ${request.header('To')};tag=server`, `To: ${request.header('From')}`, `Call-ID: ${request.header('Call-ID')}`, 'CSeq: 1 NOTIFY', 'Event: presence', `Subscription-State: ${state}`, ...(document === '' ? [] : ['Content-Type: application/pidf+xml']), `Content-Length: ${Buffer.byteLength(document)}`, '', document].join('\r\n'),
    );
  const OPEN = '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b"><tuple id="a"><status><basic>open</basic></status></tuple></presence>';

  it.each([
    ['after the response', false],
    ['before the response', true],
  ])('comes in a NOTIFY %s', async (_what, isFirst) => {
    const { server, publisher } = await world((request) => (isFirst ? [notify(request, 'terminated;reason=timeout', OPEN), reply(request, '200 OK', 'Expires: 0')] : [reply(request, '202 Accepted'), notify(request, 'terminated;reason=timeout', OPEN)]));
    expect(await publisher().observe(ANNA, signal())).toBe('available');
    expect(server.seen[0]!.start).toBe('SUBSCRIBE sip:anna@corp.example SIP/2.0');
    expect([server.seen[0]!.header('Event'), server.seen[0]!.header('Expires'), server.seen[0]!.header('Accept')]).toEqual(['presence', '0', 'application/pidf+xml']);
    await server.sees((one) => one.start === 'SIP/2.0 200 OK' && one.header('CSeq') === '1 NOTIFY');
  });

  it('is nothing without a document', async () => {
    const { publisher } = await world((request) => [reply(request, '200 OK'), notify(request, 'active;expires=0', '')]);
    expect(await publisher().observe(ANNA, signal())).toBeUndefined();
  });

  it('passes over NOTIFYs of another subscription or package', async () => {
    const { server, publisher } = await world((request) => [
      reply(request, '200 OK'),
      notify(request, 'active', OPEN, (text) => text.replace(/(To: .*tag=)\w+/, '$1other')),
      notify(request, 'active', OPEN, (text) => text.replace('Event: presence', 'Event: dialog')),
      notify(request, 'active', OPEN.replace('open', 'closed')),
    ]);
    expect(await publisher().observe(ANNA, signal())).toBe('offline');
    await server.sees((one) => one.start.startsWith('SIP/2.0 481'), 2);
  });

  it.each([
    ['403 Forbidden', 'UNSUPPORTED'],
    ['489 Bad Event', 'UNSUPPORTED'],
    ['404 Not Found', 'MAILBOX_UNKNOWN'],
    ['503 Service Unavailable', 'BACKEND_BUSY'],
  ])('is refused with %s: %s', async (status, code) => {
    const { publisher } = await world((request) => [reply(request, status)]);
    await expect(publisher().observe(ANNA, signal())).rejects.toMatchObject({ code });
  });

  it.each([
    ['pending', OPEN, 'UNSUPPORTED'],
    ['terminated;reason=rejected', '', 'UNSUPPORTED'],
    ['active', '<presence', 'BACKEND_MALFORMED'],
  ])('is no state where the subscription is %s', async (state, document, code) => {
    const { publisher } = await world((request) => [reply(request, '200 OK'), notify(request, state, document)]);
    await expect(publisher().observe(ANNA, signal())).rejects.toMatchObject({ code });
  });
});
