import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { load } from './temporary-bridge.ts';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const PRESENCE_ENV = { SIP_PASSWORD: 's', XMPP_SECRET: 'x', EJABBERD_PASSWORD: 'e', WEBHOOK_URL: 'https://chat.example/hooks/1', WEBHOOK_SECRET: 'w' };
const ENV = { ZIMBRA_PASSWORD: 'a', FACE_PASSWORD: 'b', EXCHANGE_FACE_PASSWORD: 'c', EXCHANGE2003_PASSWORD: 'd' };

async function files() {
  const cert = await read('fixtures/config/tls/cert.pem');
  return { 'cert.pem': cert, 'key.pem': await read('fixtures/config/tls/key.pem'), 'corp-ca.pem': cert, 'clients-ca.pem': cert, 'exchange-password.txt': 'e\n', 'exchange-password2.txt': 'f\n', 'portal.hash': `$scrypt$ln=17,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}\n` };
}

it('loads bridge.example.yaml as it stands, without a warning', async () => {
  const config = await load(await read('bridge.example.yaml'), ENV, await files());
  expect(config.systems.map(({ name, type }) => `${name} ${type}`)).toEqual(['zimbra zimbra', 'exchange exchange-ews', 'partner ifb']);
  expect(config.clients.map(({ name, from, mayAsk }) => ({ name, from, mayAsk }))).toEqual([
    { name: 'Zimbra', from: 'zimbra', mayAsk: ['exchange', 'partner'] },
    { name: 'Exchange', from: 'exchange', mayAsk: ['zimbra', 'partner'] },
  ]);
  expect(config.warnings).toEqual([]);
});

it('loads bridge.example.yaml with all that is commented out in it', async () => {
  const yaml = (await read('bridge.example.yaml')).replace(/^( *)# ( *(?:- )?[\w-]+:.*)$/gm, (line, indent: string, rest: string) =>
    /freebusy-bridge|^#/.test(rest) || line.startsWith('# A') ? line : `${indent}${rest}`,
  );
  const config = await load(yaml, { ...ENV, PARTNER_PASSWORD: 'p', HOSTED_SECRET: 'h', ZIMBRA_ADMIN_PASSWORD: 'z', LDAP_PASSWORD: 'l', NOTIFY_SECRET: 'whsec-0123456789abcdef', ...PRESENCE_ENV }, await files());
  expect(config.systems.map(({ name }) => name)).toContain('exchange2003');
  expect(config.systems.map(({ name, type, detail, cacheForMs, staleForMs }) => [name, type, detail, cacheForMs, staleForMs])).toContainEqual(['exchange', 'exchange-ews', 'details', 15_000, 0]);
  expect(config.systems.find(({ name }) => name === 'exchange2003')).toMatchObject({ minTlsVersion: 'TLSv1', ca: [expect.any(String)] });
  expect(config.systems.find(({ name }) => name === 'hosted')).toMatchObject({ servers: [], autodiscover: { mailbox: 'bridge@hosted.example' }, signIn: { kind: 'oauth', oauth: { credential: { kind: 'secret' } } }, impersonate: 'bridge@hosted.example' });
  expect(config.systems.find(({ name }) => name === 'exchange')).toMatchObject({ signIn: { kind: 'basic', accounts: [{ username: 'CORP\\bridge' }, { username: 'CORP\\bridge2' }] }, concurrency: 10 });
  expect([config.issuers.length, config.privacy.exclude.length]).toEqual([1, 2]);
  expect(config.audit).toEqual((await load(await read('bridge.example.yaml'), ENV, await files())).audit);
  expect(config.clients.map(({ name }) => name)).toEqual(['Zimbra', 'Exchange', 'portal', 'planner', 'kiosk', 'reception desk']);
  expect(config.redis?.kind).toBe('single');
  // The keys that it shows stand there with their defaults.
  const day = 86_400_000;
  expect(config.replication).toEqual([{ from: 'zimbra', to: 'exchange', pastMs: 7 * day, aheadMs: 60 * day, only: 'foreign-principal', include: [], exclude: [], concurrency: 8 }]);
  expect(config.gal.sources.map((one) => one.kind)).toEqual(['system', 'ldap', 'file']);
  expect(config.gal.search).toEqual({ minimumLength: 1, results: 200, perMinute: 12_000 });
  const { presence } = await load(await read('bridge.example.yaml'), ENV, await files());
  // A host and an address to listen at have no default that could stand there.
  const { notificationHost, notificationListen, ...parameters } = config.presence.parameters;
  expect([notificationHost, notificationListen]).toEqual(['bridge.example.com', '0.0.0.0']);
  expect(parameters).toEqual({ ...presence.parameters, notificationHost: undefined, notificationListen: undefined });
  expect([config.presence.precedence, config.presence.language]).toEqual([presence.precedence, presence.language]);
  expect(config.presence.gateways.map((one) => [one.description, one.system, one.username])).toEqual([['Head office', 'exchange', 'CORP\\bridge'], ['Branch office', undefined, 'CORP\\bridge']]);
  expect(config.presence.publishers.map((one) => one.type)).toEqual(['sip', 'xmpp', 'ejabberd', 'webhook']);
  expect(config.notify?.secret.reveal()).toBe('whsec-0123456789abcdef');
  expect(config.warnings).toEqual([expect.stringMatching(/^systems\.exchange2003\.tls\.minVersion: is TLSv1: /)]);
});

it('shows the default of every key of presence.mapping', async () => {
  const yaml = await read('bridge.example.yaml');
  const shown = parseDocument(/# mapping:.*\n((?: +# {3}[\w-]+: .*\n)+)/.exec(yaml)?.[1]?.replaceAll('#', '') ?? '').toJS() as Record<string, string>;
  const config = await load(yaml, ENV, await files());
  expect({ ...shown, 'no-data': 'unknown' }).toEqual(config.presence.mapping);
});
