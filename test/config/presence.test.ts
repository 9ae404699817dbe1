import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { GatewayConfig, PresenceConfig } from '../../src/config/presence-config.ts';
import { EXCHANGE, MINIMAL, load } from './temporary-bridge.ts';

const OLD = `
  old:
    type: exchange-webdav
    url: http://127.0.0.1:8080/
    auth: form
    username: OLD\\bridge
    password: secret-of-old
    domains: [old.example]`;
const CA = 'corp-ca.pem';
const authorities = async () => ({ [CA]: await readFile(new URL('../../fixtures/config/tls/cert.pem', import.meta.url), 'utf8') });

const presenceOf = async (yaml: string, systems = EXCHANGE): Promise<PresenceConfig> => (await load(`systems:${systems}\npresence:${yaml}`, { SECRET: 's', HOOK: 'https://chat.example/hooks/canary' }, await authorities())).presence;
const warningsOf = async (yaml: string, systems = EXCHANGE): Promise<readonly string[]> =>
  (await load(`systems:${systems}\nclients: [{ name: c, username: c, password: p }]\npresence:${yaml}`, {}, await authorities())).warnings;

describe('presence:', () => {
  it('has a default for everything: the original\'s parameters, no gateway, no publisher', async () => {
    expect((await load(MINIMAL)).presence).toEqual({
      optIn: [],
      mapping: { free: 'available', tentative: 'available', 'working-elsewhere': 'available', busy: 'in-a-meeting', oof: 'away', 'no-data': 'unknown' },
      precedence: ['do-not-disturb', 'manual-since', 'phone', 'out-of-office', 'meeting', 'manual', 'idle'],
      language: 'en',
      locales: undefined,
      canary: undefined,
      parameters: { ewsStatusFrequency: 60, notificationPort: 50_020, notificationHost: undefined, notificationListen: undefined, notificationScheme: 'http', calendarSpread: 50, exchangeTimeoutMs: 20_000, exchangeQueue: 1_000, exchangeThreads: 8, apply: 'gradual' },
      gateways: [],
      publishers: [],
    });
  });

  it('reads every key', async () => {
    const presence = await presenceOf(`
  optIn: [Anna@corp.example, anna@corp.example]
  precedence: [phone, meeting]
  language: pt-br
  locales: texts
  canary: Canary@corp.example
  parameters: { ewsStatusFrequency: 1440, notificationPort: 1, notificationHost: "[2001:db8::7]", notificationListen: "::", calendarSpread: auto, exchangeTimeout: 30s, exchangeQueue: 50, exchangeThreads: 2, apply: now }
`);
    expect(presence).toMatchObject({ optIn: ['anna@corp.example'], precedence: ['phone', 'meeting'], language: 'pt-BR', canary: 'canary@corp.example' });
    expect(presence.locales).toMatch(/^\/.*\/texts$/);
    expect(presence.parameters).toEqual({ ewsStatusFrequency: 1440, notificationPort: 1, notificationHost: '2001:db8::7', notificationListen: '::', notificationScheme: 'http', calendarSpread: 'auto', exchangeTimeoutMs: 30_000, exchangeQueue: 50, exchangeThreads: 2, apply: 'now' });
  });

  it.each([0, 59])('takes the bound %i of calendarSpread', async (calendarSpread) => {
    expect((await presenceOf(` { parameters: { calendarSpread: ${calendarSpread} } }`)).parameters.calendarSpread).toBe(calendarSpread);
  });
});

function passwordOf(gateway: GatewayConfig | undefined): string | undefined {
  return gateway === undefined || gateway.signIn.kind === 'oauth' ? undefined : gateway.signIn.accounts[0]?.password.reveal();
}

describe('presence.gateways', () => {
  it('take everything from the system that they name, plain http too where its url is', async () => {
    const [ews] = (await presenceOf(` { gateways: [{ description: Head office, type: ews, system: exchange, notifications: streaming, nameCheck: cn-only }] }`, `${EXCHANGE}\n    tls: { ca: ${CA} }\n    hosts: [ews2.corp.example]`)).gateways;
    expect(ews).toMatchObject({ description: 'Head office', type: 'ews', system: 'exchange', username: 'CORP\\bridge', signIn: { kind: 'basic' }, hosts: ['ews2.corp.example'], nameCheck: 'cn-only', notifications: 'streaming' });
    expect([ews?.servers[0]?.href, passwordOf(ews), ews?.ca?.length]).toEqual(['https://ews.corp.example/EWS/Exchange.asmx', 'secret-of-exchange', 1]);
    const [webdav] = (await presenceOf(` { gateways: [{ description: Old house, type: webdav, system: old }] }`, OLD)).gateways;
    expect(webdav).toMatchObject({ type: 'webdav', system: 'old', signIn: { kind: 'form' }, nameCheck: 'san-then-cn', notifications: 'auto' });
    expect(webdav?.servers[0]?.href).toBe('http://127.0.0.1:8080/');
  });

  it('have servers of their own: always https, 443 where nothing else is said, names and addresses', async () => {
    const { gateways } = await presenceOf(`
  gateways:
    - { description: One, type: ews, server: EWS1.corp.example, account: bridge@corp.example, password: { env: SECRET }, tls: { ca: ${CA} }, hosts: [ews2.corp.example] }
    - { description: Two, type: ews, server: 192.0.2.7, port: 4443, dns: none }
    - { description: Three, type: ews, server: "[2001:DB8::7]" }
    - { description: Four, type: ews, server: "2001:db8:0::8", account: Bridge@corp.example, password: s }
    - { description: Five, type: ews, server: bücher.example }
`);
    expect(gateways.map((one) => one.servers[0]?.href)).toEqual([
      'https://ews1.corp.example/EWS/Exchange.asmx',
      'https://192.0.2.7:4443/EWS/Exchange.asmx',
      'https://[2001:db8::7]/EWS/Exchange.asmx',
      'https://[2001:db8::8]/EWS/Exchange.asmx',
      'https://xn--bcher-kva.example/EWS/Exchange.asmx',
    ]);
    expect(gateways[0]).toMatchObject({ hosts: ['ews2.corp.example'], signIn: { kind: 'basic' }, nameCheck: 'san-then-cn' });
    expect(gateways[0]?.system).toBeUndefined();
    expect(gateways[0]?.ca).toHaveLength(1);
    // One account for all, given once (A25).
    expect(gateways.map((one) => `${one.username} ${passwordOf(one)}`)).toEqual([...Array.from({ length: 3 }, () => 'bridge@corp.example s'), 'Bridge@corp.example s', 'bridge@corp.example s']);
    const { gateways: [webdav] } = await presenceOf(` { gateways: [{ description: Old, type: webdav, server: owa.corp.example, account: CORP\\bridge, password: x, auth: form, notifications: poll }] }`);
    expect([webdav?.servers[0]?.href, webdav?.username, webdav?.signIn.kind, webdav?.notifications]).toEqual(['https://owa.corp.example/', 'CORP\\bridge', 'form', 'poll']);
  });

  it('take the account of the first, which may be that of its system', async () => {
    const { gateways } = await presenceOf(` { gateways: [{ description: A, type: ews, system: exchange }, { description: B, type: ews, server: ews2.corp.example }, { description: C, type: ews, server: ews3.corp.example, account: corp\\BRIDGE, password: secret-of-exchange }] }`);
    expect(gateways.map((one) => [one.username, passwordOf(one)])).toEqual([['CORP\\bridge', 'secret-of-exchange'], ['CORP\\bridge', 'secret-of-exchange'], ['corp\\BRIDGE', 'secret-of-exchange']]);
  });

  it('may be any number of EWS servers: 25 of them', async () => {
    const many = Array.from({ length: 25 }, (_, index) => `{ description: Office ${index + 1}, type: ews, server: ews${index + 1}.corp.example${index === 0 ? ', account: CORP\\bridge, password: p' : ''} }`);
    const { gateways } = await presenceOf(` { gateways: [${many.join(', ')}] }`);
    expect(gateways.map((one) => one.description)).toEqual(Array.from({ length: 25 }, (_, index) => `Office ${index + 1}`));
    expect(new Set(gateways.map((one) => one.username))).toEqual(new Set(['CORP\\bridge']));
  });

  it('may change their type in place', async () => {
    const gateway = (type: string) => ` { optIn: [anna@corp.example], gateways: [{ description: House, type: ${type}, server: x.corp.example, account: CORP\\bridge, password: p }] }`;
    expect((await presenceOf(gateway('webdav'))).gateways[0]?.servers[0]?.pathname).toBe('/');
    expect((await presenceOf(gateway('ews'))).gateways[0]?.servers[0]?.pathname).toBe('/EWS/Exchange.asmx');
  });
});

describe('presence.publishers', () => {
  it('are read, of every type', async () => {
    const { publishers } = await presenceOf(`
  publishers:
    - { type: sip, server: "sip:im.corp.example:5060" }
    - { type: xmpp, component: calendar.corp.example, server: xmpp.corp.example, secret: { env: SECRET } }
    - { type: ejabberd, url: "https://im.corp.example:5443/api/", username: bridge@corp.example, password: p, busyShow: xa, tls: { ca: ${CA} } }
    - { type: webhook, url: { env: HOOK }, secret: x }
`);
    expect(publishers).toMatchObject([
      { type: 'sip', server: { host: 'im.corp.example', port: 5060, transport: 'udp' }, expiresMs: 3_600_000 },
      { type: 'xmpp', component: 'calendar.corp.example', server: { host: 'xmpp.corp.example', port: 5347 } },
      { type: 'ejabberd', username: 'bridge@corp.example', busyShow: 'xa' },
      { type: 'webhook' },
    ]);
    const [, , ejabberd, webhook] = publishers;
    expect(ejabberd?.type === 'ejabberd' && [ejabberd.url.href, ejabberd.ca?.length]).toEqual(['https://im.corp.example:5443/api', 1]);
    expect(webhook?.type === 'webhook' && webhook.url.reveal()).toBe('https://chat.example/hooks/canary');
    expect(JSON.stringify(publishers)).not.toContain('canary');
  });

  // RFC 3261 §19.1.2, §18.2.2: 5061 is TLS's; sips is TLS over TCP.
  it.each([
    ['sip:im.corp.example', 'im.corp.example', 5060, 'udp'],
    ['SIP:IM.corp.example;Transport=TCP', 'im.corp.example', 5060, 'tcp'],
    ['sip:192.0.2.7:5080;transport=tls', '192.0.2.7', 5080, 'tls'],
    ['sip:im.corp.example;transport=tls', 'im.corp.example', 5061, 'tls'],
    ['sips:im.corp.example', 'im.corp.example', 5061, 'tls'],
    ['sips:im.corp.example:5443;transport=tcp', 'im.corp.example', 5443, 'tls'],
    ['sip:[2001:db8::1]:5070', '2001:db8::1', 5070, 'udp'],
  ])('sip: %s', async (server, host, port, transport) => {
    expect((await presenceOf(` { publishers: [{ type: sip, server: "${server}" }] }`)).publishers[0]).toMatchObject({ server: { host, port, transport } });
  });

  it('may be plain on loopback', async () => {
    const { publishers } = await presenceOf(` { publishers: [{ type: ejabberd, url: "http://127.0.0.1:5280/api" }, { type: webhook, url: "http://localhost:9/x", secret: s }] }`);
    expect(publishers.map((one) => one.type)).toEqual(['ejabberd', 'webhook']);
  });
});

describe('a warning', () => {
  it('is not given for what is in order', async () => {
    expect(await warningsOf(` { optIn: [anna@corp.example], gateways: [{ description: A, type: ews, system: exchange }], publishers: [{ type: xmpp, component: c.example, server: localhost, secret: s }] }`)).toEqual([]);
    expect(await warningsOf(` { optIn: [anna@corp.example] }`)).toEqual([]);
    expect(await warningsOf(` { optIn: [anna@corp.example], gateways: [{ description: A, type: ews, server: x.example, account: a@b, password: p }] }`)).toEqual([]);
  });

  it.each([
    ['a changed time-out', 'parameters: { exchangeTimeout: 5s }', /^presence\.parameters\.exchangeTimeout: is advanced, .*\(20s\)/],
    ['a changed queue', 'parameters: { exchangeQueue: 5000 }', /^presence\.parameters\.exchangeQueue: is advanced, .*\(1000\)/],
    ['a changed number of threads', 'parameters: { exchangeThreads: 9 }', /^presence\.parameters\.exchangeThreads: is advanced, .*\(8\)/],
    ['another port', 'gateways: [{ description: A, type: ews, server: e.corp.example, port: 444, account: a@b, password: p }]', /^presence\.gateways\[0\]\.port: is not 443/],
    ['two gateways at one server', 'gateways: [{ description: A, type: ews, system: exchange }, { description: B, type: ews, server: ews.corp.example }]', /^presence\.gateways\[1\]\.server: leads to the same server as "A"/],
    ['a component beyond loopback', 'optIn: [anna@corp.example], gateways: [{ description: A, type: ews, system: exchange }], publishers: [{ type: xmpp, component: c.example, server: x.example, secret: s }]', /^presence\.publishers\[0\]\.server: .*not encrypted/],
    ['publishers without anybody', 'publishers: [{ type: sip, server: "sip:x.example" }]', /^presence\.publishers: nobody is shown/],
    ['opted-in mailboxes without a gateway', 'optIn: [anna@corp.example], publishers: [{ type: sip, server: "sip:x.example" }]', /^presence\.optIn: no gateway serves the Exchange of "anna@corp.example": asked/],
  ])('is given for %s', async (_what, presence, line) => {
    expect(await warningsOf(` { ${presence} }`)).toEqual([expect.stringMatching(line)]);
  });

  it('is given for a WebDAV account without its domain, and for a frequency that WebDAV does not have', async () => {
    const webdav = (keys: string) => ` { gateways: [{ description: A, type: webdav, server: owa.example, account: bridge, password: p }]${keys} }`;
    expect(await warningsOf(webdav(''))).toEqual([expect.stringMatching(/^presence\.gateways\[0\]\.account: has no domain, .*401 or 404/)]);
    expect(await warningsOf(webdav(', parameters: { ewsStatusFrequency: 30 }'))).toHaveLength(2);
  });

  it('is given for a client that could switch somebody on if there were a gateway', async () => {
    expect((await load(`${MINIMAL}clients: [{ name: c, username: c, password: p, from: exchange, presence: opt-in }]`)).warnings).toEqual(['presence.gateways: there is none, so no client can switch anybody on']);
  });
});
