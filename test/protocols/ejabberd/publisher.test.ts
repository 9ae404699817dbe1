import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../../src/presence/presence.ts';
import { memoryTexts } from '../../../src/presence/publisher.ts';
import type { KeptTexts } from '../../../src/presence/publisher.ts';
import { ejabberdConfigurationLines } from '../../../src/protocols/ejabberd/configuration-lines.ts';
import { EjabberdPublisher } from '../../../src/protocols/ejabberd/publisher.ts';
import { parse } from 'yaml';
import { Opened } from '../../platform/http-client/servers.ts';
import { keepingLogger } from '../../platform/http-server/serving.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const NOW = 1_795_255_200_000;
const { signal } = new AbortController();
const shown = (state: PresenceState, since = 0): ShownPresence => ({ state, until: null, reason: 'calendar', since, next: null, text: state === 'available' ? '' : 'In a meeting', language: 'en' });

interface Call {
  readonly command: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly authorization: string | undefined;
}
type Reply = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>];

const DESK = { connection: 'c2s', ip: '::1', port: 1, node: 'n', priority: 5, uptime: 60, status: 'away', resource: 'desk', statustext: 'lunch' };

describe('publishing through ejabberd', () => {
  const opened = new Opened();
  afterEach(() => opened.close());

  /** An API that answers as 23.01 does, and what it was called; `reply` may answer otherwise. */
  async function api(reply: (call: Call, count: number) => Reply | 'silence' | undefined = () => undefined): Promise<{ readonly url: URL; readonly calls: Call[]; readonly sessions: Record<string, unknown>[]; readonly names: () => string }> {
    const calls: Call[] = [];
    const sessions: Record<string, unknown>[] = [{ ...DESK }];
    const url = await opened.http(async (request: IncomingMessage, response: ServerResponse) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
      const call: Call = { command: request.url!.replace('/api/', ''), args: JSON.parse(text) as Record<string, unknown>, authorization: request.headers.authorization };
      calls.push(call);
      const answer = reply(call, calls.length) ?? usual(call, sessions);
      if (answer === 'silence') return;
      response.writeHead(answer[0], answer[2] ?? {}).end(answer[1]);
    });
    return { url: new URL('/api', url), calls, sessions, names: () => calls.map(({ command }) => command).join(' ') };
  }

  function usual({ command, args }: Call, sessions: Record<string, unknown>[]): Reply {
    if (command === 'user_sessions_info') return [200, JSON.stringify(sessions)];
    if (command !== 'set_presence') return [200, '0'];
    const session = sessions.find(({ resource }) => resource === args['resource']);
    if (session === undefined) return [500, '"internal_error"'];
    Object.assign(session, { status: args['show'] === 'undefined' ? 'available' : args['show'], statustext: args['status'] });
    return [200, '0'];
  }

  function publisher(url: URL, memory: KeptTexts = memoryTexts()) {
    const { logger, lines } = keepingLogger();
    const made = new EjabberdPublisher({ url, username: 'bridge@corp.example', password: 'pä:ss', busyShow: 'dnd', memory, clock: { now: () => NOW }, logger });
    opened.add(() => made.close());
    return Object.assign(made, { lines });
  }

  async function failure(work: Promise<unknown>): Promise<BridgeError> {
    const thrown = await work.then(() => undefined, (error: unknown) => error);
    if (!(thrown instanceof BridgeError)) throw new Error(`no BridgeError: ${String(thrown)}`);
    return thrown;
  }

  it('calls what it needs, with arguments as 23.01 wants them', async () => {
    const { url, calls, names } = await api();
    const made = publisher(url);
    expect(made.label).toBe(`ejabberd ${url.host}`);
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    expect(names()).toBe('user_sessions_info set_presence send_stanza');
    expect(calls[0]).toEqual({ command: 'user_sessions_info', args: { user: 'anna', host: 'corp.example' }, authorization: `Basic ${Buffer.from('bridge@corp.example:pä:ss').toString('base64')}` });
    expect(calls[1]!.args).toEqual({ user: 'anna', host: 'corp.example', resource: 'desk', type: 'available', show: 'dnd', status: 'In a meeting', priority: '5' });
    expect(calls[2]!.args).toEqual({ from: 'anna@corp.example', to: 'anna@corp.example', stanza: expect.stringContaining('<in_a_meeting/>') as string });
  });

  it('puts back after a restart what it set before, and forgets who has opted out', async () => {
    const memory = memoryTexts();
    const { url, calls, sessions } = await api();
    await publisher(url, memory).publish(ANNA, shown('in-a-meeting'), signal);
    expect(sessions[0]).toMatchObject({ status: 'dnd', statustext: 'In a meeting' });
    await publisher(url, memory).withdraw(ANNA, signal);
    expect(sessions[0]).toMatchObject({ status: 'away', statustext: 'lunch' });
    expect(calls.at(-1)!.args['stanza']).toContain('<activity xmlns="http://jabber.org/protocol/activity"/>');
    expect([...memory.keys()]).toEqual([]);
  });

  it('says that an activity has ended once: what she publishes herself stays', async () => {
    const { url, names } = await api();
    const made = publisher(url);
    await made.publish(ANNA, shown('available', 1), signal);
    await made.publish(ANNA, shown('available', 2), signal);
    expect(names()).toBe('user_sessions_info send_stanza user_sessions_info');
  });

  it('a try that broke off is made again whole', async () => {
    let isBroken = true;
    const memory = memoryTexts();
    const { url, sessions } = await api(({ command }) => (isBroken && command === 'set_presence' ? [503, '', { 'retry-after': '7' }] : undefined));
    const made = publisher(url, memory);
    const busy = await failure(made.publish(ANNA, shown('in-a-meeting'), signal));
    expect([busy.code, busy.temporary, busy.retryAfterMs]).toEqual(['BACKEND_BUSY', true, 7_000]);
    isBroken = false;
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    expect(sessions[0]!['status']).toBe('dnd');

    isBroken = true;
    await failure(made.publish(ANNA, shown('available'), signal));
    isBroken = false;
    await publisher(url, memory).publish(ANNA, shown('available'), signal);
    expect(sessions[0]).toMatchObject({ status: 'away', statustext: 'lunch' });
  });

  it('a session that has gone meanwhile is no failure; one that is there and refuses is', async () => {
    const gone = await api(({ command }, count) => (command === 'set_presence' ? [500, '"internal_error"'] : command === 'user_sessions_info' && count > 1 ? [200, '[]'] : undefined));
    await publisher(gone.url).publish(ANNA, shown('in-a-meeting'), signal);
    expect(gone.names()).toBe('user_sessions_info set_presence user_sessions_info send_stanza');
    const stuck = await api(({ command }) => (command === 'set_presence' ? [500, '"internal_error"'] : undefined));
    const fault = await failure(publisher(stuck.url).publish(ANNA, shown('in-a-meeting'), signal));
    expect([fault.code, fault.temporary]).toEqual(['BACKEND_FAULT', true]);
  });

  it('later versions want the priority as a number', async () => {
    const { url, calls, sessions } = await api(({ command, args }) => (command === 'set_presence' && typeof args['priority'] === 'string' ? [400, '"Arg 5 is not in format integer"'] : undefined));
    const made = publisher(url);
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    await made.publish(ANNA, shown('available'), signal);
    expect(calls.filter(({ command }) => command === 'set_presence').map(({ args }) => args['priority'])).toEqual(['5', 5, 5]);
    expect(sessions[0]!['status']).toBe('away');
  });

  it('an address without an account is told apart from one that is signed out', async () => {
    const { url, sessions, names } = await api(({ command, args }) => (command === 'check_account' ? [200, args['user'] === 'anna' ? '0' : '1'] : undefined));
    sessions.length = 0;
    const made = publisher(url);
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    expect(names()).toBe('user_sessions_info check_account send_stanza');
    const unknown = await failure(made.publish('nobody@corp.example' as MailboxAddress, shown('in-a-meeting'), signal));
    expect([unknown.code, unknown.temporary]).toEqual(['MAILBOX_UNKNOWN', false]);
    await made.withdraw('nobody@corp.example' as MailboxAddress, signal);
  });

  const refusals = JSON.parse(readFileSync(new URL('../../../fixtures/ejabberd/refusals/debian-23.01/answers.json', import.meta.url), 'utf8')) as readonly { readonly what: string; readonly command: string; readonly status: number; readonly body: string; readonly code: string; readonly temporary: boolean }[];
  it.each(refusals)('refused: $what', async ({ command, status, body, code, temporary }) => {
    const { url, sessions } = await api((call) => (call.command === command ? [status, body] : undefined));
    sessions.length = 0;
    const fault = await failure(publisher(url).publish(ANNA, shown('in-a-meeting'), signal));
    expect([fault.code, fault.temporary]).toEqual([code, temporary]);
    expect(JSON.stringify([fault.publicMessage, fault.details])).not.toMatch(/anna|meeting"/);
  });

  it.each<[what: string, reply: Reply, code: string]>([
    ['no JSON', [200, '[{'], 'BACKEND_MALFORMED'],
    ['other JSON', [200, '{"sessions":[]}'], 'BACKEND_MALFORMED'],
    ['nothing', [200, ''], 'BACKEND_MALFORMED'],
    ['a redirect', [302, '', { location: 'http://elsewhere.example/' }], 'CONFIGURATION'],
    ['a proxy without ejabberd', [502, '<html>'], 'BACKEND_UNREACHABLE'],
    ['too much', [200, 'x', { 'content-length': String(LIMITS.responseBodyBytes + 1) }], 'BACKEND_TOO_LARGE'],
  ])('answered with %s', async (_what, reply, code) => {
    const { url, calls } = await api(() => reply);
    expect((await failure(publisher(url).publish(ANNA, shown('in-a-meeting'), signal))).code).toBe(code);
    expect(calls).toHaveLength(1);
  });

  it('one that stays silent ends with the caller, one that is away is worth another try', async () => {
    const gone = new AbortController();
    const { url } = await api(() => {
      gone.abort();
      return 'silence';
    });
    const late = await failure(publisher(url).publish(ANNA, shown('in-a-meeting'), gone.signal));
    expect([late.code, late.temporary]).toEqual(['DEADLINE', true]);
    const away = await failure(publisher(new URL('http://127.0.0.1:1/api')).publish(ANNA, shown('in-a-meeting'), signal));
    expect([away.code, away.temporary, away.publicMessage]).toEqual(['BACKEND_UNREACHABLE', true, 'ejabberd cannot be reached']);
  });

  it('looks for new sessions once a minute, and says when the server was away meanwhile', async () => {
    let isAway = false;
    const { url, sessions, names } = await api(() => (isAway ? [502, ''] : undefined));
    const made = publisher(url);
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    await made.refresh();
    expect(names()).toBe('user_sessions_info set_presence send_stanza user_sessions_info');

    sessions.push({ ...DESK, resource: 'phone', status: 'available' });
    await made.refresh();
    expect(sessions.map(({ status }) => status)).toEqual(['dnd', 'dnd']);
    expect(names()).toMatch(/user_sessions_info set_presence send_stanza$/);

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const lost = new Promise<void>((resolve) => made.start(resolve));
      isAway = true;
      await vi.advanceTimersByTimeAsync(LIMITS.ejabberdRefreshMs);
      await vi.waitFor(() => expect(made.lines.map(({ code }) => code)).toEqual(['BACKEND_UNREACHABLE']));
      isAway = false;
      await vi.waitFor(async () => {
        await vi.advanceTimersByTimeAsync(LIMITS.ejabberdRefreshMs);
        expect(made.lines).toHaveLength(2);
      });
      await lost;
    } finally {
      vi.useRealTimers();
    }
    await made.close();
    await made.close();
  });

  it('observes the session that contacts take, and knows its own words', async () => {
    const { url, sessions } = await api();
    const made = publisher(url);
    expect(await made.observe(ANNA, signal)).toBe('away');
    await made.publish(ANNA, shown('in-a-meeting'), signal);
    expect(await made.observe(ANNA, signal)).toBe('in-a-meeting');
    sessions.push({ ...DESK, resource: 'phone', priority: 9, status: 'dnd' });
    expect(await made.observe(ANNA, signal)).toBe('do-not-disturb');
    sessions.length = 0;
    expect((await failure(made.observe(ANNA, signal))).code).toBe('UNSUPPORTED');
  });
});

it('the lines for ejabberd.yml are YAML, whatever the account is called', () => {
  const lines = parse(ejabberdConfigurationLines({ username: 'o\\27neil: "x"@corp.example' })) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  expect(lines['acl']).toEqual({ freebusy_bridge: { user: 'o\\27neil: "x"@corp.example' } });
  expect(lines['api_permissions']!['freebusy-bridge']).toMatchObject({ what: ['check_account', 'user_sessions_info', 'set_presence', 'send_stanza'] });
  expect(parse(ejabberdConfigurationLines({ address: '192.0.2.7/32' }))).toMatchObject({ acl: { freebusy_bridge: { ip: '192.0.2.7/32' } } });
});
