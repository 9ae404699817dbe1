import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { hasKamailio, startKamailio } from '../peers/kamailio.ts';
import { CertificateWorkshop } from '../platform/certificate-workshop.ts';
import type { Made } from '../platform/certificate-workshop.ts';
import type { Pem } from '../platform/certificates.ts';
import { folderWith, removeFolder, runCommand } from './bridge-process.ts';
import type { Ended } from './bridge-process.ts';
import { ACCOUNT, ANNA, freePort, people, PresenceBridge } from './presence-world.ts';
import { receiver, watchingSip } from './presence-watching.ts';

/** `presence check` of the real command: every gateway in one line, whatever is wrong with the others; with certificates made for it by openssl. */

const workshop = new CertificateWorkshop();
let ours: Made;
let theirs: Made;
let good: Pem;
const closing: (() => Promise<unknown>)[] = [];
const closed = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closing.push(() => one.close());
  return one;
};
beforeAll(() => {
  ours = workshop.make({ subject: '/CN=Corp authority', isAuthority: true });
  theirs = workshop.make({ subject: '/CN=Somebody else', isAuthority: true });
  good = workshop.make({ subject: '/CN=127.0.0.1', by: ours, names: 'IP:127.0.0.1' });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => workshop.remove());

async function exchange(password: string = ACCOUNT.password): Promise<ExchangeEws> {
  const server = closed(createExchangeEws({ ...ACCOUNT, password, domain: 'CORP', calendars: people(), clock: systemClock }));
  await server.listen();
  return server;
}

/** TLS in front of a stand-in, as this certificate wants it; the port. */
async function behindTls(server: ExchangeEws, { certificate, key }: Pem): Promise<number> {
  const proxy = createTlsServer({ cert: certificate, key }, (socket) => {
    const onwards = connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const [from, to] of [[socket, onwards], [onwards, socket]] as const) from.on('error', () => to.destroy()).once('close', () => to.destroy()).pipe(to);
  });
  proxy.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => proxy.close(resolve)));
  return (proxy.address() as AddressInfo).port;
}

/** Nobody that the gateways serve: they have servers of their own. */
const OTHERS = { calendars: { type: 'ifb', url: 'https://calendars.else.example.invalid/{localPart}.ifb', domains: ['else.example'] } };
const gateway = (description: string, port: number): Record<string, unknown> => ({ description, type: 'ews', server: '127.0.0.1', port, account: `CORP\\${ACCOUNT.username}`, password: ACCOUNT.password, tls: { ca: 'ca.pem' }, notifications: 'streaming' });

async function check(presence: Record<string, unknown>, ...options: readonly string[]): Promise<Ended> {
  const { folder, file } = await folderWith({ listen: 'http://127.0.0.1:0', systems: OTHERS, presence: { optIn: [ANNA], ...presence } }, { 'ca.pem': ours.certificate });
  closing.push(() => removeFolder(folder));
  return runCommand(['presence', 'check', '--config', file, ...options]);
}

async function checked(...how: Parameters<typeof check>): Promise<Ended> {
  const ended = await check(...how);
  if (ended.stdout === '') throw new Error(`nothing was checked: ${ended.stderr}`);
  return ended;
}

const linesOf = ({ stdout }: Ended): readonly string[] => stdout.split('\n').filter((line) => line !== '');

describe('presence check', () => {
  it('twelve servers, of which most are wrong in a way of their own: each is one line beginning with its description; 1', async () => {
    const [right, refusing, denying, distrusted] = [await exchange(), await exchange('another password'), await exchange(), await exchange()];
    denying.denyImpersonation('everybody');
    const gateways: readonly (readonly [description: string, port: number, line: RegExp])[] = [
      ['Head office', await behindTls(right, good), /^Head office: ok .*Verified/],
      ['Wrong name', await behindTls(distrusted, workshop.make({ subject: '/CN=mail.corp.example', by: ours, names: 'DNS:mail.corp.example' })), /^Wrong name: fail .*Subject CN Mismatch.*expected 127\.0\.0\.1, found mail\.corp\.example/],
      ['Unknown CA', await behindTls(distrusted, workshop.make({ subject: '/CN=127.0.0.1', by: theirs, names: 'IP:127.0.0.1' })), /^Unknown CA: fail .*Certificate Missing From Chain/],
      ['Expired', await behindTls(distrusted, workshop.make({ subject: '/CN=127.0.0.1', by: ours, names: 'IP:127.0.0.1', days: [-100, -1] })), /^Expired: fail .*Expired.*ended on/],
      ['Not there', await freePort(), /^Not there: fail .*Network Error.*ECONNREFUSED/],
      ['Wrong password', await behindTls(refusing, good), /^Wrong password: fail .*(?:BACKEND_AUTH|refused|401)/],
      ['No impersonation', await behindTls(denying, good), /^No impersonation: fail .*impersonation: .*ErrorImpersonateUserDenied/],
      ...(await Promise.all(Array.from({ length: 5 }, async (_, n) => [`Branch ${n + 1} of "Süd"`, await behindTls(right, good), new RegExp(`^Branch ${n + 1} of "Süd": ok .*Verified`)] as const))),
    ];
    const ended = await checked({ gateways: gateways.map(([description, port]) => gateway(description, port)) });
    const lines = linesOf(ended);
    expect(lines).toHaveLength(12);
    for (const [n, [, , line]] of gateways.entries()) expect(lines[n]).toMatch(line);
    expect(ended.code).toBe(1);
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(ACCOUNT.password);

    const json = await checked({ gateways: gateways.map(([description, port]) => gateway(description, port)) }, '--json');
    const all = JSON.parse(json.stdout) as readonly { readonly kind: string; readonly name: string; readonly findings: readonly { readonly outcome: string; readonly step: string }[] }[];
    expect(json.code).toBe(1);
    expect(all.map(({ kind, name }) => [kind, name])).toEqual(gateways.map(([description]) => ['gateway', description]));
    expect(all.filter(({ findings }) => findings.some(({ outcome }) => outcome === 'fail')).map(({ name }) => name)).toEqual(['Wrong name', 'Unknown CA', 'Expired', 'Not there', 'Wrong password', 'No impersonation']);
    // Nobody who shows a wrong certificate is given the password.
    expect(distrusted.requests).toEqual([]);
  }, 60_000);

  it('cn-only goes by the common name, the other way by the alternative names (A17)', async () => {
    const port = await behindTls(await exchange(), workshop.make({ subject: '/CN=127.0.0.1', by: ours, names: 'DNS:mail.corp.example' }));
    const one = gateway('Old certificate', port);
    expect((await checked({ gateways: [one] })).stdout).toMatch(/^Old certificate: fail .*Subject CN Mismatch.*cn-only/);
    expect(await checked({ gateways: [{ ...one, nameCheck: 'cn-only' }] })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Old certificate: ok/) as string });
  }, 30_000);

  it('is 0 where all is right, and wants no running bridge', async () => {
    const port = await behindTls(await exchange(), good);
    const ended = await checked({ gateways: [gateway('Head office', port)], parameters: { notificationPort: await freePort() } });
    expect(ended.stdout).toMatch(/^Head office: ok /);
    expect(linesOf(ended)).toHaveLength(1);
    expect(ended.code).toBe(0);
  }, 30_000);

  it('beside a running bridge, which has the port and goes on hearing', async () => {
    const server = await exchange();
    const hook = closed(await receiver());
    const bridge = await PresenceBridge.start({ type: 'exchange-ews', url: `${server.url}/EWS/Exchange.asmx` }, {
      parameters: { calendarSpread: 0, notificationPort: await freePort() },
      gateways: [{ description: 'Head office', type: 'ews', system: 'exchange', notifications: 'push' }],
      publishers: [{ type: 'webhook', url: hook.url, secret: 'secret-of-the-webhook' }],
    });
    closing.push(() => bridge.stop());
    await bridge.hears('push');
    const before = server.subscriptions.map(({ id }) => id);
    const ended = await bridge.command('presence', 'check');
    const lines = linesOf(ended);
    expect(lines[0]).toMatch(/^Head office: ok .*the running bridge has port/);
    expect(lines[1]).toMatch(/^webhook .*: (?:ok|warn) /);
    expect(ended.code).toBe(0);
    await bridge.hears('push');
    expect(server.subscriptions.map(({ id }) => id)).toEqual(expect.arrayContaining(before));
    // The bridge itself is asked by its administrators' programs.
    expect(JSON.stringify(await bridge.admin('presence'))).not.toContain(ACCOUNT.password);
  }, 30_000);

  it.skipIf(!hasKamailio)('--canary shows somebody at a real Kamailio, where a watcher sees it, and takes it away', async () => {
    const kamailio = closed(await startKamailio());
    const watcher = closed(await watchingSip(kamailio.port));
    const port = await behindTls(await exchange(), good);
    const presence = { gateways: [gateway('Head office', port)], publishers: [{ type: 'sip', server: `sip:127.0.0.1:${kamailio.port}` }] };
    const ended = await checked({ ...presence, canary: ANNA }, '--canary');
    const lines = linesOf(ended);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(new RegExp(`^sip 127\\.0\\.0\\.1:${kamailio.port}: ok .*canary in-a-meeting: a watcher sees it .*canary available: .*canary taken away`));
    expect(ended.code).toBe(0);
    expect(watcher.states).toContain('in-a-meeting');
    expect(watcher.states.at(-1)).toBe('nothing');
    // Without somebody to show it is wrong usage.
    expect(await check(presence, '--canary')).toMatchObject({ code: 2, stderr: expect.stringContaining('presence.canary') as string });
    // Down: said, and 1.
    await kamailio.stop();
    const down = await checked({ ...presence, canary: ANNA }, '--canary');
    expect(linesOf(down)[1]).toMatch(/^sip .*: fail/);
    expect(down.code).toBe(1);
  }, 90_000);
});
