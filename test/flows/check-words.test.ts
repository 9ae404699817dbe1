import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeFinding } from '../../src/core/probe-finding.ts';
import { Authority } from '../platform/certificates.ts';
import type { Pem } from '../platform/certificates.ts';
import { BackEnd, deadPort, openBackEnd, systemFor } from './back-ends.ts';
import type { Canned, Kind, Override } from './back-ends.ts';
import { folderWith, removeFolder, runCommand } from './bridge-process.ts';
import type { Ended } from './bridge-process.ts';

/**
 * What `check` says of every way in which a system can fail: the step at which it stopped, and what an administrator can do, with the key or the action by its name. All of
 * them are systems of one configuration and of one run of the command; what one fails by is no other's.
 */

type Type = 'ews' | 'webdav' | 'form' | 'zimbra' | 'ifb';
const TYPES: readonly Type[] = ['ews', 'webdav', 'form', 'zimbra', 'ifb'];
const KIND_OF: Readonly<Record<Type, Kind>> = { ews: 'exchange-ews', webdav: 'exchange-webdav', form: 'exchange-webdav', zimbra: 'zimbra', ifb: 'ifb' };

/** `fail` or `warn` and the step, and what its advice says. */
type Words = readonly [where: string, advice: RegExp];

const page = (text: string, status = 200): Canned => ({ status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: `<!DOCTYPE html><html><head><title>${text}</title></head><body><h1>${text}</h1></body></html>` });
const LOGON = '<html><head><title>Microsoft Exchange - Outlook Web Access</title></head><body><form action="/exchweb/bin/auth/owaauth.dll" method="POST" name="logonForm"><input type="hidden" name="destination" value="/"><input name="username"><input type="password" name="password"></form></body></html>';
const wants = (...schemes: readonly string[]): Canned => ({ status: 401, headers: { 'www-authenticate': [...schemes] }, body: 'no' });

const ACCOUNT: Words = ['fail sign-in', /user ?name|password/];
const URL_OF_EWS: Words = ['fail question', /url .*\/EWS\/Exchange\.asmx/];

/** Whatever is asked is answered so. */
const ANSWERS: Readonly<Record<string, readonly [Override, Readonly<Record<Type, Words>>]>> = {
  basic: [() => wants('Basic realm="x"'), { ews: ACCOUNT, webdav: ACCOUNT, form: ACCOUNT, zimbra: ACCOUNT, ifb: ['fail sign-in', /set username and password/] }],
  'ntlm-only': [
    () => wants('Negotiate', 'NTLM'),
    { ews: ['fail sign-in', /set auth: ntlm/], webdav: ['fail sign-in', /set auth: ntlm/], form: ['fail sign-in', /set auth: ntlm/], zimbra: ACCOUNT, ifb: ['fail sign-in', /Negotiate, NTLM.*Basic/] },
  ],
  forbids: [
    () => page('Forbidden', 403),
    { ews: ['fail sign-in', /EwsApplicationAccessPolicy/], webdav: ['fail sign-in', /https.*right/], form: ['fail sign-in', /https.*right/], zimbra: ACCOUNT, ifb: ['warn right to read', /mailboxes.*username and password/] },
  ],
  'not-found': [
    () => page('Not Found', 404),
    { ews: URL_OF_EWS, webdav: ['fail right to read', /\/public/], form: ['fail sign-in', /set auth: .*url/], zimbra: ['fail sign-in', /url must be the root/], ifb: ['ok connection', /^$/] },
  ],
  'timed-out': [
    () => page('Login Timeout', 440),
    { ews: ['fail sign-in', /form logon.*\/EWS\//], webdav: ['fail sign-in', /set auth: form/], form: ['fail sign-in', /load balancer/], zimbra: ['fail sign-in', /url must be the root/], ifb: ['fail right to read', /curl/] },
  ],
  'form-page': [
    () => ({ headers: { 'content-type': 'text/html' }, body: LOGON }),
    { ews: ['fail question', /form logon/], webdav: ['fail sign-in', /set auth: form/], form: ACCOUNT, zimbra: ['fail sign-in', /url must be the root/], ifb: ['fail right to read', /VFREEBUSY/] },
  ],
  elsewhere: [
    () => ({ status: 302, headers: { location: 'https://elsewhere.example/owa' } }),
    { ews: ['fail question', /hosts/], webdav: ['fail connection', /hosts/], form: ['fail sign-in', /https:\/\/elsewhere\.example.*url/], zimbra: ['fail sign-in', /hosts/], ifb: ['fail right to read', /hosts/] },
  ],
  unavailable: [
    () => page('Service Unavailable', 503),
    { ews: ['fail question', /MSExchangeServicesAppPool.*ThrottlingPolicy/], webdav: ['fail right to read', /load/], form: ['fail right to read', /load/], zimbra: ['fail sign-in', /zimbraHttpThrottleSafeIPs/], ifb: ['fail right to read', /load/] },
  ],
  html: [
    () => page('It works!'),
    { ews: URL_OF_EWS, webdav: ['fail right to read', /url must be the root/], form: ['fail sign-in', /Outlook Web Access.*url/], zimbra: ['fail sign-in', /url must be the root/], ifb: ['fail right to read', /VFREEBUSY/] },
  ],
  silent: [
    () => 'silent',
    { ews: ['fail question', /stays silent/], webdav: ['fail connection', /stays silent/], form: ['fail connection', /stays silent/], zimbra: ['fail sign-in', /stays silent/], ifb: ['fail right to read', /stays silent/] },
  ],
};

const tokens = (status: number, answer: Record<string, unknown>): Canned => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) });
/** What the issuer of tokens says. */
const TOKENS: Readonly<Record<string, readonly [Canned, RegExp]>> = {
  'invalid-client': [tokens(401, { error: 'invalid_client' }), /clientId.*secret or certificate/],
  'secret-ended': [tokens(401, { error: 'invalid_client', error_description: 'AADSTS7000222: The provided client secret keys are expired.' }), /the secret has ended/],
  'invalid-scope': [tokens(400, { error: 'invalid_scope' }), /scope/],
  html: [page('It works!'), /tokenUrl/],
  unavailable: [page('Service Unavailable', 503), /issuer/],
  'no-good': [tokens(200, { access_token: 'abc', token_type: 'Bearer', expires_in: 3600 }), /scope.*permissions/],
};
/** What Autodiscover says. */
const DISCOVERIES: Readonly<Record<string, readonly [Canned, RegExp]>> = {
  nothing: [page('Not Found', 404), /url.*autodiscover\.url/],
  elsewhere: [{ status: 302, headers: { location: 'https://elsewhere.example/autodiscover/autodiscover.svc' } }, /hosts/],
  html: [page('It works!'), /autodiscover\.url/],
  'ntlm-only': [wants('Negotiate', 'NTLM'), /auth \(Negotiate, NTLM\)/],
  refused: [wants('Basic realm="x"'), /password.*not locked/],
  unavailable: [page('Service Unavailable', 503), /try again/],
};

const authority = new Authority('check words');
const other = new Authority('another');
const ends: (() => unknown)[] = [];
const expected = new Map<string, Words>();
const systems: Record<string, Record<string, unknown>> = {};
let findings: ReadonlyMap<string, readonly ProbeFinding[]>;
let ended: Ended;

function add(name: string, system: Record<string, unknown>, words: Words): void {
  expected.set(name, words);
  systems[name] = { ...system, domains: [] };
}

async function answering(answer: Override): Promise<string> {
  const backEnd = await BackEnd.open(() => ({}));
  backEnd.override = answer;
  ends.push(() => backEnd.close());
  return backEnd.url;
}

async function secure(pem: Pem): Promise<string> {
  const server = createServer({ cert: pem.certificate, key: pem.key }, (_request, response) => void response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close().closeAllConnections());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const systemOf = (type: Type, url: string, more: Record<string, unknown> = {}): Record<string, unknown> => systemFor(KIND_OF[type], { url }, { ...(type === 'form' ? { auth: 'form' } : {}), ...more });
const withTokens = (url: string, issuer: string): Record<string, unknown> => ({ type: 'exchange-ews', url: `${url}/EWS/Exchange.asmx`, auth: 'oauth', oauth: { tokenUrl: `${issuer}/token`, clientId: 'bridge', clientSecret: 'x', scope: 'https://outlook.office365.com/.default' }, impersonate: 'bridge@corp.example' });

async function addAll(): Promise<void> {
  const dead = `http://127.0.0.1:${await deadPort()}`;
  const certificates = {
    ended: await secure(authority.issue('/CN=ended', 'IP:127.0.0.1', -1)),
    'of-another-name': await secure(authority.issue('/CN=other.example', 'DNS:other.example', 5)),
    'of-another-authority': await secure(other.issue('/CN=x', 'IP:127.0.0.1', 5)),
  };
  const certificateWords = { ended: /renew the certificate/, 'of-another-name': /host name in `url`/, 'of-another-authority': /tls\.ca/ } as const;
  for (const type of TYPES) {
    for (const [name, [answer, words]] of Object.entries(ANSWERS)) add(`${type}-${name}`, systemOf(type, await answering(answer)), words[type]);
    add(`${type}-without-name`, systemOf(type, 'http://nobody.invalid'), ['fail DNS', /host name in `url`.*name server/]);
    add(`${type}-without-port`, systemOf(type, dead), ['fail TCP', /server running.*port.*firewall/]);
    for (const [name, url] of Object.entries(certificates)) add(`${type}-certificate-${name}`, systemOf(type, url, { tls: { ca: 'ca.pem' } }), ['fail TLS', certificateWords[name as keyof typeof certificateWords]]);
  }
  for (const type of ['ews', 'webdav', 'zimbra', 'ifb'] as const) {
    const late = await openBackEnd(KIND_OF[type], { 'anna@corp.example': [] });
    late.override = (_seen, honest) => {
      const answer = honest();
      return { ...answer, headers: { ...answer.headers, date: new Date(Date.now() - 3_600_000).toUTCString() } };
    };
    ends.push(() => late.close());
    add(`${type}-clock`, systemOf(type, late.url, { mailboxes: [`anna@${type}.example`] }), ['warn clock', /NTP/]);
    late.calendars = { [`anna@${type}.example`]: [{ start: Date.now(), end: Date.now() + 3_600_000, type: 'busy' }] };
  }
  const exchange = await answering(() => wants('Bearer realm="x"'));
  for (const [name, [answer, advice]] of Object.entries(TOKENS)) add(`tokens-${name}`, withTokens(name === 'no-good' ? await answering(() => wants('Bearer realm="x"')) : exchange, await answering(() => answer)), ['fail sign-in', advice]);
  add('tokens-away', withTokens(exchange, dead), ['fail sign-in', /tokenUrl.*firewall/]);
  for (const [name, [answer, advice]] of Object.entries(DISCOVERIES)) {
    const url = `${await answering(() => answer)}/autodiscover/autodiscover.svc`;
    add(`discovery-${name}`, { type: 'exchange-ews', autodiscover: { mailbox: 'bridge@corp.example', url }, username: 'CORP\\bridge', password: 'x' }, ['fail Autodiscover', advice]);
  }
}

beforeAll(async () => {
  await addAll();
  const { folder, file } = await folderWith({ listen: 'http://127.0.0.1:0', systems }, { 'ca.pem': authority.certificate });
  ends.push(() => removeFolder(folder));
  ended = await runCommand(['check', '--config', file, '--json']);
  const checked = JSON.parse(ended.stdout) as readonly { readonly name: string; readonly findings: readonly ProbeFinding[] }[];
  findings = new Map(checked.map((one) => [one.name, one.findings]));
}, 60_000);

afterAll(async () => {
  for (const end of ends.splice(0)) await end();
  authority.remove();
  other.remove();
});

describe('check', () => {
  it('fails, and complains of nothing else', () => {
    expect([ended.code, ended.stderr]).toEqual([1, '']);
    expect([...findings.keys()].sort()).toEqual([...expected.keys()].sort());
  });

  it('names the step and what to do, whatever is wrong', () => {
    const wrong = [...expected].flatMap(([name, [where, advice]]) => {
      const all = findings.get(name)!;
      const isThere = all.some((one) => `${one.outcome} ${one.step}` === where && advice.test(one.advice ?? ''));
      const isAlone = where.startsWith('fail') || all.every(({ outcome }) => outcome !== 'fail');
      return isThere && isAlone ? [] : [`${name}: wanted ${where} → ${String(advice)}, and it says ${JSON.stringify(all.filter(({ outcome }) => outcome !== 'ok'))}`];
    });
    expect(wrong).toEqual([]);
  });

  it('has advice with everything that is not well, and no secret anywhere', () => {
    const mute = [...findings].flatMap(([name, all]) => all.filter(({ outcome, advice }) => outcome !== 'ok' && (advice === undefined || advice === '')).map(({ step }) => `${name} ${step}`));
    expect(mute).toEqual([]);
    expect(ended.stdout).not.toMatch(/pw-of-the-bridge/);
  });
});
