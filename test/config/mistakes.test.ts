import { expect, it } from 'vitest';
import { describeProblems } from '../../src/config/config-error.ts';
import { EXCHANGE, MINIMAL, linesOf, refusal } from './temporary-bridge.ts';

const CLIENT = `clients:
  - name: zimbra
    username: zimbra
    password: p`;

it('lists every mistake of a file at once, in its order, with the path of its key and what would be right', async () => {
  const error = await refusal(`
deadline: 5
listne: http://127.0.0.1:8480
systems:${EXCHANGE}
    lookup: public-folder
    auth: form
  graph: { type: microsoft-graph }
  odd: { type: exchange }
clients:
  - name: zimbra
    username: Zimbra
    password: { env: FACE_PASSWORD }
    mayAsk: [exchange, exchnage]
    detail: busytype
  - name: other
    username: zimbra
    from: nowhere
replication: [{ from: exchange, to: exchange }]
gal: { sources: [{ type: ldap, url: ldap://dc.corp.example, base: dc=corp, home: exchnage }] }
`);
  expect(error.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    'deadline: has no unit; it should be a duration from 100ms to 1m, e.g. 500ms or 8s',
    'listne: there is no such key; did you mean listen?',
    'systems.exchange.legacyExchangeDn: is missing; lookup: public-folder needs it, e.g. /o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}',
    'systems.exchange.auth: "form" is not known; there are: basic, ntlm, oauth',
    'systems.graph.type: microsoft-graph is not supported yet; there are: zimbra, exchange-webdav, exchange-ews, ifb',
    'systems.odd.type: "exchange" is not known; there are: zimbra, exchange-webdav, exchange-ews, ifb',
    'clients[0].password: the environment variable FACE_PASSWORD is not set',
    'clients[0].mayAsk[1]: no system named "exchnage", did you mean exchange?; systems: exchange, graph, odd',
    'clients[0].detail: "busytype" is not known, did you mean busy-type?; there are: none, free-busy, busy-type, details',
    'clients[1].password: is missing; a client has username and password, or anonymous: true with addresses',
    'clients[1].username: is the same as that of clients[0] (upper and lower case do not count)',
    'clients[1].from: no system named "nowhere"; systems: exchange, graph, odd, or outside',
    'replication[0].to: is the same as from; a system is replicated into another one',
    'gal.sources[0].home: no system named "exchnage", did you mean exchange?; systems: exchange, graph, odd',
  ]);
  const lines = describeProblems(error).split('\n');
  expect(lines).toHaveLength(15);
  expect(lines[0]).toBe('deadline: has no unit; it should be a duration from 100ms to 1m, e.g. 500ms or 8s');
  expect(lines[14]).toBe(`Correct ${error.file} and try again; bridge.example.yaml shows every key.`);
});

it.each([
  ['caldav system', `systems: { c: { type: caldav, url: "https://c.example" } }`, 'systems.c.type'],
  ['graph system', `systems: { g: { type: microsoft-graph } }`, 'systems.g.type'],
])('refuses what a later version brings as not supported yet: %s', async (_what, yaml, path) => {
  expect(await linesOf(yaml)).toEqual([expect.stringMatching(/ is not supported yet; /)]);
  expect((await refusal(yaml)).problems[0]?.path).toBe(path);
});

it.each([
  ['no systems', 'listen: http://127.0.0.1:1', 'systems: is missing; it should be a map of keys'],
  ['an empty map of systems', 'systems: {}', 'systems: is empty; at least one system is needed'],
  ['systems as a list', 'systems: []', 'systems: should be a map of keys, not a list'],
  ['systems with nothing in it', 'systems:', 'systems: is empty; it should be a map of keys, or the key left out where it may be'],
  ['a file that is a text', 'hello', ': should be a map of keys, not a text'],
  ['an empty file', '', ': is empty; it should be a map of keys, or the key left out where it may be'],
  ['a system without type', 'systems: { a: { url: x } }', 'systems.a.type: is missing; it should be one of zimbra, exchange-webdav, exchange-ews, ifb'],
  ['a system whose name is none', `systems: { "a b": { type: ifb, url: "https://x.example/{address}" } }`, `systems["a b"]: a system's name should begin with a letter and have at most 63 letters, digits, "-" and "_"`],
  ['a system named outside', `systems: { outside: { type: ifb, url: "https://x.example/{address}" } }`, 'systems.outside: a system cannot be named outside: in from it means none of the systems'],
  ['a domain with an @', `systems: { a: { type: ifb, url: "https://x.example/{address}", domains: ["@x.example"] } }`, 'systems.a.domains[0]: should be a mail domain, e.g. corp.example, without @; single addresses belong under mailboxes'],
  ['a domain that is a number', `systems: { a: { type: ifb, url: "https://x.example/{address}", domains: [1] } }`, 'systems.a.domains[0]: should be a mail domain, e.g. corp.example, not a number; put it in quotes if it is meant as text'],
  ['domains as a text', `systems: { a: { type: ifb, url: "https://x.example/{address}", domains: x.example } }`, 'systems.a.domains: should be a list, not a text'],
  ['a mailbox that is none', `systems: { a: { type: ifb, url: "https://x.example/{address}", mailboxes: ["a/b@x.example"] } }`, 'systems.a.mailboxes[0]: should be a mail address, e.g. anna@corp.example'],
  ['a redirect host with a path', `${MINIMAL}    hosts: ["https://x.example/"]`, 'systems.exchange.hosts[0]: should be a host or host:port without scheme or path, e.g. ews2.corp.example'],
  ['an unknown TLS switch', `${MINIMAL}    tls: { rejectUnauthorized: false, ca: x.pem }`, 'systems.exchange.tls.rejectUnauthorized: there is no such key; keys here: ca, minVersion', 1],
  ['a version of TLS by another word', `${MINIMAL}    tls: { minVersion: TLSv1.0 }`, 'systems.exchange.tls.minVersion: "TLSv1.0" is not known, did you mean TLSv1.1?; there are: TLSv1, TLSv1.1, TLSv1.2'],
  ['a version of TLS as a number', `${MINIMAL}    tls: { minVersion: 1.0 }`, 'systems.exchange.tls.minVersion: should be one of TLSv1, TLSv1.1, TLSv1.2, not a number; put it in quotes if it is meant as text'],
  ['a URL that the bridge completes', `systems: { a: { type: zimbra, url: "https://z.example/service/soap" } }`, "systems.a.url: should be the Zimbra server's root, e.g. https://mail.zimbra.example: without /service, which the bridge appends itself"],
  ['a system URL without slashes', `systems: { a: { type: zimbra, url: "https:z.example" } }`, "systems.a.url: should be the Zimbra server's root, e.g. https://mail.zimbra.example"],
  ['an ifb URL for nobody', `systems: { a: { type: ifb, url: "https://x.example/fb", domains: [x.example] } }`, 'systems.a.url: should have {address} or {localPart} in path or query: without it every mailbox would get the same answer'],
  ['a placeholder in the host', `systems: { a: { type: ifb, url: "https://{domain}/{address}" } }`, 'systems.a.url: placeholders stand only in path or query, never in scheme, host or port'],
  ['a placeholder in the port', `systems: { a: { type: ifb, url: "https://x.example:{start}/{address}" } }`, 'systems.a.url: placeholders stand only in path or query, never in scheme, host or port'],
  ['a placeholder nobody knows', `systems: { a: { type: ifb, url: "https://x.example/{localpart}/{address}" } }`, 'systems.a.url: holds a placeholder that is not known, did you mean {localPart}?; there are: {address}, {localPart}, {domain}, {start}, {end}'],
  ['a brace left open', `systems: { a: { type: ifb, url: "https://x.example/{address" } }`, 'systems.a.url: holds a { or } that belongs to no placeholder; there are: {address}, {localPart}, {domain}, {start}, {end}', 1],
  ['half an account', `systems: { a: { type: ifb, url: "https://x.example/{address}", username: u } }`, 'systems.a.password: is missing; username and password go together'],
  ['a legacyExchangeDN whose mailbox is not its last name', `${MINIMAL}    legacyExchangeDn: "/o=Corp/ou={domain}/cn={localPart}"`, 'systems.exchange.legacyExchangeDn: should be a template such as /o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}: {localPart} or {address} in its last cn, and no placeholder before'],
  ['a legacyExchangeDN with placeholders that touch', `${MINIMAL}    legacyExchangeDn: "/o=Corp/cn={localPart}{domain}"`, 'systems.exchange.legacyExchangeDn: should have one placeholder in its last cn, or two with something between them: else nobody can tell whose message a DN names'],
  ['a legacyExchangeDN with three placeholders', `${MINIMAL}    legacyExchangeDn: "/o=Corp/cn={localPart}-{domain}-{localPart}"`, 'systems.exchange.legacyExchangeDn: should have one placeholder in its last cn, or two with something between them: else nobody can tell whose message a DN names'],
  ['a legacyExchangeDN with a window', `${MINIMAL}    legacyExchangeDn: "/o=Corp/cn={localPart}{start}"`, 'systems.exchange.legacyExchangeDn: holds a placeholder that is not known; there are: {address}, {localPart}, {domain}'],
  ['one mailbox in two homes', `${MINIMAL}    mailboxes: [kim@z.example]\n  b: { type: ifb, url: "https://x.example/{address}", mailboxes: [KIM@z.example] }`, 'systems.b.mailboxes[0]: lives in the system exchange already; a mailbox has one home'],
  ['two clients of one name', `${MINIMAL}${CLIENT}\n  - { name: ZIMBRA, username: other, password: p }`, 'clients[1].name: is the same as that of clients[0] (upper and lower case do not count)'],
  ['anonymous from anywhere', `${MINIMAL}clients: [{ name: a, anonymous: true }]`, 'clients[0].addresses: is missing; an anonymous client is known by nothing but its addresses, e.g. [10.0.0.0/8]'],
  ['anonymous with no address', `${MINIMAL}clients: [{ name: a, anonymous: true, addresses: [] }]`, 'clients[0].addresses: is empty; it should have at least one entry'],
  ['anonymous with a username', `${MINIMAL}clients: [{ name: a, anonymous: true, addresses: [10.0.0.1], username: u }]`, 'clients[0].username: does not go with anonymous: true; leave one of them out'],
  ['a username with a colon', `${MINIMAL}clients: [{ name: a, username: "a:b", password: p }]`, 'clients[0].username: should be a user name of at most 256 characters without colons or control characters'],
  ['a network that is none', `${MINIMAL}${CLIENT}\n    addresses: [10.0.0.0/33]`, 'clients[0].addresses[0]: should be an IP address or a network, e.g. 192.0.2.7 or 10.0.0.0/8'],
  ['a deadline out of bounds', `${MINIMAL}${CLIENT}\n    deadline: 2m`, 'clients[0].deadline: should be a duration from 100ms to 1m, e.g. 500ms or 8s'],
  ['a word for yes that YAML does not have', `${MINIMAL}behindProxy: yes`, 'behindProxy: should be true or false, not a text'],
  ['no data shown as something', `${MINIMAL}presence: { mapping: { no-data: available } }`, 'presence.mapping.no-data: should be unknown: what nobody knows is never shown as anything else'],
  ['a busy type nobody knows', `${MINIMAL}presence: { mapping: { bussy: away } }`, 'presence.mapping.bussy: there is no such key; did you mean busy?'],
  ['a publicUrl with a query', `${MINIMAL}publicUrl: https://b.example/?x=1`, 'publicUrl: should be the URL under which clients reach the bridge, e.g. https://bridge.example.com: without a query'],
  ['two listeners at one place', `${MINIMAL}admin: { listen: "http://127.0.0.1:8480" }\nlisten: http://127.0.0.1:8480`, 'admin.listen: is the same host and port as another listener'],
])('refuses %s', async (_what, yaml, line, others: string | number = 0) => {
  const lines = await linesOf(yaml);
  expect(lines).toContain(line);
  expect(lines.length).toBeLessThanOrEqual(1 + Number(others));
});

it('wants an account of a zimbra system that some client may ask, and none of one that nobody asks', async () => {
  const zimbra = 'systems: { z: { type: zimbra, url: "https://z.example", domains: [z.example] } }\n';
  const lines = await linesOf(`${zimbra}clients: [{ name: exchange, username: e, password: p, mayAsk: [z] }]`);
  expect(lines).toEqual([
    'systems.z.username: is missing; the client "exchange" may ask this system, so it needs an account to read with',
    'systems.z.password: is missing; the client "exchange" may ask this system, so it needs an account to read with',
  ]);
  await expect(refusal(`${zimbra}clients: [{ name: exchange, username: e, password: p }]`)).rejects.toThrow('not refused');
});

it('compares the default listener with the admin listener too', async () => {
  expect(await linesOf(`${MINIMAL}admin: { listen: "http://127.0.0.1:8480" }`)).toEqual(['admin.listen: is the same host and port as another listener']);
});
