import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadPort, ewsQueryBackEnd, systemFor } from './back-ends.ts';
import type { BackEnd } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, NOTHING_KNOWN } from './every-kind.ts';
import { WINDOW, ask, askJson, askOwa, askSoap, basic, exchange, faultCode, postSoap, soapEnvelope } from './raw-http.ts';

/** configuration.md, "What a face refuses". */

let bridge: RunningBridge;
let ews: BackEnd;
beforeAll(async () => {
  ews = await ewsQueryBackEnd({ 'anna@corp.example': MEETINGS });
  bridge = await startBridge({
    admin: { listen: `http://127.0.0.1:${await deadPort()}` },
    systems: { ews: systemFor('exchange-ews', ews) },
    clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }],
  });
});
afterAll(async () => {
  await bridge.stop();
  await ews.close();
});

const people = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${index}@corp.example`);
const FREE_BUSY = '/public/?cmd=freebusy&start=2026-03-02T08:00:00Z&end=2026-03-02T12:00:00Z&interval=15&u=SMTP:anna@corp.example';
const JSON_QUESTION = '/api/v1/freebusy?mailbox=anna@corp.example&start=2026-03-02T08:00:00Z&end=2026-03-02T12:00:00Z';
const PATHS: readonly (readonly [string, string])[] = [
  ['GET', FREE_BUSY],
  ['GET', '/public/'],
  ['GET', '/PUBLIC'],
  ['PROPFIND', '/public/'],
  ['GET', '/exchange/anna/'],
  ['GET', JSON_QUESTION],
  ['GET', '/api/v1/presence/anna@corp.example'],
  ['GET', '/api/v1/openapi.json'],
  ['POST', '/api/v1/freebusy'],
  ['GET', '/api/v1/presence/%zz'],
];

describe('how much is asked at once', () => {
  it('answers about 500 mailboxes at every face', async () => {
    const all = people(500);
    const [json, owa, soap] = await Promise.all([askJson(bridge.url, JUDGE, all), askOwa(bridge.url, JUDGE, all), askSoap(bridge.url, JUDGE, all)]);
    expect(json.results).toHaveLength(500);
    expect(Object.keys(owa.digits)).toHaveLength(500);
    expect(Object.keys(soap.slots)).toHaveLength(500);
  });

  it('refuses 501 as a whole and asks nobody', async () => {
    ews.reset();
    const all = people(501);
    const [json, owa, soap] = await Promise.all([askJson(bridge.url, JUDGE, all), askOwa(bridge.url, JUDGE, all), askSoap(bridge.url, JUDGE, all)]);
    expect(json.status).toBe(400);
    expect(JSON.parse(json.body)).toHaveProperty('error.code');
    expect(owa.status).toBe(400);
    expect(owa.body).not.toContain('fbdata');
    expect(soap.status).toBe(500);
    expect(faultCode(soap.body)).toBe('service.INVALID_REQUEST');
    expect(ews.requests).toHaveLength(0);
  });

  it('counts the same mailbox 501 times as 501', async () => {
    expect((await askJson(bridge.url, JUDGE, Array.from({ length: 501 }, () => 'anna@corp.example'))).status).toBe(400);
  });

  it('answers 100,000 slots and refuses more', async () => {
    const slots = (count: number) => askOwa(bridge.url, JUDGE, ['p1@nobody.example'], { start: WINDOW.start, end: WINDOW.start + count * 300_000 }, 5);
    const most = await slots(100_000);
    expect(most.status).toBe(200);
    expect(most.digits['p1@nobody.example']).toHaveLength(100_000);
    expect((await slots(100_001)).status).toBe(400);
  });

  it.each([
    ['reversed', WINDOW.end, WINDOW.start],
    ['empty', WINDOW.start, WINDOW.start],
  ])('refuses a %s window in every form', async (_what, start, end) => {
    const [json, owa, soap] = await Promise.all([askJson(bridge.url, JUDGE, ['anna@corp.example'], { start, end }), askOwa(bridge.url, JUDGE, ['anna@corp.example'], { start, end }), askSoap(bridge.url, JUDGE, ['anna@corp.example'], { start, end })]);
    expect([json.status, owa.status, soap.status, faultCode(soap.body)]).toEqual([400, 400, 500, 'service.INVALID_REQUEST']);
  });

  it('has a year-long window answered or refused, never cut', async () => {
    const year = { start: WINDOW.start, end: WINDOW.start + 365 * 86_400_000 };
    const { results } = await askJson(bridge.url, JUDGE, ['anna@corp.example'], year);
    expect(results[0]!.busy).toHaveLength(2);
  });
});

describe('headers', () => {
  it('above 64 KiB are 431 and the connection is closed', async () => {
    const target = `/public/?cmd=freebusy&start=x&end=y&interval=15${people(10_000).map((one) => `&u=SMTP:${one}`).join('')}`;
    const { text, closed } = await exchange(bridge.port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(closed).toBe(true);
  });

  it('of 60 KiB are read', async () => {
    const { status } = await ask(bridge.url, '/healthz', { headers: { 'x-long': 'x'.repeat(60 * 1024) } });
    expect(status).toBe(200);
  });

  it.each([
    ['two Content-Lengths', 'POST /service/soap/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['Content-Length and chunked', 'POST /service/soap/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a bare line feed in a header', 'GET /healthz HTTP/1.1\nHost: x\nX: \x00\n\n'],
    ['no HTTP', 'HELO there\r\n\r\n'],
  ])('with %s are 400 and the connection is closed', async (_what, bytes) => {
    const { text, closed } = await exchange(bridge.port, bytes);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(closed).toBe(true);
  });
});

describe('bodies', () => {
  const soap = (size: number): string => soapEnvelope(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${WINDOW.start}" e="${WINDOW.end}" name="anna@corp.example"/>${' '.repeat(size)}`);

  it('of just under 4 MB are read', async () => {
    const answer = await postSoap(bridge.url, JUDGE, soap(4_000_000 - 1_000));
    expect(answer.status).toBe(200);
  });

  it.each([
    ['SOAP', '/service/soap/', (): string => soap(5 * 1024 * 1024)],
    ['a form logon', '/exchweb/bin/auth/owaauth.dll', (): string => `destination=x&username=judge&password=${'x'.repeat(5 * 1024 * 1024)}`],
  ])('beyond 4 MB are refused: %s, plain, chunked and compressed', async (_what, path, body) => {
    const plain = await ask(bridge.url, path, { method: 'POST', headers: JUDGE, body: body() }).catch((error: Error) => error);
    const zipped = await ask(bridge.url, path, { method: 'POST', headers: { ...JUDGE, 'content-encoding': 'gzip' }, body: gzipSync(body()) });
    const chunked = await ask(bridge.url, path, { method: 'POST', headers: { ...JUDGE, 'transfer-encoding': 'chunked' }, body: body() }).catch((error: Error) => error);
    for (const answer of [plain, zipped, chunked]) {
      // A connection that is reset while the rest is still being sent is a refusal, too.
      if (answer instanceof Error) continue;
      expect(answer.status === 413 || (answer.status === 500 && faultCode(answer.body) !== undefined)).toBe(true);
    }
    expect('status' in zipped).toBe(true);
  });

  it('that are gzip bombs are refused soon and cost little', async () => {
    const member = gzipSync(Buffer.alloc(1024 * 1024, 0x20));
    const bomb = Buffer.concat(Array.from({ length: 300 }, () => member));
    const answer = await ask(bridge.url, '/service/soap/', { method: 'POST', headers: { ...JUDGE, 'content-encoding': 'gzip' }, body: bomb });
    expect(answer.status === 413 || faultCode(answer.body) !== undefined).toBe(true);
    expect(answer.tookMs).toBeLessThan(1_000);
  });

  it.each([
    ['nothing', ''],
    ['broken XML', '<soap:Envelope'],
    ['an envelope without a body', '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"/>'],
    ['entities', `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${soapEnvelope('<x>&b;</x>')}`],
    ['100,000 elements inside each other', soapEnvelope('<x>'.repeat(100_000) + '</x>'.repeat(100_000))],
    ['an unknown document', soapEnvelope('<GetInfoRequest xmlns="urn:zimbraAccount"/>')],
    ['a question without a window', soapEnvelope('<GetFreeBusyRequest xmlns="urn:zimbraMail" name="anna@corp.example"/>')],
    ['a window that is no number', soapEnvelope('<GetFreeBusyRequest xmlns="urn:zimbraMail" s="now" e="then" name="anna@corp.example"/>')],
  ])('that hold %s are a Zimbra fault', async (_what, body) => {
    const answer = await postSoap(bridge.url, JUDGE, body);
    expect(answer.status).toBe(500);
    expect(faultCode(answer.body)).toMatch(/^service\./);
  });
});

describe('without credentials or with wrong ones', () => {
  it.each(PATHS)('%s %s answers 401 with a challenge and nothing else', async (method, target) => {
    // A success forgets the failures of this pair, so that nothing is slowed down here.
    expect((await ask(bridge.url, JSON_QUESTION, { headers: JUDGE })).status).toBe(200);
    for (const headers of [{}, basic('judge', 'wrong-1'), basic(`nobody-${target}`, 'pw-of-the-judge'), { authorization: 'Basic !!!' }, { authorization: 'Bearer abc' }, { authorization: 'Basic' }, { authorization: '' }]) {
      const answer = await ask(bridge.url, target, { method, headers });
      expect([answer.status, JSON.stringify(headers)]).toEqual([401, JSON.stringify(headers)]);
      expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="/);
      expect(answer.body).not.toMatch(/anna|fbdata|results/);
    }
  });

  it('SOAP is service.AUTH_REQUIRED', async () => {
    const answer = await askSoap(bridge.url, {}, ['anna@corp.example']);
    expect([answer.status, faultCode(answer.body)]).toEqual([500, 'service.AUTH_REQUIRED']);
  });

  it('AuthRequest with a wrong password is account.AUTH_FAILED', async () => {
    const answer = await postSoap(bridge.url, {}, soapEnvelope('<AuthRequest xmlns="urn:zimbraAccount"><account by="name">judge</account><password>nonsense</password></AuthRequest>'));
    expect([answer.status, faultCode(answer.body)]).toEqual([500, 'account.AUTH_FAILED']);
  });

  it.each(['/', '/nothing', '/api/v1/nothing', '/api/v2/freebusy', '/public/NON_IPM_SUBTREE/nothing', '/EWS/Nothing', '/service/nothing', '/metrics', '/api/v1/admin/queue', '/.env', '/../etc/passwd', '/%2e%2e/x', '/%', '//'])('%s, which does not exist, is 404 or asks to sign in', async (target) => {
    const answer = await ask(bridge.url, target);
    expect([400, 401, 404]).toContain(answer.status);
    expect(answer.body.length).toBeLessThan(400);
  });

  it.each(['/', '/nothing', '/EWS/Nothing', '/service/nothing', '/metrics'])('%s is 404', async (target) => {
    expect((await ask(bridge.url, target, { headers: JUDGE })).status).toBe(404);
  });

  it('/healthz and /readyz answer', async () => {
    expect((await ask(bridge.url, '/healthz')).status).toBe(200);
    expect((await ask(bridge.url, '/readyz')).status).toBe(200);
  });

  it('/metrics answers on the admin listener alone', async () => {
    const answer = await ask(bridge.urls[1]!, '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatch(/^# HELP /m);
    expect(answer.body).not.toContain('anna@');
    expect((await ask(bridge.urls[1]!, JSON_QUESTION, { headers: JUDGE })).status).toBe(404);
  });

  it('credentials in a query string are not read', async () => {
    for (const extra of ['&username=judge&password=pw-of-the-judge', `&authorization=${encodeURIComponent(JUDGE['authorization']!)}`]) {
      expect((await ask(bridge.url, JSON_QUESTION + extra)).status).toBe(401);
      expect((await ask(bridge.url, FREE_BUSY + extra)).status).toBe(401);
    }
    expect((await ask(bridge.url, `/exchweb/bin/auth/owaauth.dll?username=judge&password=pw-of-the-judge`, { method: 'POST', body: '' })).headers['set-cookie']).toBeUndefined();
  });
});

describe('addresses', () => {
  it.each(['a/cn=ceo@corp.example', 'a\u0000b@corp.example', 'a\nb@corp.example', 'a b@corp.example', '"a"@corp.example', '..@corp.example', 'not-an-address', '@corp.example', 'anna@', 'änna@corp.example', `${'x'.repeat(300)}@corp.example`])('like %j are answered like unknown ones', async (address) => {
    ews.reset();
    const json = await askJson(bridge.url, JUDGE, [address, 'nobody@elsewhere.example', 'anna@corp.example']);
    expect(json.results[0]!.error).toBeDefined();
    expect(json.results[0]!.mailbox).toBe(address);
    expect(json.results[2]!.busy).toHaveLength(2);
    if (/[/\u0000-\u001f]/.test(address)) {
      expect(json.results[0]!.error).toEqual(json.results[1]!.error);
      expect(JSON.stringify(ews.requests)).not.toContain('ceo');
    }
  });

  it('are echoed byte for byte, escaped for XML, at the OWA face and in SOAP', async () => {
    const owa = await ask(bridge.url, `${FREE_BUSY}&u=SMTP:o'neil&u=a+b@corp.example&u=SMTP:%3Cx%3E@corp.example`, { headers: JUDGE });
    expect(owa.status).toBe(200);
    expect(owa.body).toContain('a+b@corp.example');
    expect(owa.body).toContain('&lt;x');
    const soap = await askSoap(bridge.url, JUDGE, [' anna@corp.example', 'Anna@Corp.Example', 'a&amp;b&lt;@corp.example']);
    expect(Object.keys(soap.slots)).toEqual([' anna@corp.example', 'Anna@Corp.Example', 'a&amp;b&lt;@corp.example']);
    expect(soap.slots[' anna@corp.example']!.map((one) => one.letter)).toEqual(['n']);
    expect(soap.slots['Anna@Corp.Example']!.map((one) => one.letter)).toEqual(['f', 'b', 'f', 't', 'f']);
  });

  it('that no system claims are answered at once and nobody is asked', async () => {
    ews.reset();
    const { results, tookMs } = await askJson(bridge.url, JUDGE, ['somebody@gmail.com']);
    expect(results[0]!.error?.code).toBe('MAILBOX_UNKNOWN');
    expect(tookMs).toBeLessThan(100);
    expect(await askOwa(bridge.url, JUDGE, ['somebody@gmail.com'])).toMatchObject({ digits: { 'somebody@gmail.com': NOTHING_KNOWN } });
    expect(ews.requests).toHaveLength(0);
  });
});

describe('repeated failures', () => {
  it('slow down only the pair of client and address, by at most 5 s an answer or with 429', async () => {
    const slowed: { status: number; tookMs: number }[] = [];
    const burst = Array.from({ length: 30 }, (_, index) => ask(bridge.url, JSON_QUESTION, { headers: basic('victim', `guess-${index}`) }).then((answer) => slowed.push(answer)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const mine = await askJson(bridge.url, JUDGE, ['anna@corp.example']);
    expect(mine.status).toBe(200);
    expect(mine.tookMs).toBeLessThan(500);
    await Promise.all(burst);
    expect(slowed.every(({ status }) => status === 401 || status === 429)).toBe(true);
    expect(slowed.every(({ tookMs }) => tookMs < 5_200)).toBe(true);
    const later = await Promise.all(Array.from({ length: 12 }, () => ask(bridge.url, JSON_QUESTION, { headers: basic('victim', 'again') })));
    expect(later.some(({ status, tookMs }) => status === 429 || tookMs > 200)).toBe(true);
    expect(later.every(({ tookMs }) => tookMs < 5_200)).toBe(true);
  });

  it('do not slow the same client from another address', async () => {
    await Promise.all(Array.from({ length: 6 }, () => ask(bridge.url, JSON_QUESTION, { headers: basic('judge', 'wrong'), from: '127.0.0.9' })));
    const good = await ask(bridge.url, JSON_QUESTION, { headers: JUDGE, from: '127.0.0.1' });
    expect(good.status).toBe(200);
    expect(good.tookMs).toBeLessThan(500);
  });
});
