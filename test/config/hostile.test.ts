import { expect, it } from 'vitest';
import { MINIMAL, linesOf, load, problemsOf } from './temporary-bridge.ts';

const MEGABYTE = 1024 * 1024;

it.each([
  ['a key that stands twice', 'deadline: 5s\nlisten: x\ndeadline: 6s', 'line 3, column 1', 'this key stands twice'],
  ['a tab', 'systems:\n\ta: 1', 'line 2, column 1', 'a tab cannot indent; use blanks'],
  ['an alias for nothing', 'a: 1\nb: *nothing', 'line 2, column 4', 'this alias (*) stands for no anchor (&) before it; a value that begins with * belongs in quotes'],
  ['an alias inside its own value', 'a: &x\n  - *x', 'line 2, column 5', 'this alias (*) stands inside the value it names'],
  ['a tag', 'a: !!js/function x', 'line 1, column 4', 'tags (!) are not supported; a value that begins with ! belongs in quotes'],
  ['a directive', '%YAML 1.1\n---\na: yes', 'line 1, column 1', 'directives (%) are not supported; a value that begins with % belongs in quotes'],
  ['a second document', 'a: 1\n---\nb: 2', 'line 2, column 1', 'the file holds several documents (---); it should be one'],
  ['a key that is a list', '? [a]\n: 1', 'line 1, column 3', 'a key should be a text'],
  ['the prototype', 'a: 1\n__proto__: { polluted: true }', 'line 2, column 1', 'this key is not allowed'],
])('names line and column of %s', async (_what, yaml, path, message) => {
  expect((await problemsOf(yaml))[0]).toEqual({ path, message });
});

it('does not let a key reach a prototype', async () => {
  await problemsOf('systems: { a: { __proto__: { polluted: true } } }');
  expect(await linesOf(`${MINIMAL}constructor: { prototype: { polluted: true } }\ntoString: 1`)).toEqual([
    expect.stringMatching(/^constructor: there is no such key/),
    expect.stringMatching(/^toString: there is no such key/),
  ]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('takes an anchor and its alias, within reason', async () => {
  const config = await load(`${MINIMAL}    mailboxes: &people [kim@x.example]\npresence: { optIn: *people }`);
  expect(config.presence.optIn).toEqual(['kim@x.example']);
});

it('stops an alias bomb', async () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array.from({ length: 9 }, () => `*l${i}`).join(', ')}]`);
  expect((await problemsOf(`l0: &l0 x\n${levels.join('\n')}`))[0]?.message).toBe('the file has more than 100000 values once its aliases (*) are expanded');
});

it.each([
  ['brackets', '['.repeat(33) + ']'.repeat(33), 'line 1, column 33'],
  ['braces', '{a: '.repeat(33) + '}'.repeat(33), 'line 1, column 129'],
  ['dashes', `${'- '.repeat(33)}x`, 'line 1, column 65'],
  ['half a million brackets', `a:\n  ${'['.repeat(500_000)}`, 'line 2, column 35'],
  ['half a million dashes', '- '.repeat(500_000), 'line 1, column 65'],
  ['indentation', Array.from({ length: 40 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'line 34, column 34'],
])('refuses what nests too deep by %s', async (_what, yaml, path) => {
  expect(await problemsOf(yaml)).toEqual([{ path, message: 'is nested deeper than 32 levels' }]);
});

it('refuses a file of more than a megabyte, one that is no text, and one that is not there', async () => {
  expect((await problemsOf(`#${'x'.repeat(MEGABYTE)}`))[0]?.message).toMatch(/bridge\.yaml is larger than 1048576 bytes$/);
  const latin = Uint8Array.from([0x61, 0x3a, 0x20, 0xfc]);
  expect((await problemsOf('', {}, { 'bridge.yaml': latin }))[0]?.message).toMatch(/bridge\.yaml is no UTF-8 text$/);
  const { loadConfig } = await import('../../src/config/load.ts');
  await expect(loadConfig('/nonexistent/bridge.yaml', {})).rejects.toMatchObject({ problems: [{ path: '', message: '/nonexistent/bridge.yaml cannot be read (ENOENT)' }] });
  await expect(loadConfig('/dev/zero', {})).rejects.toMatchObject({ problems: [{ path: '', message: '/dev/zero is no regular file' }] });
});

it('takes no longer than seconds over a hostile megabyte', async () => {
  const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
  const began = performance.now();
  const problems = await problemsOf(keys);
  expect(problems).toHaveLength(50_001); // and systems is missing
  expect((await problemsOf('- *a\n'.repeat(50_000))).length).toBe(21);
  expect(performance.now() - began).toBeLessThan(15_000);
});

const WRONG = ['null', '1', 'true', '"x"', '[]', '[[]]', '{}', '{ a: 1 }', '-1', '1.5', '"\\u0000"', '[null]'];
/** One of each kind; every case is a file. */
const FEW = ['null', '-1', '[[]]', '{ a: 1 }', '"\\u0000"'];
const KEYS = ['listen', 'tls', 'behindProxy', 'trustedProxies', 'publicUrl', 'admin', 'redis', 'dataDir', 'deadline', 'systems', 'clients', 'presence', 'log', 'workingElsewhere', 'replication', 'notify', 'issuers', 'privacy', 'audit'];
const SYSTEM_KEYS = ['type', 'url', 'username', 'password', 'auth', 'tls', 'hosts', 'domains', 'mailboxes', 'lookup', 'legacyExchangeDn', 'detail', 'cacheFor', 'staleFor', 'concurrency', 'autodiscover', 'accounts', 'oauth', 'impersonate'];
const CLIENT_KEYS = ['name', 'username', 'password', 'anonymous', 'auth', 'addresses', 'from', 'mayAsk', 'detail', 'gal', 'presence', 'deadline', 'passwordHash', 'token', 'certificate'];
const ROUTE_KEYS = ['from', 'to', 'past', 'ahead', 'mailboxes', 'concurrency'];
const CHOICE_KEYS = ['only', 'include', 'exclude'];
const GATEWAY_KEYS = ['description', 'type', 'server', 'port', 'account', 'password', 'tls', 'nameCheck', 'dns', 'notifications', 'auth', 'hosts'];
const PARAMETER_KEYS = ['ewsStatusFrequency', 'notificationPort', 'notificationHost', 'notificationListen', 'calendarSpread', 'exchangeTimeout', 'exchangeQueue', 'exchangeThreads', 'apply'];
const PRESENCE_KEYS = ['optIn', 'mapping', 'precedence', 'language', 'locales', 'canary', 'parameters', 'gateways', 'publishers'];
const PUBLISHERS: readonly Record<string, string>[] = [
  { type: 'sip', server: '"sip:x.example"', username: 'u', password: 'p', expires: '1h' },
  { type: 'xmpp', component: 'c.example', server: 'x.example', secret: 's' },
  { type: 'ejabberd', url: '"https://x.example/api"', username: 'a@b', password: 'p', busyShow: 'dnd' },
  { type: 'webhook', url: '"https://x.example/"', secret: 's' },
];
const FULL_GATEWAY: Record<string, string> = { description: 'A', type: 'ews', server: 'x.example', account: 'a@b', password: 'p' };
const FULL_SYSTEM: Record<string, string> = { type: 'exchange-ews', url: '"https://e.example/x"', username: 'u', password: 'p' };
const FULL_CLIENT: Record<string, string> = { name: 'c', username: 'c', password: 'p' };
const FULL_ISSUER: Record<string, string> = { issuer: '"https://i.example"', audience: 'a', jwksUri: '"https://i.example/keys"', tls: '{}' };
const FULL_OAUTH: Record<string, string> = { tokenUrl: '"https://i.example/token"', clientId: 'c', clientSecret: 's', scope: 's', tls: '{}' };
const FULL_ROUTE: Record<string, string> = { from: 'z', to: 'exchange' };
const HOME = '  z: { type: zimbra, url: "https://z.example", username: u, password: p, admin: { username: a, password: p } }';
const TARGET = `${MINIMAL}    legacyExchangeDn: /o=x/cn={localPart}\n${HOME}\n`;

/** Values that stand for something right under these keys. */
const RIGHT = new Set(['behindProxy true', 'anonymous true', 'trustedProxies []', 'dataDir "x"', 'clients []', 'presence {}', 'log {}', 'password "x"', 'username "x"', 'hosts []', 'domains []', 'mailboxes []', 'name "x"', 'mayAsk []', 'replication []', 'mailboxes {}', 'include []', 'exclude []', 'concurrency 1', 'secret "x"', 'issuers []', 'privacy {}', 'audit {}', 'accounts []', 'lookups true', 'fileMegabytes 1', 'files 1', 'issuer "x"', 'audience "x"', 'clientId "x"', 'clientSecret "x"', 'scope "x"', 'tls {}']);
const cases = [
  ...KEYS.flatMap((key) => WRONG.map((value) => [key, key, value, key === 'systems' ? `systems: ${value}` : `${MINIMAL}${key}: ${value}`] as const)),
  ...SYSTEM_KEYS.flatMap((key) => WRONG.map((value) => [`systems.e.${key}`, key, value, `systems: { e: ${flow({ ...FULL_SYSTEM, [key]: value })} }`] as const)),
  ...CLIENT_KEYS.flatMap((key) => WRONG.map((value) => [`clients[0].${key}`, key, value, `${MINIMAL}clients: [${flow({ ...FULL_CLIENT, [key]: value })}]`] as const)),
  ...ROUTE_KEYS.flatMap((key) => WRONG.map((value) => [`replication[0].${key}`, key, value, `${TARGET}replication: [${flow({ ...FULL_ROUTE, [key]: value })}]`] as const)),
  ...CHOICE_KEYS.flatMap((key) => WRONG.map((value) => [`replication[0].mailboxes.${key}`, key, value, `${TARGET}replication: [${flow({ ...FULL_ROUTE, mailboxes: flow({ [key]: value }) })}]`] as const)),
  ...PRESENCE_KEYS.flatMap((key) => FEW.map((value) => [`presence.${key}`, key, value, `${MINIMAL}presence: ${flow({ [key]: value })}`] as const)),
  ...PARAMETER_KEYS.flatMap((key) => FEW.map((value) => [`presence.parameters.${key}`, key, value, `${MINIMAL}presence: { parameters: ${flow({ [key]: value })} }`] as const)),
  ...GATEWAY_KEYS.flatMap((key) => FEW.map((value) => [`presence.gateways[0].${key}`, key, value, `${MINIMAL}presence: { gateways: [${flow({ ...FULL_GATEWAY, [key]: value })}] }`] as const)),
  ...PUBLISHERS.flatMap((full) => Object.keys(full).flatMap((key) => FEW.map((value) => [`presence.publishers[0].${key}`, `${full['type']} ${key}`, value, `${MINIMAL}presence: { publishers: [${flow({ ...full, [key]: value })}] }`] as const))),
  ...['exclude'].flatMap((key) => WRONG.map((value) => [`privacy.${key}`, key, value, `${MINIMAL}privacy: { ${key}: ${value} }`] as const)),
  ...['lookups', 'fileMegabytes', 'files'].flatMap((key) => WRONG.map((value) => [`audit.${key}`, key, value, `${MINIMAL}audit: { ${key}: ${value} }`] as const)),
  ...Object.keys(FULL_ISSUER).flatMap((key) => WRONG.map((value) => [`issuers[0].${key}`, key, value, `${MINIMAL}issuers: [${flow({ ...FULL_ISSUER, [key]: value })}]`] as const)),
  ...Object.keys(FULL_OAUTH).flatMap((key) => FEW.map((value) => [`systems.e.oauth.${key}`, key, value, `systems: { e: { type: exchange-ews, url: "https://e.example/x", auth: oauth, oauth: ${flow({ ...FULL_OAUTH, [key]: value })} } }`] as const)),
  ...WRONG.map((value) => ['notify.secret', 'secret', value, `${MINIMAL}notify: { secret: ${value} }`] as const),
];

function flow(map: Record<string, string>): string {
  return `{ ${Object.entries(map).map(([key, value]) => `${key}: ${value}`).join(', ')} }`;
}

it('names the key of whatever is of the wrong kind, wherever it stands', async () => {
  const missed: string[] = [];
  for (const [path, key, value, yaml] of cases) {
    if (RIGHT.has(`${key} ${value}`)) continue;
    const problems = await problemsOf(yaml).catch(() => []);
    if (!problems.some((problem) => problem.path.startsWith(path)) || problems.some(({ message }) => /\n|undefined|\[object|Invalid/.test(message))) missed.push(`${path} = ${value}: ${JSON.stringify(problems)}`);
  }
  expect(missed).toEqual([]);
}, 60_000);
