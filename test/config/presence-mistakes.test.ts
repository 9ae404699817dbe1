import { describe, expect, it } from 'vitest';
import { EXCHANGE, MINIMAL, linesOf, refusal } from './temporary-bridge.ts';

const OLD = `
  old: { type: exchange-webdav, url: "https://owa.corp.example", username: OLD\\bridge, password: p, domains: [old.example] }
  partner: { type: ifb, url: "https://p.example/{address}", domains: [p.example] }`;
const of = (presence: string): string => `systems:${EXCHANGE}${OLD}\npresence: { ${presence} }\n`;
const gateways = (...entries: readonly string[]): string => of(`gateways: [${entries.map((one) => `{ ${one} }`).join(', ')}]`);
const ACCOUNT = 'account: bridge@corp.example, password: p';
const HOST = 'should be a host name or an IP address and nothing else, e.g. ews1.corp.example or 192.0.2.7';
const RULE = 'there is either one webdav gateway, or any number of ews gateways, never both';
const TOGETHER = 'is missing; account and password go together: a server of its own needs both';

describe('a mistake under presence is refused in words:', () => {
  it.each([
    ['ewsStatusFrequency of 0', 'ewsStatusFrequency: 0', 'presence.parameters.ewsStatusFrequency: should be a whole number from 1 to 1440'],
    ['ewsStatusFrequency of 1441', 'ewsStatusFrequency: 1441', 'presence.parameters.ewsStatusFrequency: should be a whole number from 1 to 1440'],
    ['ewsStatusFrequency of 1.5', 'ewsStatusFrequency: 1.5', 'presence.parameters.ewsStatusFrequency: should be a whole number from 1 to 1440'],
    ['notificationPort of 0', 'notificationPort: 0', 'presence.parameters.notificationPort: should be a whole number from 1 to 65535'],
    ['notificationPort of 65536', 'notificationPort: 65536', 'presence.parameters.notificationPort: should be a whole number from 1 to 65535'],
    ['calendarSpread of 60', 'calendarSpread: 60', 'presence.parameters.calendarSpread: should be a whole number of seconds from 0 to 59, or auto (a hundredth of the users)'],
    ['calendarSpread of -1', 'calendarSpread: -1', 'presence.parameters.calendarSpread: should be a whole number of seconds from 0 to 59, or auto (a hundredth of the users)'],
    ['calendarSpread as a word', 'calendarSpread: never', 'presence.parameters.calendarSpread: should be a whole number of seconds from 0 to 59, or auto (a hundredth of the users)'],
    ['exchangeTimeout without unit', 'exchangeTimeout: 20', 'presence.parameters.exchangeTimeout: has no unit; it should be a duration from 1s to 2m, e.g. 500ms or 8s'],
    ['exchangeTimeout of an hour', 'exchangeTimeout: 1h', 'presence.parameters.exchangeTimeout: should be a duration from 1s to 2m, e.g. 500ms or 8s'],
    ['exchangeQueue of 0', 'exchangeQueue: 0', 'presence.parameters.exchangeQueue: should be a whole number from 10 to 100000'],
    ['exchangeThreads of 33', 'exchangeThreads: 33', 'presence.parameters.exchangeThreads: should be a whole number from 1 to 32'],
    ['apply', 'apply: later', 'presence.parameters.apply: "later" is not known; there are: gradual, now'],
    ['notificationScheme https without a certificate', 'notificationScheme: https', 'presence.parameters.notificationScheme: is https and needs tls: { certificate, key }'],
    ['notificationHost with a port', 'notificationHost: "bridge.example:50020"', `presence.parameters.notificationHost: ${HOST}: without a port, which is notificationPort`],
    ['notificationListen as a name', 'notificationListen: bridge.example', 'presence.parameters.notificationListen: should be an IP address of this machine, e.g. 192.0.2.7, or 0.0.0.0 for every one'],
    ['a parameter nobody knows', 'calenderSpread: 5', 'presence.parameters.calenderSpread: there is no such key; did you mean calendarSpread?'],
  ])('%s', async (_what, parameter, line) => {
    expect(await linesOf(of(`parameters: { ${parameter} }`))).toEqual([line]);
  });

  it.each([
    ['a rule twice', 'precedence: [phone, meeting, phone]', 'presence.precedence[2]: stands there already; every rule once'],
    ['a rule nobody knows', 'precedence: [telephone]', 'presence.precedence[0]: "telephone" is not known; there are: do-not-disturb, manual-since, phone, out-of-office, meeting, manual, idle'],
    ['a language with _', 'language: en_US', 'presence.language: should be a language tag, e.g. en, de or pt-BR: with -, not _'],
    ['a language that is none', 'language: "x y"', 'presence.language: should be a language tag, e.g. en, de or pt-BR'],
    ['a duplicate variant', 'language: sl-rozaj-rozaj', 'presence.language: should be a language tag, e.g. en, de or pt-BR'],
    ['a canary that is no mailbox', 'canary: anna', 'presence.canary: should be a mail address, e.g. anna@corp.example'],
  ])('%s', async (_what, keys, line) => {
    expect(await linesOf(of(keys))).toEqual([line]);
  });

  it.each([
    ['neither system nor server', ['description: A, type: ews'], 'presence.gateways[0].system: is missing; a gateway names a system, or a server of its own: server, account and password'],
    ['both', ['description: A, type: ews, system: exchange, server: x.example'], 'presence.gateways[0].server: does not go with system: a gateway names a system, or a server of its own; leave one of them out'],
    ['an account beside a system', ['description: A, type: ews, system: exchange, account: a@b'], 'presence.gateways[0].account: does not go with system, which says it already; leave it out'],
    ['a system that is not there', ['description: A, type: ews, system: exchnage'], 'presence.gateways[0].system: no system named "exchnage", did you mean exchange?; systems: exchange, old, partner'],
    ['a system of the other type', ['description: A, type: ews, system: old'], 'presence.gateways[0].type: is ews, and old is of type exchange-webdav: write type: webdav, or name another system'],
    ['a system that is no Exchange', ['description: A, type: ews, system: partner'], 'presence.gateways[0].system: partner is of type ifb; a gateway names an exchange-ews or an exchange-webdav'],
    ['no type', ['description: A, system: exchange'], 'presence.gateways[0].type: is missing; it should be one of ews, webdav'],
    ['a type nobody knows', ['description: A, type: ewz, system: exchange'], 'presence.gateways[0].type: "ewz" is not known, did you mean ews?; there are: ews, webdav'],
    ['no description', ['type: ews, system: exchange'], 'presence.gateways[0].description: is missing; it should be a text of 1 to 100 printable characters that tells this gateway from the others, e.g. "Head office"'],
    ['an empty description', ['description: "", type: ews, system: exchange'], 'presence.gateways[0].description: should be a text of 1 to 100 printable characters that tells this gateway from the others, e.g. "Head office"'],
    ['a description of two lines', ['description: "a\\nb", type: ews, system: exchange'], 'presence.gateways[0].description: should be a text of 1 to 100 printable characters that tells this gateway from the others, e.g. "Head office"'],
    ['a description twice', ['description: Head, type: ews, system: exchange', `description: HEAD, type: ews, server: x.example`], 'presence.gateways[1].description: is the same as that of gateways[0] (upper and lower case do not count); it tells one gateway from another'],
    ['a mix of types', ['description: Head office, type: ews, system: exchange', 'description: Old house, type: webdav, system: old'], `presence.gateways[1].type: "Old house" is webdav and "Head office" is ews; ${RULE}`],
    ['a second webdav', ['description: Old house, type: webdav, system: old', 'description: Older, type: webdav, server: x.example, account: A\\b, password: p'], `presence.gateways[1].type: "Older" is a second webdav gateway beside "Old house"; ${RULE}`],
    ['a URL as server', [`description: A, type: ews, server: "https://x.example/EWS", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: no URL; https is spoken always, and the bridge adds the path`],
    ['plain http', [`description: A, type: ews, server: "http://x.example", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: no URL; https is spoken always, and the bridge adds the path`],
    ['a path', [`description: A, type: ews, server: x.example/EWS, ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: without a path, which the bridge adds itself`],
    ['a port in the server', [`description: A, type: ews, server: "x.example:443", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: without a port, which is 443, or stands under port`],
    ['a port behind an IPv6 address', [`description: A, type: ews, server: "[2001:db8::1]:443", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: without a port, which is 443, or stands under port`],
    ['a user in the server', [`description: A, type: ews, server: me@x.example, ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: without @; an account belongs under its own key`],
    ['a wildcard', [`description: A, type: ews, server: "*.corp.example", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}: one host; a wildcard stands in certificates only`],
    ['an address only some programs read', [`description: A, type: ews, server: 0x7f.1, ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}`],
    ['an address with a zone', [`description: A, type: ews, server: "fe80::1%eth0", ${ACCOUNT}`], `presence.gateways[0].server: ${HOST}`],
    ['a port out of bounds', [`description: A, type: ews, server: x.example, port: 65536, ${ACCOUNT}`], 'presence.gateways[0].port: should be a whole number from 1 to 65535'],
    ['no password', ['description: A, type: ews, server: x.example, account: a@b'], `presence.gateways[0].password: ${TOGETHER}`],
    ['half an account of a later server', [`description: A, type: ews, server: x.example, ${ACCOUNT}`, 'description: B, type: ews, server: y.example, account: bridge@corp.example'], 'presence.gateways[1].password: is missing; account and password go together: leave both out to take those of "A"'],
    ['an ews account without its domain', ['description: A, type: ews, server: x.example, account: bridge, password: p'], 'presence.gateways[0].account: should be user@domain or domain\\user, e.g. bridge@corp.example or CORP\\bridge'],
    ['an account with two backslashes', ['description: A, type: ews, server: x.example, account: CORP\\\\bridge, password: p'], 'presence.gateways[0].account: should be user@domain or domain\\user, e.g. bridge@corp.example or CORP\\bridge; without quotes, or in single ones, YAML wants one backslash only'],
    ['a webdav account as an address', ['description: A, type: webdav, server: x.example, account: bridge@corp.example, password: p'], 'presence.gateways[0].account: should be domain\\user with exactly one backslash, e.g. CORP\\bridge'],
    ['two accounts', [`description: A, type: ews, server: x.example, ${ACCOUNT}`, 'description: B, type: ews, server: y.example, account: CORP\\other, password: p'], 'presence.gateways[1].account: all ews servers share one account and password: "B" has the account "CORP\\other" and "A" has "bridge@corp.example"; leave account and password out everywhere but in the first gateway'],
    ['an account beside that of the first one\'s system', ['description: A, type: ews, system: exchange', 'description: B, type: ews, server: y.example', `description: C, type: ews, server: z.example, ${ACCOUNT}`], 'presence.gateways[2].account: all ews servers share one account and password: "C" has the account "bridge@corp.example" and "B" has "CORP\\bridge"; leave account and password out everywhere but in the first gateway'],
    ['two passwords', [`description: A, type: ews, server: x.example, ${ACCOUNT}`, 'description: B, type: ews, server: y.example, account: bridge@corp.example, password: CANARY'], 'presence.gateways[1].password: all ews servers share one account and password, and this password is not that of "A"; leave account and password out everywhere but in the first gateway'],
    ['form with ews', [`description: A, type: ews, server: x.example, auth: form, ${ACCOUNT}`], 'presence.gateways[0].auth: form is for webdav; with ews there are: basic, ntlm'],
    ['push with webdav', ['description: A, type: webdav, system: old, notifications: push'], 'presence.gateways[0].notifications: push is for ews; with webdav there are: auto, poll'],
    ['OAuth', [`description: A, type: ews, server: x.example, auth: oauth, ${ACCOUNT}`], 'presence.gateways[0].auth: "oauth" is not known; there are: basic, form, ntlm'],
    ['a check of names nobody knows', [`description: A, type: ews, system: exchange, nameCheck: none`], 'presence.gateways[0].nameCheck: "none" is not known; there are: san-then-cn, cn-only'],
    ['a key nobody knows', ['descripton: A, description: A, type: ews, system: exchange'], 'presence.gateways[0].descripton: there is no such key; did you mean description?'],
  ])('a gateway with %s', async (_what, entries, line) => {
    const lines = await linesOf(gateways(...entries));
    expect(lines).toEqual([line]);
    expect(lines.join()).not.toContain('CANARY');
  });

  it('the first ews server without an account, though a later one has it', async () => {
    expect(await linesOf(gateways('description: A, type: ews, server: x.example', `description: B, type: ews, server: y.example, ${ACCOUNT}`))).toEqual([`presence.gateways[0].account: ${TOGETHER}`, `presence.gateways[0].password: ${TOGETHER}`]);
  });

  it('a host name where no DNS is: what to do with the certificate (A17)', async () => {
    const [line, ...more] = await linesOf(gateways(`description: A, type: ews, server: ews.corp.example, dns: none, ${ACCOUNT}`));
    expect(line).toMatch(/^presence\.gateways\[0\]\.server: is a host name, .*regenerate the certificate on the Exchange server .*IP address as its common name \(CN\)/);
    expect(more).toEqual([]);
  });

  it.each([
    ['no type', 'server: "sip:x"', 'presence.publishers[0].type: is missing; it should be one of sip, xmpp, ejabberd, webhook'],
    ['a type nobody knows', 'type: xmmp', 'presence.publishers[0].type: "xmmp" is not known, did you mean xmpp?; there are: sip, xmpp, ejabberd, webhook'],
    ['a type of every object', 'type: constructor', 'presence.publishers[0].type: "constructor" is not known; there are: sip, xmpp, ejabberd, webhook'],
    ['a user in a SIP URI', 'type: sip, server: "sip:me@x.example"', /^presence\.publishers\[0\]\.server: should be sip:.*: without a user; an account belongs under username and password$/],
    ['a SIP URI with slashes', 'type: sip, server: "sip://x.example"', /a SIP URI has no \/\/$/],
    ['headers in a SIP URI', 'type: sip, server: "sip:x.example?a=b"', /without headers \(\?\)$/],
    ['another parameter', 'type: sip, server: "sip:x.example;lr"', /"lr" is no parameter that the bridge knows here$/],
    ['two parameters', 'type: sip, server: "sip:x.example;transport=tcp;maddr=1.2.3.4"', /"maddr" is no parameter that the bridge knows here$/],
    ['another transport', 'type: sip, server: "sip:x.example;transport=sctp"', /"sctp" is no transport that the bridge has$/],
    ['TLS over UDP', 'type: sip, server: "sips:x.example;transport=udp"', /sips is TLS, which does not go over udp$/],
    ['a SIP port of 0', 'type: sip, server: "sip:x.example:0"', /^presence\.publishers\[0\]\.server: should be sip:/],
    ['http as SIP', 'type: sip, server: "http://x.example"', /^presence\.publishers\[0\]\.server: should be sip:/],
    ['half an account', 'type: sip, server: "sip:x.example", username: a', 'presence.publishers[0].password: is missing; username and password go together'],
    ['authorities without TLS', 'type: sip, server: "sip:x.example", tls: { ca: ca.pem }', 'presence.publishers[0].tls: is of no use without TLS: write sips:, or ;transport=tls'],
    ['expires of a second', 'type: sip, server: "sip:x.example", expires: 1s', /^presence\.publishers\[0\]\.expires: should be a duration from 1m to 1d/],
    ['a component that is no domain', 'type: xmpp, component: "a@b", server: x.example, secret: s', "presence.publishers[0].component: should be the component's own domain, e.g. calendar.corp.example"],
    ['an XMPP server as a URL', 'type: xmpp, component: c.example, server: "xmpp://x.example", secret: s', 'presence.publishers[0].server: should be host:port, e.g. xmpp.corp.example:5347'],
    ['no secret', 'type: xmpp, component: c.example, server: x.example', 'presence.publishers[0].secret: is missing; it should be a text, {env: NAME} or {file: PATH}'],
    ['plain http beyond loopback', 'type: ejabberd, url: "http://im.example/api"', /^presence\.publishers\[0\]\.url: should be .*plain http only on this machine/],
    ['a JID without host', 'type: ejabberd, url: "https://im.example/api", username: bridge, password: p', 'presence.publishers[0].username: should be the full JID of an account with the rights, e.g. bridge@corp.example'],
    ['a plain webhook', 'type: webhook, url: "http://chat.example/CANARY", secret: s', /^presence\.publishers\[0\]\.url: should be .*plain http only on this machine/],
    ['a webhook that is no URL', 'type: webhook, url: CANARY, secret: s', 'presence.publishers[0].url: should be an https URL, {env: NAME} or {file: PATH}'],
  ])('a publisher with %s', async (_what, keys, line) => {
    const pem = `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    const files = keys.includes('ca.pem') ? { 'ca.pem': await authority() } : { 'ca.pem': pem };
    const lines = await linesOf(of(`publishers: [{ ${keys} }]`), {}, files);
    expect(lines).toEqual([typeof line === 'string' ? line : expect.stringMatching(line)]);
    expect(lines.join()).not.toContain('CANARY');
  });

  it('a publisher twice, however it is spelled', async () => {
    expect(await linesOf(of('publishers: [{ type: sip, server: "sip:x.example" }, { type: sip, server: "sip:X.example:5060" }, { type: webhook, url: "https://h.example/CANARY", secret: s }, { type: webhook, url: "https://h.example/CANARY", secret: t }]'))).toEqual([
      'presence.publishers[1]: publishes where publishers[0] does; every server once',
      'presence.publishers[3]: publishes where publishers[2] does; every server once',
    ]);
  });

  it('a notification port that a listener has', async () => {
    const yaml = (listen: string, more = '') => `listen: "${listen}"\n${gateways('description: A, type: ews, system: exchange').replace('presence: { ', `presence: { parameters: { notificationPort: 8480${more} }, `)}`;
    const line = 'presence.parameters.notificationPort: is the port of a listener already; Exchange calls back at a port of its own';
    expect(await linesOf(yaml('http://127.0.0.1:8480'))).toEqual([line]);
    expect(await linesOf(yaml('http://127.0.0.1:8480', ', notificationListen: 127.0.0.1'))).toEqual([line]);
    await expect(refusal(yaml('http://127.0.0.1:8480', ', notificationListen: 192.0.2.1'))).rejects.toThrow('not refused');
  });

  it.each(['', ', from: outside'])('a client that switches presence and speaks for no system%s', async (from) => {
    expect(await linesOf(`${MINIMAL}clients: [{ name: c, username: c, password: p, presence: opt-in${from} }]`)).toEqual(['clients[0].presence: opt-in needs from: the name of a system: this client switches mailboxes of that system only']);
  });
});

async function authority(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(new URL('../../fixtures/config/tls/cert.pem', import.meta.url), 'utf8');
}
