import { describe, expect, it } from 'vitest';
import { MINIMAL, linesOf, load } from './temporary-bridge.ts';

const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';
const EXCHANGE = `
  exchange: { type: exchange-ews, url: "https://ews.corp.example/EWS/Exchange.asmx", username: u, password: p, domains: [corp.example], legacyExchangeDn: "${DN}" }`;
const ADMIN = 'adminUrl: "https://mail.zimbra.example:7071", admin: { username: a, password: p }';
const zimbra = (more = ADMIN, domains = 'zimbra.example'): string => `
  zimbra: { type: zimbra, url: "https://mail.zimbra.example", username: u, password: p, domains: [${domains}]${more === '' ? '' : `, ${more}`} }`;
const CLIENT = 'clients: [{ name: z, username: z, password: p, from: zimbra, mayAsk: [exchange] }]\n';
const DAY = 86_400_000;

/** A file that is right but for what is added. */
const bridge = (replication: string, systems = `${EXCHANGE}${zimbra()}`): string => `systems:${systems}\n${CLIENT}replication: ${replication}\n`;
const route = (more = ''): string => `[{ from: zimbra, to: exchange${more === '' ? '' : `, ${more}`} }]`;
const warningsOf = async (yaml: string): Promise<readonly string[]> => (await load(yaml)).warnings;

describe('replication', () => {
  it('is none where nothing is said, and where the list is empty', async () => {
    expect(await load(MINIMAL)).toMatchObject({ replication: [] });
    expect(await load(bridge('[]'))).toMatchObject({ replication: [], warnings: [] });
    expect(Object.hasOwn(await load(MINIMAL), 'notify')).toBe(false);
  });

  it('has the defaults of configuration.md', async () => {
    const { replication, warnings } = await load(bridge(route()));
    expect(replication).toEqual([{ from: 'zimbra', to: 'exchange', pastMs: 7 * DAY, aheadMs: 60 * DAY, only: 'foreign-principal', include: [], exclude: [], concurrency: 8 }]);
    expect(warnings).toEqual([]);
  });

  it('reads every key', async () => {
    const mailboxes = 'mailboxes: { only: all, include: [Kim@zimbra.example, smtp:kim@zimbra.example], exclude: [lee@zimbra.example] }';
    const { replication, notify } = await load(`${bridge(route(`past: 0d, ahead: 36h, concurrency: 64, ${mailboxes}`))}notify: { secret: { env: NOTIFY_SECRET } }`, { NOTIFY_SECRET: 'whsec-0123456789abcdef' });
    expect(replication).toEqual([{ from: 'zimbra', to: 'exchange', pastMs: 0, aheadMs: 1.5 * DAY, only: 'all', include: ['kim@zimbra.example'], exclude: ['lee@zimbra.example'], concurrency: 64 }]);
    expect(notify?.secret.reveal()).toBe('whsec-0123456789abcdef');
  });

  it('means those with a foreign principal where the system tells them, else everybody', async () => {
    const other = `\n  other: { type: exchange-webdav, url: "https://owa.example", username: u, password: p, domains: [other.example] }`;
    const { replication } = await load(bridge('[{ from: zimbra, to: exchange }, { from: other, to: exchange }]', `${EXCHANGE}${zimbra('')}${other}`));
    expect(replication.map(({ only }) => only)).toEqual(['all', 'all']);
    expect((await load(bridge(route('mailboxes: { only: foreign-principal }')))).replication[0]?.only).toBe('foreign-principal');
  });

  it('may lead from several systems into one, and from one into several', async () => {
    const old = EXCHANGE.replace('exchange:', 'old:').replace('exchange-ews', 'exchange-webdav').replace('/EWS/Exchange.asmx', '').replace('corp.example]', 'old.example]');
    const yaml = bridge('[{ from: zimbra, to: exchange }, { from: zimbra, to: old }, { from: old, to: exchange }, { from: exchange, to: old }]', `${EXCHANGE}${old}${zimbra()}`);
    expect((await load(yaml)).replication).toHaveLength(4);
  });
});

describe('a mistake in replication', () => {
  it.each([
    ['a system nobody has', bridge('[{ from: zimbar, to: exchnage }]'), ['replication[0].from: no system named "zimbar", did you mean zimbra?; systems: exchange, zimbra', 'replication[0].to: no system named "exchnage", did you mean exchange?; systems: exchange, zimbra']],
    ['no systems at its ends', bridge('[{}]'), ['replication[0].from: is missing; it should be the name of the system whose mailboxes are replicated', 'replication[0].to: is missing; it should be the name of the Exchange they are written into']],
    ['outside', bridge('[{ from: outside, to: exchange }]'), ['replication[0].from: no system named "outside"; systems: exchange, zimbra']],
    ['a target that takes none', bridge('[{ from: exchange, to: zimbra }]'), ['replication[0].to: zimbra is of type zimbra; replication writes into exchange-webdav and exchange-ews only']],
    ['both ends the same', bridge('[{ from: exchange, to: exchange }]'), ['replication[0].to: is the same as from; a system is replicated into another one']],
    ['a pair twice', bridge('[{ from: zimbra, to: exchange }, { from: zimbra, to: exchange, past: 1d }]'), ['replication[1].to: is what replication[0] says already: the same from and the same to; put both entries into one']],
    ['a target without template', bridge(route(), `${EXCHANGE.replace(`, legacyExchangeDn: "${DN}"`, '')}${zimbra()}`), [`systems.exchange.legacyExchangeDn: is missing; replication[0] writes into this system and needs it, e.g. ${DN}`]],
    ['foreign principals that nobody tells', bridge(route('mailboxes: { only: foreign-principal }'), `${EXCHANGE}${zimbra('')}`), ["replication[0].mailboxes.only: needs systems.zimbra.admin: { username, password }, because nobody but Zimbra's admin service tells the foreign principals; without it write only: all"]],
    ['foreign principals of an Exchange', bridge('[{ from: old, to: exchange, mailboxes: { only: foreign-principal } }]', `${EXCHANGE}\n  old: { type: exchange-webdav, url: "https://o.example", username: u, password: p, domains: [o.example] }`).replace(CLIENT, ''), ["replication[0].mailboxes.only: foreign principals are Zimbra's, and old is no zimbra; leave it out, or write only: all"]],
    ['an address on both lists', bridge(route('mailboxes: { include: [lee@zimbra.example, KIM@zimbra.example], exclude: [kim@Zimbra.example] }')), ['replication[0].mailboxes.include[1]: is under exclude too; leave it out of one of them']],
    ['an address that is none', bridge(route('mailboxes: { include: ["a/b@zimbra.example"] }')), ['replication[0].mailboxes.include[0]: should be a mail address, e.g. anna@corp.example']],
    ['a window without end', bridge(route('ahead: 12h')), ['replication[0].ahead: should be a duration from 1d to 1098d, e.g. 7d or 60d']],
    ['a past of years', bridge(route('past: 367d')), ['replication[0].past: should be a duration from 0ms to 366d, e.g. 7d or 60d']],
    ['no concurrency', bridge(route('concurrency: 0')), ['replication[0].concurrency: should be a whole number from 1 to 64']],
    ['half a mailbox at a time', bridge(route('concurrency: 1.5')), ['replication[0].concurrency: should be a whole number from 1 to 64']],
    ['a concurrency in words', bridge(route('concurrency: "8"')), ['replication[0].concurrency: should be a whole number from 1 to 64, not a text']],
    ['a word for whom that nobody knows', bridge(route('mailboxes: { only: foreign-principals }')), ['replication[0].mailboxes.only: "foreign-principals" is not known, did you mean foreign-principal?; there are: foreign-principal, all']],
    ['a key nobody knows', bridge(route('mailboxes: { exlude: [] }')), ['replication[0].mailboxes.exlude: there is no such key; did you mean exclude?']],
    ['a map for the list', bridge('{ from: zimbra, to: exchange }'), ['replication: should be a list, not a map']],
    ['notify without secret', `${bridge(route())}notify: {}`, ['notify.secret: is missing; it should be a text, {env: NAME} or {file: PATH}']],
    ['notify with another key', `${bridge(route())}notify: { secret: x, path: /hook }`, ['notify.path: there is no such key; keys here: secret']],
  ])('is named: %s', async (_what, yaml, lines) => {
    expect(await linesOf(yaml)).toEqual(lines);
  });

  it('of a home without account is named once, whoever reads it, and never answered by admin', async () => {
    const home = zimbra().replace(' username: u, password: p,', '');
    expect(await linesOf(bridge(route(), `${EXCHANGE}${home}`))).toEqual([
      'systems.zimbra.username: is missing; replication[0] reads this system, and never as admin, so it needs an account to read with',
      'systems.zimbra.password: is missing; replication[0] reads this system, and never as admin, so it needs an account to read with',
    ]);
    const asked = bridge(route(), `${EXCHANGE}${home}`).replace('mayAsk: [exchange]', 'mayAsk: [zimbra]');
    expect(await linesOf(asked)).toEqual([
      'systems.zimbra.username: is missing; the client "z" may ask this system, so it needs an account to read with',
      'systems.zimbra.password: is missing; the client "z" may ask this system, so it needs an account to read with',
    ]);
  });

  it('stands beside all others, in the order of the file', async () => {
    const yaml = bridge('[{ from: zimbra, to: exchange, past: 7 }, { from: zimbra, to: exchange, concurrency: 65 }, { from: exchange, to: zimbra, extra: 1 }, 5]', `${EXCHANGE.replace(`, legacyExchangeDn: "${DN}"`, '')}${zimbra('')}`);
    expect((await linesOf(yaml)).map((line) => line.split(': ')[0])).toEqual([
      'systems.exchange.legacyExchangeDn',
      'replication[0].past',
      'replication[1].to',
      'replication[1].concurrency',
      'replication[2].to',
      'replication[2].extra',
      'replication[3]',
    ]);
  });

  it('says a missing template once, also where lookup needs it too', async () => {
    const exchange = EXCHANGE.replace(`legacyExchangeDn: "${DN}"`, 'lookup: public-folder');
    expect(await linesOf(bridge(route(), `${exchange}${zimbra()}`))).toEqual([expect.stringMatching(/^systems\.exchange\.legacyExchangeDn: is missing; lookup: public-folder needs it/)]);
  });

  it('is not made of a system that a later version brings, beyond saying so', async () => {
    const graph = '\n  graph: { type: microsoft-graph, domains: [g.example] }';
    expect(await linesOf(bridge('[{ from: zimbra, to: graph }]', `${EXCHANGE}${zimbra()}${graph}`))).toEqual([expect.stringMatching(/^systems\.graph\.type: microsoft-graph is not supported yet/)]);
  });
});

describe('what is odd about replication', () => {
  it('is a zimbra without admin: nobody tells the foreign principals', async () => {
    expect(await warningsOf(bridge(route(), `${EXCHANGE}${zimbra('')}`))).toEqual([
      'replication[0].from: without systems.zimbra.admin nobody tells the foreign principals and no WaitSet is heard: all mailboxes that are notified are replicated',
    ]);
  });

  it('is that nothing tells of changes', async () => {
    const deaf = bridge(route(), `${EXCHANGE}${zimbra('')}`).replace('from: zimbra, mayAsk', 'mayAsk');
    const line = 'replication[0].from: nothing tells of changes in zimbra, so only the hourly sweep finds them; add admin, notify: { secret } or a client with from: zimbra';
    expect(await warningsOf(deaf)).toContain(line);
    expect(await warningsOf(`${deaf}notify: { secret: 0123456789abcdef0 }`)).not.toContain(line);
    const others = bridge('[{ from: other, to: exchange }]', `${EXCHANGE}\n  other: { type: ifb, url: "https://o.example/{address}", domains: [o.example] }`).replace('from: zimbra, mayAsk', 'mayAsk');
    expect(await warningsOf(others)).toEqual(['replication[0].from: nothing tells of changes in other, so only the hourly sweep finds them; add notify: { secret } or a client with from: other']);
  });

  it('is a mailbox on a list that lives elsewhere', async () => {
    const systems = `${EXCHANGE.replace('corp.example]', 'corp.example], mailboxes: [max@zimbra.example]')}${zimbra()}`;
    const mailboxes = 'mailboxes: { include: [kim@zimbra.example, anna@corp.example, max@zimbra.example], exclude: [eve@nowhere.example] }';
    expect(await warningsOf(bridge(route(mailboxes), systems))).toEqual([
      'replication[0].mailboxes.include: not mailboxes of zimbra, so they are never replicated from there: "anna@corp.example", "max@zimbra.example"',
      'replication[0].mailboxes.exclude: not mailboxes of zimbra, so they are never replicated from there: "eve@nowhere.example"',
    ]);
  });

  it('is a template without {domain} for mailboxes of several domains', async () => {
    const line = 'systems.exchange.legacyExchangeDn: has no {domain}, but mailboxes of several domains are replicated into it ("zimbra.example", "branch.example"): two users of the same local part would share one message';
    const two = `${EXCHANGE}${zimbra(ADMIN, 'zimbra.example, branch.example')}`;
    expect(await warningsOf(bridge(route('mailboxes: { only: all }'), two))).toEqual([line]);
    expect(await warningsOf(bridge(route('mailboxes: { include: [kim@zimbra.example, kim@branch.example] }'), two))).toEqual([line]);
    // A foreign principal names its message itself.
    expect(await warningsOf(bridge(route(), two))).toEqual([]);
    for (const template of ['/o=x/cn={localPart}.{domain}', '/o=x/cn={address}']) expect(await warningsOf(bridge(route('mailboxes: { only: all }'), two).replace(DN, template))).toEqual([]);
  });

  it('is an admin service asked where a stock Zimbra has none, or not at all', async () => {
    expect(await warningsOf(bridge(route(), `${EXCHANGE}${zimbra('admin: { username: a, password: p }')}`))).toEqual([
      'systems.zimbra.adminUrl: is left out, so the admin service is asked at url; a stock Zimbra has it at port 7071 and nowhere else',
    ]);
    expect(await warningsOf(bridge('[]', `${EXCHANGE}${zimbra('adminUrl: "https://mail.zimbra.example:7071"')}`))).toEqual(['systems.zimbra.adminUrl: is not used without admin: { username, password }']);
  });

  it('is a secret that is short, and keys that nothing uses', async () => {
    const lines = await warningsOf(`${bridge('[]')}notify: { secret: CANARY }\nredis: redis://:CANARY@r.example`);
    expect(lines.map((line) => line.split(': ')[0])).toEqual(['redis', 'notify', 'notify.secret']);
    expect(lines.join()).not.toContain('CANARY');
    expect(await warningsOf(`${bridge(route())}notify: { secret: 0123456789abcdef0 }\nredis: redis://r.example`)).toEqual([]);
  });
});
