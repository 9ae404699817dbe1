import { once } from 'node:events';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import { until } from './bridge-process.ts';
import { ACCOUNT, ANNA, BERND, freePort, meet, people, PresenceBridge, told, wholeSecond } from './presence-world.ts';
import { receiver } from './presence-watching.ts';
import type { Receiver } from './presence-watching.ts';
import { canConnect } from '../local-ports.ts';

/** Every change of presence's configuration is in force after SIGHUP or `reload`, without a restart and without anybody's state in between. */

const CARL = 'carl@other.example';
const KIM = 'kim@zimbra.example';
const HEAD_OFFICE = { description: 'Head office', type: 'ews', system: 'exchange' } as const;
const BRANCH = { description: 'Branch', type: 'ews', system: 'other', notifications: 'streaming' } as const;
const TOLD_MS = 5_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const closed = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closing.push(() => one.close());
  return one;
};

async function office(calendars: CalendarStore): Promise<{ readonly server: ExchangeEws; readonly system: Record<string, unknown> }> {
  const server = closed(createExchangeEws({ ...ACCOUNT, domain: 'CORP', calendars, clock: systemClock }));
  await server.listen();
  return { server, system: { type: 'exchange-ews', url: `${server.url}/EWS/Exchange.asmx`, ...ACCOUNT } };
}

async function start(...how: Parameters<typeof PresenceBridge.start>): Promise<PresenceBridge> {
  const bridge = await PresenceBridge.start(...how);
  closing.push(() => bridge.stop());
  return bridge;
}

async function applies(bridge: PresenceBridge, presence: Record<string, unknown>): Promise<void> {
  const { code, stderr } = await bridge.apply(presence);
  expect(`${code} ${stderr}`).toBe('0 ');
}

const hook = async (): Promise<Receiver> => closed(await receiver());
const publisher = ({ url }: Receiver): Record<string, unknown> => ({ type: 'webhook', url, secret: 'secret-of-the-webhook' });
/** The newest state that a webhook was told of somebody. */
const toldOf = ({ calls }: Receiver, address: string): unknown => calls.map(({ body }) => JSON.parse(body) as { readonly address: string; readonly state: string | null }).findLast((one) => one.address === address)?.state;
const isTold = (one: Receiver, address: string, state: string | null, ms = 15_000): Promise<unknown> => until(() => (toldOf(one, address) === state ? true : undefined), ms, () => `${address} is not ${state}: ${one.said}`);
const audit = async ({ bridge }: PresenceBridge): Promise<readonly Record<string, unknown>[]> => (await readFile(join(bridge.folder, 'data', 'audit.log'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

describe('reload', () => {
  it('people, publishers and the spread', async () => {
    const calendars = people();
    const { system } = await office(calendars);
    const [one, other] = [await hook(), await hook()];
    const base = { gateways: [{ ...HEAD_OFFICE, notifications: 'streaming' }] };
    const bridge = await start(system, { ...base, optIn: [ANNA], parameters: { calendarSpread: 0 }, publishers: [publisher(one)] }, { dataDir: 'data' });
    await bridge.hears('streaming');
    meet(calendars, ANNA, 600);
    await isTold(one, ANNA, 'in-a-meeting');
    const before = one.calls.length;

    // Somebody more, and a publisher more, who gets everybody; Anna's is not said again where it is known.
    await applies(bridge, { ...base, optIn: [ANNA, BERND], parameters: { calendarSpread: 59 }, publishers: [publisher(one), publisher(other)] });
    await Promise.all([isTold(one, BERND, 'available', TOLD_MS), isTold(other, BERND, 'available', TOLD_MS), isTold(other, ANNA, 'in-a-meeting', TOLD_MS)]);
    expect(one.calls.slice(before).map(({ body }) => (JSON.parse(body) as { readonly address: string }).address)).toEqual([BERND]);
    expect(await bridge.stateOf(BERND)).toBe('available');

    // Bernd's changes wait 43 s with a spread of 59 s; without one they do not.
    const begins = wholeSecond(Date.now() + 1_500);
    calendars.add(BERND, { start: begins, end: begins + 600_000, type: 'busy' });
    await applies(bridge, { ...base, optIn: [BERND], parameters: { calendarSpread: 0 }, publishers: [publisher(other)] });
    await Promise.all([isTold(other, ANNA, null, TOLD_MS), isTold(other, BERND, 'in-a-meeting')]);
    expect(Date.now()).toBeGreaterThanOrEqual(begins);
    expect(await bridge.stateOf(ANNA)).toBe(404);
    // One that is gone is told nothing any more.
    expect(toldOf(one, BERND)).toBe('available');
    expect((await audit(bridge)).map(({ what, mailbox, via }) => `${String(what)} ${String(mailbox)} ${String(via)}`)).toEqual([`presence.opt-in ${BERND} file`, `presence.opt-out ${ANNA} file`]);
  }, 60_000);

  it('gateways come and go beside one that goes on', async () => {
    const [calendars, others] = [people(), createCalendarStore([{ address: CARL, displayName: 'Carl' }])];
    const [head, branch] = [await office(calendars), await office(others)];
    const systems = { exchange: { ...head.system, domains: ['corp.example'] }, other: { ...branch.system, domains: ['other.example'] } };
    const events = await hook();
    const presence = (gateways: readonly unknown[]): Record<string, unknown> => ({ optIn: [ANNA, CARL], parameters: { calendarSpread: 0 }, gateways, publishers: [publisher(events)] });
    const first = { ...HEAD_OFFICE, notifications: 'streaming' };
    const bridge = await start({}, presence([first]), { systems });
    await bridge.hears('streaming');
    meet(calendars, ANNA, 600);
    await isTold(events, ANNA, 'in-a-meeting');
    const subscriptions = (): readonly unknown[] => head.server.subscriptions.map(({ id }) => id);
    const untouched = subscriptions();

    await applies(bridge, presence([first, BRANCH]));
    await until(() => (branch.server.subscriptions.length > 0 ? true : undefined), 15_000, () => bridge.said);
    meet(others, CARL, 600);
    await isTold(events, CARL, 'in-a-meeting');

    await applies(bridge, presence([first]));
    await until(() => (branch.server.subscriptions.length === 0 ? true : undefined), 15_000, () => JSON.stringify(branch.server.subscriptions));
    expect(subscriptions()).toEqual(untouched);
    calendars.clear(ANNA);
    await isTold(events, ANNA, 'available');
    expect(events.calls.map(({ body }) => (JSON.parse(body) as { readonly state: string }).state)).not.toContain('unknown');
  }, 60_000);

  it('the notification port moves when subscriptions do; one that is taken is refused in words, and everything goes on', async () => {
    const calendars = people();
    const { system, server } = await office(calendars);
    const [first, second] = [await freePort(), await freePort()];
    const events = await hook();
    const presence = (parameters: Record<string, unknown>): Record<string, unknown> => ({ optIn: [ANNA], gateways: [{ ...HEAD_OFFICE, notifications: 'push' }], publishers: [publisher(events)], parameters: { calendarSpread: 0, ...parameters } });
    const bridge = await start(system, presence({ notificationPort: first }));
    await bridge.hears('push');
    const isSeen = async (): Promise<void> => {
      const { id } = meet(calendars, ANNA, 600);
      await isTold(events, ANNA, 'in-a-meeting');
      calendars.remove(ANNA, id);
      await isTold(events, ANNA, 'available');
    };
    await isSeen();

    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    closing.push(() => new Promise((resolve) => taken.close(resolve)));
    const { port } = taken.address() as { readonly port: number };
    const refused = await bridge.apply(presence({ notificationPort: port }));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain(String(port));
    expect(refused.stderr).toMatch(/taken/);
    expect(refused.stderr).toContain('the running configuration stays in force');
    await isSeen();

    const before = server.subscriptions.map(({ id }) => id);
    // What is subscribed with the old port is called there until Exchange has the new one.
    server.setFaults({ delayMs: 2_000 });
    await applies(bridge, presence({ notificationPort: second }));
    expect(server.subscriptions.map(({ id }) => id)).toEqual(before);
    expect(JSON.stringify((await bridge.admin('presence'))['pending'])).toMatch(/port/);
    expect(await canConnect(first)).toBe(true);
    server.setFaults({ delayMs: 0 });
    while (await canConnect(first)) await new Promise((resolve) => setTimeout(resolve, 50));
    await isSeen();
    expect(server.subscriptions.map(({ id }) => id)).not.toEqual(before);
    expect((await bridge.admin('presence'))['pending']).toEqual([]);
  }, 60_000);

  it('with the last gateway of Exchange those who were switched on are switched off, and Zimbra’s people stay', async () => {
    const calendars = people();
    const { system } = await office(calendars);
    const zimbraCalendars = createCalendarStore([KIM, 'bridge@zimbra.example'].map((address) => ({ address, displayName: address })));
    const zimbra = closed(createZimbra({ username: 'bridge@zimbra.example', password: 'pw-zimbra', calendars: zimbraCalendars, clock: systemClock }));
    await zimbra.listen();
    const systems = { exchange: { ...system, domains: ['corp.example'] }, zimbra: { type: 'zimbra', url: zimbra.url, username: 'bridge@zimbra.example', password: 'pw-zimbra', domains: ['zimbra.example'] } };
    const events = await hook();
    const presence = (gateways: readonly unknown[]): Record<string, unknown> => ({ optIn: [], parameters: { calendarSpread: 0 }, gateways, publishers: [publisher(events)] });
    const bridge = await start({}, presence([{ ...HEAD_OFFICE, notifications: 'streaming' }]), { systems, dataDir: 'data' });
    expect(await bridge.put(`/api/v1/presence/${ANNA}/opt-in`, { optIn: true })).toBe(200);
    expect(await bridge.command('presence', 'opt-in', KIM)).toMatchObject({ code: 0 });
    await Promise.all([isTold(events, ANNA, 'available'), isTold(events, KIM, 'available')]);

    await applies(bridge, presence([]));
    await isTold(events, ANNA, null, TOLD_MS);
    expect(await bridge.stateOf(ANNA)).toBe(404);
    expect(toldOf(events, KIM)).toBe('available');
    const listed = await bridge.command('presence', 'list', '--json');
    expect(listed.stdout).toContain(KIM);
    expect(listed.stdout).not.toContain(ANNA);
    expect(await audit(bridge)).toContainEqual(expect.objectContaining({ what: 'presence.opt-out', mailbox: ANNA, via: 'gateway' }));
    expect((await audit(bridge)).filter(({ what, mailbox }) => what === 'presence.opt-out' && mailbox === KIM)).toEqual([]);
    // Nobody is switched on where nothing gives presence.
    const answer = await bridge.send('PUT', `/api/v1/presence/${ANNA}/opt-in`, { optIn: true });
    expect(answer.status).toBe(409);
    expect(answer.body).toContain('presence.gateways');
  }, 60_000);

  it('what cannot be stored is not switched: 503, and once the disk takes it again 200', async () => {
    const calendars = people();
    const { system } = await office(calendars);
    const bridge = await start(system, { optIn: [], parameters: { calendarSpread: 0 }, gateways: [{ ...HEAD_OFFICE, notifications: 'streaming' }] }, { dataDir: 'data' });
    const [folder, aside] = [join(bridge.bridge.folder, 'data', 'presence'), join(bridge.bridge.folder, 'aside')];
    // In the place of the folder is a file: not even root can write into it.
    await rename(folder, aside);
    await writeFile(folder, '');
    const answer = await bridge.send('PUT', `/api/v1/presence/${ANNA}/opt-in`, { optIn: true });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    expect(await bridge.stateOf(ANNA)).toBe(404);
    await rm(folder);
    await mkdir(folder);
    expect(await bridge.put(`/api/v1/presence/${ANNA}/opt-in`, { optIn: true })).toBe(200);
    await told(await bridge.watch(), ANNA, 'available');
    await bridge.restart('SIGKILL');
    expect(await bridge.stateOf(ANNA)).toBe('available');
    expect((await audit(bridge)).filter(({ what }) => what === 'presence.opt-in').length).toBeLessThanOrEqual(1);
  }, 60_000);
});
