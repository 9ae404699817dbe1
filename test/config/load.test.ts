import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { processEnvironment } from '../../src/config/environment.ts';
import { EXCHANGE, MINIMAL, linesOf, load } from './temporary-bridge.ts';

const TLS = new URL('../../fixtures/config/tls/', import.meta.url);
const pem = (name: string) => readFile(new URL(name, TLS), 'utf8');

it('gives every key that is left out the default of configuration.md', async () => {
  const config = await load(MINIMAL);
  expect(config).toMatchObject({
    listen: [{ protocol: 'http', host: '127.0.0.1', port: 8480, isLoopback: true }],
    behindProxy: false,
    trustedProxies: [],
    dataDir: join(dirname(config.file), 'data'),
    deadlineMs: 5000,
    workingElsewhere: 'free',
    log: { level: 'info' },
    clients: [],
    issuers: [],
    privacy: { exclude: [] },
    audit: { lookups: true, fileBytes: 16 * 1024 * 1024, files: 5 },
    presence: {
      optIn: [],
      mapping: {
        free: 'available',
        tentative: 'available',
        'working-elsewhere': 'available',
        busy: 'in-a-meeting',
        oof: 'away',
        'no-data': 'unknown',
      },
    },
  });
  expect([config.tls, config.publicUrl, config.admin, config.redis]).toEqual([undefined, undefined, undefined, undefined]);
  expect(config.systems).toMatchObject([
    { name: 'exchange', type: 'exchange-ews', username: 'CORP\\bridge', signIn: { kind: 'basic', accounts: [{ username: 'CORP\\bridge' }] }, lookup: 'query', hosts: [], mailboxes: [], domains: ['corp.example'], detail: 'details', staleForMs: 0 },
  ]);
});

it('reads a system of every type and a client with every key', async () => {
  const config = await load(
    `systems:${EXCHANGE}
    lookup: public-folder
    legacyExchangeDn: "/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}"
    hosts: [EWS2.corp.example, "ews3.corp.example:444"]
    mailboxes: [Kim@Zimbra.example]
  zimbra:
    type: zimbra
    url: https://mail.zimbra.example
    adminUrl: https://mail.zimbra.example:7071
    username: bridge@zimbra.example
    password: { env: ZIMBRA_PASSWORD }
    admin: { username: bridge-admin@zimbra.example, password: { env: ZIMBRA_ADMIN_PASSWORD } }
    domains: [Zimbra.Example, zimbra.example]
  old:
    type: exchange-webdav
    url: https://owa.corp.example
    auth: form
    username: CORP\\bridge
    password: x
    domains: [old.example]
  partner:
    type: ifb
    url: https://partner.example/freebusy/{address}.ifb?from={start}&to={end}
    domains: [partner.example]
clients:
  - name: zimbra
    username: zimbra
    password: { file: face }
    auth: [basic]
    addresses: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
    from: zimbra
    mayAsk: [exchange, partner]
    detail: details
    gal: none
    presence: read
    deadline: 4s
  - { name: desk, anonymous: true, addresses: [192.0.2.17] }
presence:
  optIn: [Anna@corp.example, smtp:anna@corp.example]
  mapping: { tentative: in-a-meeting }
workingElsewhere: tentative
deadline: 1500ms
`,
    { ZIMBRA_PASSWORD: 'zp', ZIMBRA_ADMIN_PASSWORD: 'zap' },
    { face: 'face secret\n' },
  );
  const [exchange, zimbra, old, partner] = config.systems;
  expect(exchange).toMatchObject({ lookup: 'public-folder', hosts: ['ews2.corp.example', 'ews3.corp.example:444'], mailboxes: ['kim@zimbra.example'] });
  expect(zimbra).toMatchObject({ name: 'zimbra', type: 'zimbra', domains: ['zimbra.example'], username: 'bridge@zimbra.example' });
  expect(zimbra?.type === 'zimbra' && [zimbra.password?.reveal(), zimbra.admin?.password.reveal(), zimbra.adminUrl?.port]).toEqual(['zp', 'zap', '7071']);
  expect(old).toMatchObject({ type: 'exchange-webdav', signIn: { kind: 'form' }, lookup: 'query' });
  expect(partner?.type === 'ifb' && partner.urlTemplate.reveal()).toBe('https://partner.example/freebusy/{address}.ifb?from={start}&to={end}');
  expect(config.clients).toMatchObject([
    {
      name: 'zimbra',
      credentials: { username: 'zimbra' },
      auth: ['basic'],
      addresses: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'],
      from: 'zimbra',
      mayAsk: ['exchange', 'partner'],
      detail: 'details',
      presence: 'read',
      deadlineMs: 4000,
    },
    { name: 'desk', anonymous: true, auth: [], addresses: ['192.0.2.17'], from: 'outside', mayAsk: [], detail: 'busy-type', gal: 'none', presence: 'none' },
  ]);
  expect(config.clients[0]?.credentials?.password?.reveal()).toBe('face secret');
  expect(config.clients[1]?.credentials).toBeUndefined();
  expect(config.presence).toMatchObject({ optIn: ['anna@corp.example'], mapping: { tentative: 'in-a-meeting', busy: 'in-a-meeting' } });
  expect([config.workingElsewhere, config.deadlineMs, config.warnings]).toEqual(['tentative', 1500, []]);
});

it('takes one listener or a list, port 0, IPv6, and plain http beyond loopback only behind a proxy', async () => {
  const config = await load(`${MINIMAL}behindProxy: true\nlisten: ["http://[::1]:0", "http://0.0.0.0:8480", "http://localhost"]\nadmin: { listen: "http://127.0.0.1:8481" }\n`);
  expect(config.listen).toEqual([
    { protocol: 'http', host: '::1', port: 0, isLoopback: true },
    { protocol: 'http', host: '0.0.0.0', port: 8480, isLoopback: false },
    { protocol: 'http', host: 'localhost', port: 80, isLoopback: true },
  ]);
  expect(config.admin?.listen.port).toBe(8481);
  expect(await linesOf(`${MINIMAL}listen: http://0.0.0.0:8480\nadmin: { listen: "http://192.0.2.1:1" }`)).toEqual([
    'listen: is plain http beyond loopback: use https, or set behindProxy: true where a proxy in front speaks TLS',
    'admin.listen: is plain http beyond loopback: use https, or set behindProxy: true where a proxy in front speaks TLS',
  ]);
});

it.each(['http://127.0.0.1:8480/bridge', 'http://u:p@127.0.0.1:1', 'ftp://127.0.0.1', '127.0.0.1:8480', 'http://*:80', 'http://127.0.0.1:99999', 'http://127.0.0.1:1?x', ''])(
  'does not listen at %s',
  async (listen) => {
    expect(await linesOf(`${MINIMAL}listen: "${listen}"`)).toEqual([
      'listen: should be http:// or https:// with host and port and nothing else, e.g. http://127.0.0.1:8480',
    ]);
  },
);

it('reads key and certificate with every load, and proves that they belong together', async () => {
  const files = { 'cert.pem': await pem('cert.pem'), 'key.pem': await pem('key.pem'), 'other.pem': await pem('other-key.pem'), 'text.pem': 'hello' };
  const yaml = (key: string, cert = 'cert.pem') => `${MINIMAL}listen: https://0.0.0.0:8443\ntls: { certificate: ${cert}, key: ${key} }\n`;
  const config = await load(yaml('key.pem'), {}, files);
  expect(config.tls?.certificate).toBe(files['cert.pem']);
  expect(config.tls?.key.reveal()).toBe(files['key.pem']);
  expect(await linesOf(yaml('other.pem'), {}, files)).toEqual(['tls.key: the key does not belong to the certificate']);
  expect(await linesOf(yaml('cert.pem'), {}, files)).toEqual(['tls.key: the file holds no private key that can be read without a passphrase']);
  expect(await linesOf(yaml('key.pem', 'other.pem'), {}, files)).toEqual(['tls.certificate: the file holds no certificate chain that can be read']);
  expect(await linesOf(yaml('text.pem', 'gone.pem'), {}, files)).toEqual([
    expect.stringMatching(/^tls\.certificate: .*\/gone\.pem cannot be read \(ENOENT\)$/),
    expect.stringMatching(/^tls\.key: .*\/text\.pem is no PEM file/),
  ]);
  expect(await linesOf(`${MINIMAL}listen: https://0.0.0.0:8443`)).toEqual(['listen: is https and needs tls: { certificate, key }']);
});

it("reads a system's authorities one by one", async () => {
  const cert = await pem('cert.pem');
  const config = await load(`${MINIMAL}    tls: { ca: ca.pem }`, {}, { 'ca.pem': `# ours\n${cert}\n${cert}` });
  expect(config.systems[0]?.ca).toEqual([cert.trim(), cert.trim()]);
  const broken = cert.replace(/[A-Za-z]{20}/, 'AAAAAAAAAAAAAAAAAAAA');
  expect(await linesOf(`${MINIMAL}    tls: { ca: ca.pem }`, {}, { 'ca.pem': cert + broken })).toEqual(['systems.exchange.tls.ca: certificate 2 of the file cannot be read']);
  expect(await linesOf(`${MINIMAL}    tls: { ca: key.pem }`, {}, { 'key.pem': await pem('key.pem') })).toEqual(['systems.exchange.tls.ca: the file holds no certificate']);
});

it('accepts each spelling of redis, and keeps what may hold a password secret', async () => {
  const of = async (redis: string) => (await load(`${MINIMAL}redis: ${redis}`, { REDIS_URL: 'rediss://:pw@r.example:6380/1' })).redis;
  const single = await of('{ env: REDIS_URL }');
  expect(single?.kind === 'single' && single.url.reveal()).toBe('rediss://:pw@r.example:6380/1');
  expect(await of('redis://127.0.0.1:6379/0')).toMatchObject({ kind: 'single' });
  const sentinels = await of('{ sentinels: ["s1.example:26379"], name: main }');
  expect(sentinels?.kind === 'sentinels' && [sentinels.name, sentinels.nodes.map((node) => node.reveal())]).toEqual(['main', ['redis://s1.example:26379']]);
  expect(await of('{ cluster: ["a:1", "b:2"] }')).toMatchObject({ kind: 'cluster' });
  expect(await linesOf(`${MINIMAL}redis: { sentinels: [], nmae: x }`)).toEqual([
    'redis.name: is missing; it should be the name of the master',
    'redis.sentinels: is empty; it should have at least one entry',
    'redis.nmae: there is no such key; did you mean name?',
  ]);
  expect(await linesOf(`${MINIMAL}redis: http://:CANARY@x`)).toEqual([expect.stringMatching(/^redis: should be redis:\/\/host:port\/0 /)]);
});

it('warns, and loads, where something is odd but not wrong', async () => {
  const { warnings } = await load(`behindProxy: true
systems:
  lab: { type: exchange-webdav, url: "http://owa.lab.example", username: u, password: p, domains: [lab.example] }
  here: { type: exchange-webdav, url: "http://127.0.0.1:8080", username: u, password: p, domains: [lab.example] }
  open: { type: ifb, url: "http://open.example/{address}", domains: [] }
clients:
  - { name: all, anonymous: true, addresses: [0.0.0.0/0], from: lab, mayAsk: [lab] }
presence: { optIn: [eve@nowhere.example] }
`);
  expect(warnings.map((line) => line.split(': ')[0])).toEqual([
    'publicUrl',
    'systems.lab.url',
    'systems.open.domains',
    'systems.here.domains',
    'clients[0].addresses',
    'clients[0].addresses',
    'clients[0].mayAsk',
    'presence.optIn',
  ]);
  expect((await load(MINIMAL)).warnings).toEqual(['clients: there is none, so every question is refused']);
});

it('reads a file with a byte order mark and Windows line ends, and JSON indented by tabs', async () => {
  expect((await load(`\ufeff${MINIMAL.replaceAll('\n', '\r\n')}`)).systems[0]?.name).toBe('exchange');
  const systems = { p: { type: 'ifb', url: 'https://p.example/{localPart}', domains: ['p.example'] } };
  expect((await load(JSON.stringify({ systems }, undefined, '\t'))).systems[0]?.name).toBe('p');
});

it('reads JSON, which is YAML', async () => {
  const config = await load(JSON.stringify({ systems: { p: { type: 'ifb', url: 'https://p.example/{localPart}', domains: ['p.example'] } } }));
  expect(config.systems[0]?.name).toBe('p');
});

it("hands the process's environment out as a copy", () => {
  const environment = processEnvironment();
  expect(environment).toEqual(process.env);
  expect(environment).not.toBe(process.env);
});
