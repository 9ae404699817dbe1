import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/core/clock.ts';
import { PEER, hasPeer, openPeerWorld } from '../peers/peer-world.ts';
import type { PeerWorld } from '../peers/peer-world.ts';
import { deadPort } from './back-ends.ts';
import { startBridge, until } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { ask, askJson, basic } from './raw-http.ts';

/** The iCalendar addresses of the running bridge, asked with curl as an administrator would, and by another bridge. */

const MONDAY = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS;
const WINDOW = { start: MONDAY, end: MONDAY + DAY_MS };
const compact = (instant: number): string => new Date(instant).toISOString().replace(/[-:]|\.\d+/g, '');
const AUTH = basic(PEER.username, PEER.password);
let world: PeerWorld;
let second: RunningBridge;
let adminUrl = '';

beforeAll(async () => {
  adminUrl = `http://127.0.0.1:${await deadPort()}`;
  const gone = `http://127.0.0.1:${await deadPort()}`;
  world = await openPeerWorld({ admin: { listen: adminUrl }, log: { level: 'debug' } });
  const partner = (path: string): Record<string, unknown> => ({ type: 'ifb', url: `${world.bridge.url}${path}`, username: PEER.username, password: PEER.password });
  second = await startBridge({
    systems: {
      outlook: { ...partner('/freebusy/{address}.ifb?start={start}&end={end}'), domains: ['zimbra.example'], cacheFor: '0s' },
      home: { ...partner('/home/{address}/?fmt=ifb&start={start}&end={end}'), domains: ['corp.example'], cacheFor: '0s' },
      dead: { type: 'ifb', url: `${gone}/freebusy/{address}.ifb`, domains: ['dead.example'] },
    },
    clients: [{ name: 'peer', ...PEER, from: 'outside', mayAsk: ['outlook', 'home', 'dead'] }],
  });
});
afterAll(async () => {
  await second.stop();
  await world.close();
});

interface Curled {
  readonly status: number;
  readonly type: string;
  readonly periods: readonly string[];
  readonly text: string;
}

/** curl with Basic; the URL goes on the wire as it stands. */
async function curl(url: string, ...options: readonly string[]): Promise<Curled> {
  // The stand-ins live in this process, so it must not wait in one piece.
  const { stdout } = await promisify(execFile)('curl', ['-s', '-g', '--path-as-is', '-u', `${PEER.username}:${PEER.password}`, '-w', '\n%{http_code} %{content_type}', ...options, url]);
  const [, text = '', status = '', type = ''] = /^([\s\S]*)\n(\d+) (.*)$/.exec(stdout) ?? [];
  return { status: Number(status), type, text, periods: text.replaceAll('\r\n ', '').split('\r\n').filter((line) => line.startsWith('FREEBUSY')).map((line) => line.slice('FREEBUSY;FBTYPE='.length)) };
}

const forms = (address: string): readonly string[] => [
  `/home/${address}?fmt=ifb&start=${WINDOW.start}&end=${WINDOW.end}`,
  `/service/home/${address}/Calendar?fmt=ifb&start=${WINDOW.start}&end=${WINDOW.end}`,
  `/service/pubcal/freebusy.ifb?acct=${address}&s=${WINDOW.start}&e=${WINDOW.end}`,
  `/freebusy/${address}.ifb?start=${new Date(WINDOW.start).toISOString()}&end=${new Date(WINDOW.end).toISOString()}`,
  `/freebusy/${address}.ifb`,
];

// curl is in every image; where it is not, these are skipped.
describe.skipIf(!hasPeer('curl', '--version'))('curl', () => {
  it('sees an appointment of either side with the next question, under every address', async () => {
    for (const [store, address, type] of [[world.zimbra, 'kim@zimbra.example', 'busy'], [world.exchange, 'anna@corp.example', 'oof']] as const) {
      const start = WINDOW.start + 9 * HOUR_MS;
      for (const form of forms(address)) expect(await curl(world.bridge.url + form), form).toMatchObject({ status: 200, periods: [] });
      const { id } = store.add(address, { start, end: start + HOUR_MS, type, subject: 'SECRET' });
      for (const form of forms(address)) {
        const answer = await curl(world.bridge.url + form);
        expect([answer.status, answer.type, answer.periods, answer.text.includes('SECRET')], form).toEqual([200, 'text/calendar; charset=utf-8', [`${type === 'busy' ? 'BUSY' : 'BUSY-UNAVAILABLE'}:${compact(start)}/${compact(start + HOUR_MS)}`], false]);
      }
      store.remove(address, id);
    }
  });

  it('gets 404 for nobody, 401 without credentials, 400 for a window that is none', async () => {
    for (const form of forms('nobody@zimbra.example')) expect(await curl(world.bridge.url + form), form).toMatchObject({ status: 404, text: 'no such mailbox\n' });
    for (const form of forms('kim@zimbra.example')) expect((await curl(world.bridge.url + form, '-H', 'Authorization:')).status, form).toBe(401);
    expect((await curl(`${world.bridge.url}/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&s=2&e=1`)).status).toBe(400);
  });

  it('gets the head of an answer with -I', async () => {
    const answer = await curl(`${world.bridge.url}/freebusy/kim@zimbra.example.ifb`, '-I');
    expect([answer.status, /^content-length: \d+\r$/im.test(answer.text)]).toEqual([200, true]);
  });
});

it('another bridge reads it as a system of its own, with its templates', async () => {
  const busy = world.zimbra.add('lee@zimbra.example', { start: WINDOW.start + HOUR_MS, end: WINDOW.start + 2 * HOUR_MS, type: 'tentative' });
  world.exchange.add('bernd@corp.example', { start: WINDOW.start + 3 * HOUR_MS, end: WINDOW.start + 4 * HOUR_MS, type: 'busy' });
  const { results } = await askJson(second.url, AUTH, ['lee@zimbra.example', 'bernd@corp.example', 'nobody@zimbra.example'], WINDOW);
  expect(results.map((one) => one.busy?.map(({ start, type }) => [Date.parse(start), type]) ?? one.error?.code)).toEqual([[[WINDOW.start + HOUR_MS, 'tentative']], [[WINDOW.start + 3 * HOUR_MS, 'busy']], 'MAILBOX_UNKNOWN']);
  world.zimbra.remove('lee@zimbra.example', busy.id);
});

it('a dead back end is 503 with Retry-After', async () => {
  const answer = await ask(second.url, '/freebusy/anna@dead.example.ifb', { headers: AUTH });
  expect([answer.status, Number(answer.headers['retry-after']) > 0, answer.body.includes('VFREEBUSY')]).toEqual([503, true, false]);
});

it('leaves one line a request in the log, without a query and without an address, and counts under its own name', async () => {
  const target = '/service/pubcal/freebusy.ifb?acct=kim@zimbra.example&zauthtoken=CANARY&x=CANARY';
  const id = String((await ask(world.bridge.url, target, { headers: AUTH })).headers['x-request-id']);
  const said = (): string => world.bridge.process.stderr + world.bridge.process.stdout;
  const line = await until(() => said().split('\n').find((one) => one.includes(id) && one.includes('"status"')));
  expect(JSON.parse(line)).toMatchObject({ face: 'ifb', operation: 'pubcal', client: 'peer', mailboxes: 1, status: 200 });
  expect(said()).not.toMatch(/CANARY|acct=|fmt=ifb/);
  expect(line).not.toContain('kim@');
  expect((await ask(adminUrl, '/metrics')).body).toMatch(/freebusy_request_duration_seconds_count\{face="ifb",status="200"\} \d+/);
});
