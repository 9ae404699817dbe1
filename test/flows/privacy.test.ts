import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, deadPort, openBackEnd, systemFor, zimbraAuthResponse } from './back-ends.ts';
import type { BackEnd, Kind } from './back-ends.ts';
import { folderWith, removeFolder, runCommand, startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { DOMAINS, NAMES } from './every-kind.ts';
import { WINDOW, ask, askJson, askOwa, askSoap, basic, exchange, postSoap, soapEnvelope } from './raw-http.ts';

/** Canaries in every credential, token, URL and event; none may come out where it does not belong (issue 2 part 9). */

const canary = (what: string): string => `CANARY${what}CANARY`;
const SUBJECT = canary('subject');
const LOCATION = canary('location');
const spoken: string[] = [];
let backEnds: Record<Kind, BackEnd>;
let bridge: RunningBridge;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const client = (name: string, detail: string): Record<string, unknown> => ({ name, username: name, password: canary(`pw-${name}`), mayAsk: Object.values(NAMES), detail, presence: 'read' });
const as = (name: string): Record<string, string> => basic(name, canary(`pw-${name}`));
const ALL = KINDS.map((kind) => `anna@${DOMAINS[kind]}`);

beforeAll(async () => {
  backEnds = {} as Record<Kind, BackEnd>;
  const systems: Record<string, unknown> = {};
  for (const kind of KINDS) {
    const domain = DOMAINS[kind];
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    backEnds[kind] = await openBackEnd(kind, { [`anna@${domain}`]: [{ start: WINDOW.start, end: WINDOW.start + 3_600_000, type: 'busy', subject: SUBJECT, location: LOCATION }, { start: now - 3_600_000, end: now + 3_600_000, type: 'busy', subject: SUBJECT, location: LOCATION }] }, domain);
    const url = kind === 'ifb' ? { url: `${backEnds[kind].url}/freebusy/{address}.ifb?token=${canary('query')}`, username: 'ifb-user', password: canary('pw-ifb') } : { password: canary(`pw-${NAMES[kind]}`) };
    systems[NAMES[kind]] = systemFor(kind, backEnds[kind], { domains: [domain], mailboxes: [`anna@${domain}`], ...url });
  }
  bridge = await startBridge({
    admin: { listen: `http://127.0.0.1:${await deadPort()}` },
    log: { level: 'debug' },
    deadline: '2s',
    systems,
    clients: [client('typed', 'busy-type'), client('detailed', 'details')],
    presence: { optIn: [ALL[2]] },
  });
});
afterAll(async () => {
  await bridge.stop();
  for (const kind of KINDS) await backEnds[kind].close();
});

/** Everything said so far, and whatever was kept by `spoken`. */
const everything = (): string => bridge.process.stdout + bridge.process.stderr + spoken.join('\n');
const leaks = (text: string): readonly string[] => [...new Set(text.match(/CANARY.{0,40}/g) ?? []), ...[canary('pw-typed'), `typed:${canary('pw-typed')}`, canary('pw-ews')].map(base64).filter((one) => text.includes(one))];

it('what is asked as it should be leaks nothing but subjects to who may see them', async () => {
  for (const name of ['typed', 'detailed']) {
    const [json, owa, soap, presence] = await Promise.all([askJson(bridge.url, as(name), ALL), askOwa(bridge.url, as(name), ALL), askSoap(bridge.url, as(name), ALL), ask(bridge.url, `/api/v1/presence/${ALL[2]!}`, { headers: as(name) })]);
    expect(owa.body).toMatch(/fbdata/);
    spoken.push(owa.body, presence.body, JSON.stringify([json.headers, owa.headers, soap.headers]));
    if (name === 'typed') spoken.push(json.body, soap.body);
    else expect([json.body.includes(SUBJECT), json.body.replaceAll(SUBJECT, '').replaceAll(LOCATION, '').includes('CANARY')]).toEqual([true, false]);
  }
  expect(bridge.process.stderr.length).toBeGreaterThan(500);
  expect(leaks(everything())).toEqual([]);
});

describe('what is asked wrongly', () => {
  const soapAuth = (password: string): string => soapEnvelope(`<AuthRequest xmlns="urn:zimbraAccount"><account by="name">typed</account><password>${password}</password></AuthRequest>`);
  const C = canary('sent');
  it.each<[string, () => Promise<{ body: string; headers: unknown } | string>]>([
    ['a wrong password', () => askJson(bridge.url, basic('typed', C), ALL)],
    ['a user name that is a password', () => askJson(bridge.url, basic(C, 'x'), ALL)],
    ['an Authorization of another scheme', () => askJson(bridge.url, { authorization: `Bearer ${C}` }, ALL)],
    ['an Authorization without a scheme', () => askJson(bridge.url, { authorization: C }, ALL)],
    ['a Basic that is no base64', () => askOwa(bridge.url, { authorization: `Basic ${C}!` }, ALL)],
    ['a Basic without a colon', () => askOwa(bridge.url, { authorization: `Basic ${base64(C)}` }, ALL)],
    ['credentials in the query', () => ask(bridge.url, `/api/v1/freebusy?mailbox=x&password=${C}`)],
    ['credentials in the query of a right question', () => ask(bridge.url, `/api/v1/freebusy?mailbox=${ALL[0]!}&start=2026-03-02T08:00:00Z&end=2026-03-02T09:00:00Z&password=${C}`, { headers: as('typed') })],
    ['credentials in an unknown path', () => ask(bridge.url, `/${C}?x=${C}`)],
    ['a broken time', () => ask(bridge.url, `/api/v1/freebusy?mailbox=x&start=${C}&end=${C}`, { headers: as('typed') })],
    ['a broken OWA time', () => ask(bridge.url, `/public/?cmd=freebusy&start=${C}&end=${C}&interval=${C}&u=x`, { headers: as('typed') })],
    ['an unknown command', () => ask(bridge.url, `/public/?cmd=${C}`, { headers: as('typed') })],
    ['a form password', () => ask(bridge.url, '/exchweb/bin/auth/owaauth.dll', { method: 'POST', body: `destination=x&username=typed&password=${C}` })],
    ['a right form password', () => ask(bridge.url, '/exchweb/bin/auth/owaauth.dll', { method: 'POST', body: `destination=x&username=typed&password=${canary('pw-typed')}` })],
    ['a broken form', () => ask(bridge.url, '/owa/auth.owa', { method: 'POST', body: `password=${C}` })],
    ['a logon cookie', () => askOwa(bridge.url, { cookie: `sessionid=${C}; cadata=${C}` }, ALL)],
    ['a SOAP password', () => postSoap(bridge.url, {}, soapAuth(C))],
    ['a right SOAP password', () => postSoap(bridge.url, {}, soapAuth(canary('pw-typed')))],
    ['a SOAP password in broken XML', () => postSoap(bridge.url, {}, soapAuth(C).slice(0, -30))],
    ['a SOAP token', () => postSoap(bridge.url, {}, soapEnvelope('<GetFreeBusyRequest xmlns="urn:zimbraMail" s="1" e="2" uid="x"/>', `<authToken>${C}</authToken>`))],
    ['a SOAP token that is an attribute', () => postSoap(bridge.url, {}, soapEnvelope(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${C}" e="2" uid="x"/>`))],
    ['an unknown SOAP entity', () => postSoap(bridge.url, {}, soapEnvelope(`<x>&${C};</x>`))],
    ['a token cookie', () => askSoap(bridge.url, { cookie: `ZM_AUTH_TOKEN=${C}` }, ALL)],
    ['a request that is no HTTP', async () => (await exchange(bridge.port, `${C} ${C}\r\n\r\n`)).text],
    ['headers that are too long', async () => (await exchange(bridge.port, `GET /${C}${'x'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${C}\r\n\r\n`)).text],
    ['a hop header', () => askJson(bridge.url, { ...as('typed'), 'x-zimbra-freebusy-hopcount': C }, ALL)],
    ['a request id', () => askJson(bridge.url, { ...as('typed'), 'x-request-id': C }, ALL)],
    ['a user agent', () => askJson(bridge.url, { ...as('typed'), 'user-agent': C }, ALL)],
  ])('%s comes out nowhere', async (_what, send) => {
    const answer = await send();
    spoken.length = 0;
    spoken.push(typeof answer === 'string' ? answer : answer.body + JSON.stringify(answer.headers));
    expect(leaks(everything().replaceAll(`/${C}`, ''))).toEqual([]);
    expect(bridge.process.stderr).not.toContain('CANARY');
  });
});

describe.each(KINDS)('%s', (kind) => {
  const mailbox = `anna@${DOMAINS[kind]}`;
  const C = canary('upstream');
  it.each([
    ['an error page', { status: 500, body: C }],
    ['a logon page', { status: 200, headers: { 'content-type': 'text/html' }, body: `<html>${C}<input type=password></html>` }],
    ['broken XML', { status: 200, headers: { 'content-type': 'text/xml' }, body: `<a b="${C}"><${C}` }],
    ['an unknown entity', { status: 200, headers: { 'content-type': 'text/xml' }, body: `<a>&${C};</a>` }],
    ['a redirect', { status: 302, headers: { location: `http://127.0.0.1:1/${C}?${C}=${C}` } }],
    ['a redirect with credentials', { status: 302, headers: { location: `http://${C}:${C}@127.0.0.1:1/` } }],
    ['a challenge', { status: 401, headers: { 'www-authenticate': `Basic realm="${C}"` }, body: C }],
    ['a cookie and a 440', { status: 440, headers: { 'set-cookie': `x=${C}` } }],
  ])('%s of the back end comes out nowhere', async (_what, canned) => {
    backEnds[kind].override = (seen) => (seen.body.includes('AuthRequest') ? zimbraAuthResponse() : canned);
    const answers = await Promise.all([askJson(bridge.url, as('detailed'), [mailbox]), askOwa(bridge.url, as('detailed'), [mailbox]), askSoap(bridge.url, as('detailed'), [mailbox])]);
    backEnds[kind].reset();
    spoken.length = 0;
    spoken.push(...answers.map(({ body, headers }) => body + JSON.stringify(headers)));
    expect(leaks(everything())).toEqual([]);
  });
});

it('/metrics holds no secret, no mailbox', async () => {
  const { body } = await ask(bridge.urls[1]!, '/metrics');
  expect(leaks(body)).toEqual([]);
  expect(body).not.toContain('anna@');
});

describe('the commands', () => {
  const times = ['--from', '2026-03-02T08:00:00Z', '--to', '2026-03-02T12:00:00Z'];
  it.each([
    ['lookup --json', () => ['lookup', ...ALL, ...times, '--json']],
    ['lookup --json --as a client without details', () => ['lookup', ...ALL, ...times, '--json', '--as', 'typed']],
    ['lookup --explain', () => ['lookup', ...ALL, ...times, '--explain']],
    ['lookup --explain --json', () => ['lookup', ...ALL, ...times, '--explain', '--json']],
    ['check --json', () => ['check', '--json']],
    ['check --verbose', () => ['check', '--verbose']],
  ])('%s shows none', async (_what, args) => {
    const { stdout, stderr } = await runCommand([...args(), '--config', bridge.file]);
    expect(stdout.length).toBeGreaterThan(100);
    expect(leaks(stdout + stderr)).toEqual([]);
  });

  it('lookup --explain and check show none where every back end refuses', async () => {
    for (const kind of KINDS) backEnds[kind].override = () => ({ status: 401, headers: { 'www-authenticate': `Basic realm="${canary('realm')}"` }, body: canary('body') });
    const [lookup, check] = await Promise.all([runCommand(['lookup', ...ALL, ...times, '--explain', '--config', bridge.file]), runCommand(['check', '--verbose', '--config', bridge.file])]);
    for (const kind of KINDS) backEnds[kind].reset();
    expect([lookup.code, check.code]).toEqual([1, 1]);
    expect(leaks(lookup.stdout + lookup.stderr + check.stdout + check.stderr)).toEqual([]);
  });

  it('a refused configuration quotes no secret', async () => {
    const { folder, file } = await folderWith(`listen: http://127.0.0.1:0\nsystems:\n  x: {type: exchange-ews, url: "http://u:${canary('url')}@h/EWS?${canary('url')}", username: 1, password: [${canary('list')}], secret: ${canary('key')}}\n  y: {type: ifb, url: "ftp://h/{adress}?t=${canary('query')}"}\nclients: [{name: a, username: b, password: {env: X, other: ${canary('env')}}}]\n`);
    const { code, stderr, stdout } = await runCommand(['check', '--config', file]);
    expect(code).toBe(2);
    expect(leaks(stdout + stderr)).toEqual([]);
    await removeFolder(folder);
  });
});
