import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { BRIDGE, hasEjabberd, startEjabberd, XMPP_DOMAIN } from '../peers/ejabberd.ts';
import type { Ejabberd } from '../peers/ejabberd.ts';
import { hasKamailio, startKamailio } from '../peers/kamailio.ts';
import { ALL_PRIVILEGES, COMPONENT, hasProsody, SECRET, startProsody } from '../peers/prosody.ts';
import type { Prosody } from '../peers/prosody.ts';
import { until } from './bridge-process.ts';
import { ACCOUNT, ANNA, freePort, meet, people, PresenceBridge, told, wholeSecond } from './presence-world.ts';
import { receiver, sees, watchingEjabberd, watchingProsody, watchingSip } from './presence-watching.ts';
import type { Receiver, Watching } from './presence-watching.ts';

/** From an appointment in the stand-in for Exchange to people who watch at a real Kamailio, a real Prosody and a real ejabberd, and to a webhook, through one real process. */

const HOOK_SECRET = 'secret-of-the-webhook';
/** Starting all of them takes two seconds, and many more on a machine that is busy with everything else. */
const STARTING_MS = 60_000;

describe.skipIf(!hasKamailio || !hasProsody || !hasEjabberd)('watchers', () => {
  let prosody: Prosody;
  let ejabberd: Ejabberd;
  beforeAll(async () => {
    [prosody, ejabberd] = await Promise.all([startProsody({ accounts: ['anna', 'bob'], privileges: ALL_PRIVILEGES }), startEjabberd({ accounts: ['anna', 'bob'] })]);
    for (const [localuser, user] of [['anna', 'bob'], ['bob', 'anna']]) await ejabberd.command('add_rosteritem', { localuser, localhost: XMPP_DOMAIN, user, host: XMPP_DOMAIN, nick: '', group: '', subs: 'both' });
  }, STARTING_MS);
  afterAll(async () => {
    await Promise.all([prosody?.close(), ejabberd?.close()]);
  });

  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const closed = <T extends { close(): Promise<unknown> }>(one: T): T => {
    closing.push(() => one.close());
    return one;
  };

  interface World {
    readonly calendars: CalendarStore;
    readonly bridge: PresenceBridge;
    readonly sip: Awaited<ReturnType<typeof watchingSip>>;
    readonly atProsody: Watching;
    readonly atEjabberd: Watching;
    readonly hook: Receiver;
    /** All four. */
    readonly everybody: readonly Watching[];
  }

  /** A bridge with everything, Anna available, and everybody watching her. */
  async function world(kind: 'ews' | 'webdav'): Promise<World> {
    const calendars = people();
    const exchange = { ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock };
    const server = kind === 'ews' ? closed(createExchangeEws(exchange)) : closed(createExchange2003({ ...exchange, auth: 'basic' }));
    await server.listen();
    const [kamailio, hook] = [closed(await startKamailio()), closed(await receiver())];
    const system = kind === 'ews' ? { type: 'exchange-ews', url: `${server.url}/EWS/Exchange.asmx` } : { type: 'exchange-webdav', url: server.url, auth: 'basic' };
    const bridge = await PresenceBridge.start(system, {
      parameters: { calendarSpread: 0, notificationPort: await freePort() },
      gateways: [{ description: 'Head office', type: kind, system: 'exchange' }],
      publishers: [
        { type: 'sip', server: `sip:127.0.0.1:${kamailio.port}` },
        { type: 'xmpp', component: COMPONENT, server: `127.0.0.1:${prosody.server.port}`, secret: SECRET },
        { type: 'ejabberd', url: ejabberd.url.href, ...BRIDGE },
        { type: 'webhook', url: hook.url, secret: HOOK_SECRET },
      ],
    });
    closing.push(() => bridge.stop());
    await bridge.hears(kind === 'ews' ? 'push' : 'subscribe');
    await told(await bridge.watch(), ANNA, 'available');
    await sees(hook, 'available');
    const [sip, atProsody, atEjabberd] = await Promise.all([watchingSip(kamailio.port), watchingProsody(prosody), watchingEjabberd(ejabberd)]);
    for (const one of [sip, atProsody, atEjabberd]) closed(one);
    await sees(sip, 'available');
    return { calendars, bridge, sip, atProsody, atEjabberd, hook, everybody: [sip, atProsody, atEjabberd, hook] };
  }

  const ending = (one: Watching): string => (/XMPP|Prosody|ejabberd/.test(one.name) ? 'nothing' : 'available');
  const marks = (everybody: readonly Watching[]): readonly number[] => everybody.map(({ states }) => states.length);

  it.each(['ews', 'webdav'] as const)('an appointment of a few seconds comes to all of them at once, and goes at its end (%s)', async (kind) => {
    const { calendars, bridge, everybody, hook, sip } = await world(kind);
    const { end } = meet(calendars, ANNA, 7);
    const before = marks(everybody);
    await Promise.all(everybody.map((one, n) => sees(one, 'in-a-meeting', before[n])));
    await Promise.all(everybody.map((one) => sees(one, ending(one))));
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    for (const [n, one] of everybody.entries()) expect(one.states.slice(before[n]), one.name).toEqual(['in-a-meeting', ending(one)]);
    for (const document of sip.documents) expect(document.split('<tuple').length - 1).toBeLessThanOrEqual(1);
    for (const { signature, body } of hook.calls) {
      const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature)!;
      expect(v1).toBe(createHmac('sha256', HOOK_SECRET).update(`${t}.${body}`).digest('hex'));
    }

    // Switched off in the middle of the next: gone everywhere, and nothing of what it was about was anywhere.
    meet(calendars, ANNA, 600);
    await Promise.all(everybody.map((one) => sees(one, 'in-a-meeting')));
    expect(everybody.map(({ said }) => said).join('\n')).toContain('In a meeting');
    expect(await bridge.put(`/api/v1/presence/${ANNA}/opt-in`, { optIn: false })).toBe(200);
    await Promise.all(everybody.map((one) => sees(one, 'nothing')));
    expect(await bridge.stateOf(ANNA)).toBe(404);
    expect([...everybody.map(({ said }) => said), bridge.said].join('\n')).not.toMatch(/Initech|Merger|Room 17/);
    const later = closed(await watchingProsody(prosody));
    expect(later.states).not.toContain('in-a-meeting');
  }, 60_000);

  it('a restart in the middle of a meeting, clean or by kill -9, is seen by nobody; the end is', async () => {
    const { calendars, bridge, everybody, sip } = await world('ews');
    const before = marks(everybody);
    const { id } = meet(calendars, ANNA, 600);
    await Promise.all(everybody.map((one) => sees(one, 'in-a-meeting')));
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await bridge.published();
      await bridge.restart(signal);
      expect(await bridge.stateOf(ANNA)).toBe('in-a-meeting');
      await bridge.hears('push');
      await told(await bridge.watch(), ANNA, 'in-a-meeting');
    }
    await bridge.published();
    const end = wholeSecond(Date.now() + 2_000);
    const watcher = await bridge.watch();
    calendars.update(ANNA, id, { end });
    await told(watcher, ANNA, 'available');
    await Promise.all(everybody.map((one) => sees(one, ending(one))));
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    for (const [n, one] of everybody.entries()) {
      const seen = one.states.slice(before[n]);
      expect(seen.filter((state, at) => state !== seen[at - 1]), one.name).toEqual(['in-a-meeting', ending(one)]);
    }
    for (const document of sip.documents) expect(document.split('<tuple').length - 1).toBeLessThanOrEqual(1);
  }, 60_000);

  it('a server that is down holds up nobody else, and is told when it is back', async () => {
    const { calendars, bridge, sip, atEjabberd, hook, atProsody } = await world('ews');
    await atProsody.close();
    await prosody.stop();
    try {
      const { id } = meet(calendars, ANNA, 600);
      await Promise.all([sip, atEjabberd, hook].map((one) => sees(one, 'in-a-meeting')));
      await until(() => (/xmpp/i.test(bridge.said) ? true : undefined), 10_000, () => `the log says nothing: ${bridge.said}`);
      await prosody.start();
      const back = closed(await watchingProsody(prosody));
      await sees(back, 'in-a-meeting');
      calendars.remove(ANNA, id);
      await Promise.all([sip, atEjabberd, hook, back].map((one) => sees(one, ending(one))));
    } finally {
      await prosody.stop();
      await prosody.start();
    }
  }, 60_000);
});
