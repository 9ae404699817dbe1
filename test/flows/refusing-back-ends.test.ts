import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BackEnd, KINDS, isAuthRequest, openBackEnd, systemFor, zimbraFault } from './back-ends.ts';
import type { Canned, Kind } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { DOMAINS, JUDGE, JUDGE_CLIENT, NAMES, MEETINGS } from './every-kind.ts';
import { WINDOW, ask, askJson } from './raw-http.ts';

/** configuration.md: redirects, and at most ten requests within one lookup to a back end that refuses. */

const SIXTY_DAYS = { start: WINDOW.start, end: WINDOW.start + 60 * 86_400_000 };
const REFUSALS: Readonly<Record<string, () => Canned>> = {
  '401 that offers NTLM': () => ({ status: 401, headers: { 'www-authenticate': 'NTLM' } }),
  440: () => ({ status: 440 }),
  'redirects in a circle': () => ({ status: 302, headers: { location: '/round' } }),
  'redirects to a logon page': () => ({ status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=0' } }),
  'redirects to another port': () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' } }),
  // Last: a password that was refused is not sent again for a while, and a pause that is asked for is given.
  '401 that offers Basic': () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
  '503 and a time to come again': () => ({ status: 503, headers: { 'retry-after': '30' } }),
};

describe.each(KINDS)('%s that refuses', (kind: Kind) => {
  const domain = DOMAINS[kind];
  let bridge: RunningBridge;
  let backEnd: BackEnd;
  beforeAll(async () => {
    backEnd = await openBackEnd(kind, {}, domain);
    const systems = { [NAMES[kind]]: systemFor(kind, backEnd, { domains: [domain], ...(kind === 'ifb' ? { url: `${backEnd.url}/freebusy/{address}.ifb?from={start}&to={end}` } : {}) }) };
    bridge = await startBridge({ systems, clients: [{ ...JUDGE_CLIENT, mayAsk: [NAMES[kind]] }] });
  });
  afterAll(async () => {
    await bridge.stop();
    await backEnd.close();
  });

  it.each(Object.keys(REFUSALS))('with %s gets at most ten requests about 500 mailboxes over 60 days', async (how) => {
    backEnd.reset();
    backEnd.override = (seen, honest) => (isAuthRequest(seen) ? honest() : REFUSALS[how]!());
    // Many small requests, so that the bound and not the grouping is what holds.
    const people = Array.from({ length: 500 }, (_, index) => `person-with-a-name-that-is-long-${index}@${domain}`);
    const { results, tookMs } = await askJson(bridge.url, JUDGE, people, SIXTY_DAYS);
    expect(results).toHaveLength(500);
    expect(results.every((one) => one.error !== undefined)).toBe(true);
    expect(backEnd.requests.length).toBeLessThanOrEqual(10);
    expect(backEnd.requests.length).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(4_000);
  });

  it('and asks for a pause is left alone meanwhile', async () => {
    backEnd.reset();
    const { results } = await askJson(bridge.url, JUDGE, [`anna@${domain}`]);
    expect(results[0]!.error?.code).toBe('BACKEND_BUSY');
    expect(backEnd.requests).toEqual([]);
  });
});

describe('exchange-webdav with form logon that refuses', () => {
  let bridge: RunningBridge;
  let backEnd: BackEnd;
  beforeAll(async () => {
    backEnd = await BackEnd.open(() => ({ status: 500 }));
    bridge = await startBridge({ systems: { webdav: systemFor('exchange-webdav', backEnd, { auth: 'form' }) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['webdav'] }] });
  });
  afterAll(async () => {
    await bridge.stop();
    await backEnd.close();
  });

  it('logs on and asks ten times at most where every session is dead at once', async () => {
    backEnd.override = (seen) => (seen.method === 'POST' ? { status: 302, headers: { location: '/public/', 'set-cookie': 'sessionid=abc; path=/' } } : { status: 440 });
    const people = Array.from({ length: 500 }, (_, index) => `person-${index}@corp.example`);
    const { results } = await askJson(bridge.url, JUDGE, people, SIXTY_DAYS);
    expect(results.every((one) => one.error !== undefined)).toBe(true);
    expect(backEnd.requests.length).toBeLessThanOrEqual(10);
  });

  it('does not hammer a server that refuses the password', async () => {
    backEnd.reset();
    backEnd.override = (seen) => (seen.method === 'POST' ? { status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=2' } } : { status: 440 });
    const people = Array.from({ length: 500 }, (_, index) => `person-${index}@corp.example`);
    const { results } = await askJson(bridge.url, JUDGE, people, SIXTY_DAYS);
    expect(results[0]!.error?.code).toBe('BACKEND_AUTH');
    expect(backEnd.requests.length).toBeLessThanOrEqual(10);
  });
});

it.each([
  ['a fault', (): Canned => zimbraFault('account.AUTH_FAILED')],
  ...Object.entries(REFUSALS),
] as const)('a Zimbra that answers a sign-in with %s is asked ten times at most', async (_what, refusal) => {
  const backEnd = await BackEnd.open(refusal);
  const bridge = await startBridge({ systems: { zimbra: systemFor('zimbra', backEnd) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['zimbra'] }] });
  onTestFinished(async () => {
    await bridge.stop();
    await backEnd.close();
  });
  const people = Array.from({ length: 500 }, (_, index) => `person-${index}@corp.example`);
  const { results } = await askJson(bridge.url, JUDGE, people, SIXTY_DAYS);
  expect(results.every((one) => one.error !== undefined)).toBe(true);
  expect(backEnd.requests.length).toBeLessThanOrEqual(10);
});

describe('redirects', () => {
  let first: BackEnd;
  let listed: BackEnd;
  let unlisted: BackEnd;
  let bridge: RunningBridge;
  beforeAll(async () => {
    first = await openBackEnd('exchange-ews', { 'anna@corp.example': MEETINGS });
    listed = await openBackEnd('exchange-ews', { 'anna@corp.example': MEETINGS });
    unlisted = await openBackEnd('exchange-ews', { 'anna@corp.example': MEETINGS });
    bridge = await startBridge({
      systems: { ews: systemFor('exchange-ews', first, { hosts: [`127.0.0.1:${listed.port}`] }) },
      clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }],
    });
  });
  afterAll(async () => {
    await bridge.stop();
    await Promise.all([first.close(), listed.close(), unlisted.close()]);
  });
  const leadTo = (location: string, times = 1): void => {
    first.reset();
    listed.reset();
    unlisted.reset();
    first.override = (_seen, honest) => (first.requests.length <= times ? { status: 307, headers: { location } } : honest());
  };

  it('on the same host are followed five times', async () => {
    leadTo('/EWS/other.asmx', 5);
    const { results } = await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(results[0]!.error).toBeUndefined();
    expect(first.requests).toHaveLength(6);
  });

  it('on the same host are not followed a sixth time', async () => {
    leadTo('/EWS/other.asmx', 6);
    const { results } = await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(results[0]!.error?.code).toBe('BACKEND_REDIRECT');
    expect(first.requests).toHaveLength(6);
  });

  it('are counted over the whole lookup, not for each request', async () => {
    leadTo('/EWS/other.asmx', 1_000);
    const people = Array.from({ length: 300 }, (_, index) => `person-${index}@corp.example`);
    await askJson(bridge.url, JUDGE, people);
    // Five were followed; the others are first requests of the three groups.
    expect(first.requests.length).toBeLessThanOrEqual(8);
  });

  it('lead to a host that is listed', async () => {
    leadTo(`${listed.url}/EWS/Exchange.asmx`);
    const { results } = await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(results[0]!.busy?.map((one) => one.type)).toEqual(['busy', 'tentative']);
    expect(listed.requests[0]!.method).toBe('POST');
  });

  it.each([
    ['another port', () => `${unlisted.url}/EWS/Exchange.asmx`],
    ['another host', () => `http://localhost:${first.port}/EWS/Exchange.asmx`],
    ['another host without a scheme', () => `//localhost:${unlisted.port}/EWS/Exchange.asmx`],
    ['another scheme', () => `https://127.0.0.1:${first.port}/EWS/Exchange.asmx`],
    ['another scheme of the listed host', () => `ftp://127.0.0.1:${listed.port}/`],
    ['something that is no URL', () => 'http://[::'],
  ])('to %s are not followed, and the error names the target', async (_what, location) => {
    leadTo(location());
    const { results } = await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(results[0]!.error?.code).toBe('BACKEND_REDIRECT');
    expect(first.requests).toHaveLength(1);
    expect(listed.requests).toHaveLength(0);
    expect(unlisted.requests).toHaveLength(0);
  });

  it('name their target in the log, where the administrator looks', async () => {
    leadTo(`${unlisted.url}/EWS/Exchange.asmx?session=s3cret`);
    await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(bridge.process.stderr).toContain(unlisted.url);
    expect(bridge.process.stderr).not.toContain('s3cret');
  });

  it('carry no credentials to where they may not lead', async () => {
    leadTo(`${unlisted.url}/`);
    await ask(bridge.url, '/healthz');
    await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(unlisted.requests).toHaveLength(0);
  });
});
