import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS, systemClock } from '../../src/core/clock.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { folderWith, removeFolder, runCommand, startBridge } from '../flows/bridge-process.ts';
import type { RunningBridge } from '../flows/bridge-process.ts';
import { JUDGE, JUDGE_CLIENT } from '../flows/every-kind.ts';
import { ask, askJson, askOwa } from '../flows/raw-http.ts';
import { hasApache, startApache } from './apache.ts';
import type { Apache } from './apache.ts';

/** `auth: ntlm` by the real command: a real NTLM server stands before the stand-ins of Exchange, for lookups, `check` and presence. */

const ANNA = 'anna@corp.example';
const OLAF = 'olaf@old.example';
const FRONT = { username: 'front', password: 'pw-of-front' };
const PASSWORD = 'pw of bridge-ä€';
const start = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const window = { start, end: start + 4 * HOUR_MS };

describe.skipIf(!hasApache)('a bridge that signs in by NTLM (skipped where Apache is not installed)', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let [ews, old] = [] as unknown as [Apache, Apache];
  let bridge: RunningBridge;

  const systems = (password: string): Record<string, unknown> => ({
    ews: { type: 'exchange-ews', url: `${ews.url}/EWS/Exchange.asmx`, auth: 'ntlm', username: 'CORP\\bridge', password, domains: ['corp.example'], mailboxes: [ANNA] },
    old: { type: 'exchange-webdav', url: old.url, auth: 'ntlm', username: 'CORP\\bridge', password, domains: ['old.example'], mailboxes: [OLAF] },
  });
  const client = { ...JUDGE_CLIENT, mayAsk: ['ews', 'old'], presence: 'read' };

  beforeAll(async () => {
    const calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: OLAF, displayName: 'Olaf' }]);
    for (const mailbox of [ANNA, OLAF]) calendars.add(mailbox, { start, end: start + 2 * HOUR_MS, type: 'busy' });
    const [exchange, exchange2003] = [createExchangeEws({ ...FRONT, domain: 'CORP', calendars, clock: systemClock }), createExchange2003({ ...FRONT, domain: 'CORP', calendars, clock: systemClock, auth: 'basic' })];
    for (const one of [exchange, exchange2003]) {
      await one.listen();
      ends.push(() => one.close());
    }
    const users = [{ domain: 'CORP', name: 'bridge', password: PASSWORD }];
    [ews, old] = await Promise.all([exchange, exchange2003].map((one) => startApache({ users, upstream: one.url, upstreamAccount: FRONT, directives: ['ProxyPreserveHost On'] }))) as [Apache, Apache];
    ends.push(() => ews.close(), () => old.close());
    bridge = await startBridge({ systems: systems(PASSWORD), clients: [client], presence: { optIn: [ANNA], parameters: { calendarSpread: 0 }, gateways: [{ description: 'Head office', type: 'ews', system: 'ews', notifications: 'poll' }] } });
    ends.push(() => bridge.stop());
  }, 60_000);
  afterAll(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  it('answers by JSON and as Exchange, from both', async () => {
    const json = await askJson(bridge.url, JUDGE, [ANNA, OLAF], window);
    expect(json.results.map(({ mailbox, busy }) => [mailbox, busy?.map(({ type }) => type)])).toEqual([[ANNA, ['busy']], [OLAF, ['busy']]]);
    const owa = await askOwa(bridge.url, JUDGE, [ANNA, OLAF], window, 60);
    expect(owa.digits).toEqual({ [ANNA]: '2200', [OLAF]: '2200' });
    for (const apache of [ews, old]) expect(new Set(apache.log().filter(({ status }) => status < 300).map(({ user }) => user))).toEqual(new Set([String.raw`CORP\\bridge`]));
  });

  it('shows presence through a gateway that is such a system', async () => {
    let state = '';
    for (let tries = 0; tries < 100 && state !== 'in-a-meeting'; tries++) {
      state = (JSON.parse((await ask(bridge.url, `/api/v1/presence/${ANNA}`, { headers: JUDGE })).body) as { state: string }).state;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(state).toBe('in-a-meeting');
  });

  it('`check` is content; with a wrong password it fails, and says so', async () => {
    const good = await runCommand(['check', '--config', bridge.file]);
    expect(good.stdout).toMatch(/^ok {4}system ews: .*sign-in: /m);
    expect(good.stdout).toMatch(/system old: .*signed in \(ntlm\)/);
    const { folder, file } = await folderWith({ listen: 'http://127.0.0.1:0', systems: systems('wrong'), clients: [client] });
    try {
      const bad = await runCommand(['check', '--config', file]);
      expect([bad.code, bad.stderr]).toEqual([1, '']);
      for (const name of ['ews', 'old']) expect(bad.stdout).toMatch(new RegExp(`^fail {2}system ${name}: sign-in: .*→ .*user ?name (?:and|or) password`, 'm'));
      expect(bad.stdout).not.toContain(PASSWORD);
    } finally {
      await removeFolder(folder);
    }
  });
});
