import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsQueryBackEnd, systemFor, zimbraBackEnd } from './back-ends.ts';
import type { BackEnd, Meeting } from './back-ends.ts';
import { CAPTURES, hasCaptures, startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { MEETINGS, NOTHING_KNOWN, TRUTH, digitsOfJson } from './every-kind.ts';
import { WINDOW, ask, askJson, askOwa, askSoap, basic, exchange, faultCode, postSoap, soapEnvelope } from './raw-http.ts';

/** Who may ask whom for what, and the ways to sign in: configuration.md `clients`, zimbra-measured.md §2. */

let bridge: RunningBridge;
let ews: BackEnd;
let zimbra: BackEnd;
const at = (day: number, hour: number, minute = 0): number => Date.UTC(2026, 2, day, hour, minute);
const ALICE: readonly Meeting[] = [{ start: at(2, 9), end: at(2, 10, 30), type: 'busy' }, { start: at(8, 9), end: at(8, 9, 30), type: 'oof' }];

const client = (name: string, more: Record<string, unknown>): Record<string, unknown> => ({ name, username: name, password: `pw-of-${name}`, mayAsk: ['ews', 'zimbra'], ...more });
const as = (name: string): Record<string, string> => basic(name, `pw-of-${name}`);
const ANNA = 'anna@corp.example';

beforeAll(async () => {
  ews = await ewsQueryBackEnd({ [ANNA]: MEETINGS, 'alice@exch.test': ALICE, 'bob@exch.test': [{ start: at(2, 8), end: at(2, 9), type: 'oof' }], 'carol@exch.test': [] });
  zimbra = await zimbraBackEnd({ 'kim@zimbra.example': MEETINGS });
  bridge = await startBridge({
    systems: { ews: systemFor('exchange-ews', ews, { domains: ['corp.example', 'exch.test'] }), zimbra: systemFor('zimbra', zimbra, { domains: ['zimbra.example'] }) },
    clients: [
      client('none', { detail: 'none' }),
      client('narrow', { detail: 'free-busy' }),
      client('typed', { detail: 'busy-type' }),
      client('plain', {}),
      client('detailed', { detail: 'details' }),
      client('nobody', { mayAsk: [] }),
      client('half', { mayAsk: ['zimbra'] }),
      client('from-zimbra', { from: 'zimbra' }),
      client('far', { addresses: ['192.0.2.0/24'] }),
      client('near', { addresses: ['127.0.0.0/8'] }),
      { name: 'zimbra-of-old', username: 'zimbra', password: 'changeme', mayAsk: ['ews'] },
      { name: 'form-user', username: 'dom\\svc+fb', password: 'p&w=d %é', mayAsk: ['ews'] },
    ],
  });
});
afterAll(async () => {
  await bridge.stop();
  await Promise.all([ews.close(), zimbra.close()]);
});

describe('detail', () => {
  it('none is refused like unknown', async () => {
    const { results } = await askJson(bridge.url, as('none'), [ANNA, 'ghost@elsewhere.example']);
    expect(results[0]!.error).toEqual(results[1]!.error);
    expect((await askOwa(bridge.url, as('none'), [ANNA])).digits[ANNA]).toBe(NOTHING_KNOWN);
    expect((await askSoap(bridge.url, as('none'), [ANNA])).slots[ANNA]!.map((one) => one.letter)).toEqual(['n']);
  });

  it('free-busy knows busy and free and nothing between', async () => {
    const { results, body } = await askJson(bridge.url, as('narrow'), [ANNA]);
    expect(new Set(results[0]!.busy!.map((one) => one.type))).toEqual(new Set(['busy']));
    expect(body).not.toContain('Budget');
    expect((await askOwa(bridge.url, as('narrow'), [ANNA])).digits[ANNA]).toMatch(/^0000222200002200$/);
    expect(new Set((await askSoap(bridge.url, as('narrow'), [ANNA])).slots[ANNA]!.map((one) => one.letter))).toEqual(new Set(['f', 'b']));
  });

  it.each(['typed', 'plain'])('busy-type, which is the default, has types and no subjects: %s', async (name) => {
    const { results, body } = await askJson(bridge.url, as(name), [ANNA]);
    expect(digitsOfJson(results[0])).toBe(TRUTH);
    expect(body).not.toContain('Budget');
    const soap = await askSoap(bridge.url, as(name), [ANNA]);
    expect(soap.body).not.toContain('Budget');
  });

  it('details has subjects and places where the protocol can say them', async () => {
    expect((await askJson(bridge.url, as('detailed'), [ANNA])).body).toMatch(/Budget.*Room 2/s);
    expect((await askOwa(bridge.url, as('detailed'), [ANNA])).body).not.toContain('Budget');
  });

  it('of one client does not leak to another who asks the same at the same moment', async () => {
    ews.override = async (_seen, honest) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return honest();
    };
    const [detailed, narrow, typed] = await Promise.all([askJson(bridge.url, as('detailed'), [ANNA]), askJson(bridge.url, as('narrow'), [ANNA]), askJson(bridge.url, as('typed'), [ANNA])]);
    ews.reset();
    expect(detailed.body).toContain('Budget');
    expect(narrow.body).not.toMatch(/Budget|tentative/);
    expect(typed.body).not.toContain('Budget');
  });
});

describe('mayAsk', () => {
  it('is nothing by default, and what may not be asked looks like what is unknown', async () => {
    ews.reset();
    const { results } = await askJson(bridge.url, as('nobody'), [ANNA, 'ghost@elsewhere.example']);
    expect({ ...results[0], mailbox: '' }).toEqual({ ...results[1], mailbox: '' });
    const half = await askJson(bridge.url, as('half'), [ANNA, 'kim@zimbra.example']);
    expect(half.results[0]!.error).toEqual(results[1]!.error);
    expect(digitsOfJson(half.results[1])).toBe(TRUTH);
    expect(ews.requests).toHaveLength(0);
  });
});

describe('the loop guard', () => {
  it('never asks the system for which the client speaks', async () => {
    zimbra.reset();
    const { results } = await askJson(bridge.url, as('from-zimbra'), ['kim@zimbra.example', ANNA]);
    expect(results[0]!.error).toBeDefined();
    expect(digitsOfJson(results[1])).toBe(TRUTH);
    expect(zimbra.requests).toHaveLength(0);
  });

  it.each(['4', '99', 'x', '-1', '1, 2'])('asks nobody where our hop count is %j', async (hops) => {
    ews.reset();
    const header = Object.keys(await hopHeaders()).find((name) => /hop/i.test(name))!;
    const { results } = await askJson(bridge.url, { ...as('plain'), [header]: hops }, [ANNA]);
    expect(results[0]!.error).toBeDefined();
    expect(ews.requests).toHaveLength(0);
  });

  it('asks no Zimbra where X-ZIMBRA-FREEBUSY-HOPCOUNT says that one asks, but Exchange', async () => {
    zimbra.reset();
    const { results } = await askJson(bridge.url, { ...as('plain'), 'x-zimbra-freebusy-hopcount': '0' }, ['kim@zimbra.example', ANNA]);
    expect(results[0]!.error).toBeDefined();
    expect(digitsOfJson(results[1])).toBe(TRUTH);
    expect(zimbra.requests).toHaveLength(0);
  });

  async function hopHeaders(): Promise<Record<string, unknown>> {
    ews.reset();
    await askJson(bridge.url, as('plain'), [ANNA]);
    const { headers } = ews.requests[0]!;
    ews.reset();
    return headers;
  }

  it('says upstream how far the question has come', async () => {
    const header = Object.entries(await hopHeaders()).find(([name]) => /hop/i.test(name))!;
    expect(header[1]).toBe('1');
    await askJson(bridge.url, { ...as('plain'), [header[0]]: '1' }, [ANNA]);
    expect(ews.requests[0]!.headers[header[0]]).toBe('2');
    zimbra.reset();
    await askJson(bridge.url, as('plain'), ['kim@zimbra.example']);
    expect(zimbra.requests.at(-1)!.headers['x-zimbra-freebusy-hopcount']).toBeDefined();
  });
});

describe('addresses of a client', () => {
  it('keep it out from elsewhere, even with the right password', async () => {
    expect((await askJson(bridge.url, as('far'), [ANNA])).status).toBe(401);
    expect((await askJson(bridge.url, as('near'), [ANNA])).status).toBe(200);
  });

  it('are not changed by X-Forwarded-For of a stranger', async () => {
    expect((await askJson(bridge.url, { ...as('far'), 'x-forwarded-for': '192.0.2.7' }, [ANNA])).status).toBe(401);
  });
});

describe('tokens', () => {
  const signIn = (name: string): Promise<{ status: number; body: string; headers: Readonly<Record<string, string | string[] | undefined>> }> =>
    postSoap(bridge.url, {}, soapEnvelope(`<AuthRequest xmlns="urn:zimbraAccount"><account by="name">${name}</account><password>pw-of-${name}</password></AuthRequest>`));
  const tokenOf = (body: string): string => /<(?:\w+:)?authToken>([^<]+)</.exec(body)![1]!;
  const withToken = (token: string) => postSoap(bridge.url, {}, soapEnvelope(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${WINDOW.start}" e="${WINDOW.end}" uid="${ANNA}"/>`, `<authToken>${token}</authToken>`));

  it('of AuthRequest sign in, in the context and as a cookie', async () => {
    const { body, headers } = await signIn('plain');
    expect(Number(/<(?:\w+:)?lifetime>(\d+)</.exec(body)![1])).toBeGreaterThan(0);
    expect((await withToken(tokenOf(body))).body).toMatch(/<usr id="anna@corp\.example"><f /);
    const cookie = String(headers['set-cookie']).split(';')[0]!;
    expect(cookie).toMatch(/^ZM_AUTH_TOKEN=/);
    expect((await askSoap(bridge.url, { cookie }, [ANNA])).status).toBe(200);
  });

  it('are of no use in another place', async () => {
    const token = tokenOf((await signIn('plain')).body);
    expect((await askOwa(bridge.url, { cookie: `sessionid=${token}; cadata=${token}` }, [ANNA])).status).toBe(401);
    expect((await askJson(bridge.url, { authorization: `Bearer ${token}` }, [ANNA])).status).toBe(401);
  });

  it.each([
    ['nonsense', () => 'nonsense'],
    ['empty', () => ''],
    ['of a stranger Zimbra', () => '0_0123456789012345678901234567890123456789_69643d33363a'],
    ['changed in its last character', (good: string) => good.slice(0, -1) + (good.endsWith('0') ? '1' : '0')],
    ['cut', (good: string) => good.slice(0, -10)],
    ['with another name inside', (good: string) => good.replace(/[0-9a-f]+$/, (hex) => Buffer.from(Buffer.from(hex, 'hex').toString('utf8').replace('plain', 'detailed')).toString('hex'))],
    ['of a million characters', () => 'a'.repeat(1_000_000)],
  ])('that are %s are a fault', async (_what, make) => {
    const good = tokenOf((await signIn('plain')).body);
    const answer = await withToken(make(good));
    expect(answer.status).toBe(500);
    expect(faultCode(answer.body)).toMatch(/^service\.AUTH_(?:REQUIRED|EXPIRED)$/);
  });
});

describe('form logon', () => {
  const LOGON = '/exchweb/bin/auth/owaauth.dll';
  const form = (path: string, username: string, password: string, destination = 'http%3A%2F%2F127.0.0.1'): Promise<{ status: number; body: string; headers: Readonly<Record<string, string | string[] | undefined>> }> =>
    ask(bridge.url, path, { method: 'POST', headers: { 'content-type': 'x-www-form-urlencoded' }, body: `destination=${destination}&username=${username}&password=${password}&flags=0&SubmitCreds=Log On&trusted=0` });
  const cookieOf = (headers: Readonly<Record<string, string | string[] | undefined>>): string => [headers['set-cookie'] ?? []].flat().map((one) => one.split(';')[0]).join('; ');

  it.each([LOGON, '/owa/auth/owaauth.dll', '/owa/auth.owa', '/OWA/AUTH.OWA'])('at %s gives a cookie that signs in, of letters that Zimbra 8.8.12 keeps', async (path) => {
    const answer = await form(path, 'plain', 'pw-of-plain');
    expect(answer.status).toBe(302);
    const cookie = cookieOf(answer.headers);
    expect(cookie).toMatch(/^[\w]+=[\w.-]+$/);
    expect(String(answer.headers['set-cookie'])).toMatch(/HttpOnly/i);
    expect((await askOwa(bridge.url, { cookie }, [ANNA])).digits[ANNA]).toBe(TRUTH);
    expect((await askOwa(bridge.url, { cookie: cookie.slice(0, -1) + (cookie.endsWith('a') ? 'b' : 'a') }, [ANNA])).status).toBe(401);
    expect((await askOwa(bridge.url, { cookie: cookie.replace(/=.*/, '=nonsense') }, [ANNA])).status).toBe(401);
  });

  it.each(['http%3A%2F%2Fevil.example%2Fx', '%2F%2Fevil.example', '%2F%5Cevil.example', 'https%3Aevil.example', 'javascript%3Aalert(1)', '%0D%0ALocation%3A%20http%3A%2F%2Fevil.example', 'http%3A%2F%2Fa%40evil.example%2F%2Fevil.example'])('leads nowhere but into this bridge: %s', async (destination) => {
    const answer = await form(LOGON, 'plain', 'pw-of-plain', destination);
    const location = String(answer.headers['location']);
    expect(new URL(location, 'http://bridge.test').host).toBe('bridge.test');
    expect(location).toMatch(/^\/(?![/\\])/);
  });

  it('with a wrong password leads to the page and gives no cookie', async () => {
    const answer = await form(LOGON, 'plain', 'wrong');
    expect(answer.status === 302 || answer.status === 200 || answer.status === 401).toBe(true);
    expect(answer.headers['set-cookie']).toBeUndefined();
    if (answer.status === 302) {
      const page = await ask(bridge.url, String(answer.headers['location']));
      expect(page.status).toBe(200);
      expect(page.body).toContain('<form');
    }
  });

  it.each(['', 'username=plain', 'username=%ZZ&password=%E9', 'username=plain&password=', '&&&==='])('survives the body %j', async (body) => {
    const answer = await ask(bridge.url, LOGON, { method: 'POST', body });
    expect([200, 302, 400, 401, 429]).toContain(answer.status);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('a stock Zimbra on the wire', () => {
  it.skipIf(!hasCaptures).each(['webdav-basic-8.8.12.txt', 'webdav-basic-8.8.15.txt'])('%s: challenge, then digits on the same connection', async (name) => {
    const requests = capturedRequests(name).filter((one) => one.startsWith('GET /public/?cmd=freebusy'));
    const [first, second] = [requests.find((one) => !/^authorization:/im.test(one))!, requests.find((one) => /^authorization:/im.test(one))!];
    const { text } = await exchange(bridge.port, first + second, { enough: (all) => all.includes('</a:response>') || all.includes(':response>') });
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toMatch(/WWW-Authenticate: Basic realm="/i);
    const answer = text.slice(text.indexOf('HTTP/1.1 200'));
    expect(text).toContain('HTTP/1.1 200');
    // alice: busy 09:00–10:30 of 08:00–12:00 in quarters; bob out 08–09; carol free (zimbra-measured.md §2, first request).
    expect(digitsInOrder(answer)).toEqual({ 'alice@exch.test': '0000222222000000', 'bob@exch.test': '3333000000000000', 'carol@exch.test': '0000000000000000' });
    expect(answer).not.toContain('<!DOCTYPE');
  });

  it.skipIf(!hasCaptures)('webdav-form-and-timezones.txt: logon, then digits with its cookie, in every zone', async () => {
    const requests = capturedRequests('webdav-form-and-timezones.txt');
    let cookie = '';
    let lookups = 0;
    for (const request of requests) {
      if (request.includes('owaauth.dll HTTP')) {
        const { text } = await exchange(bridge.port, request, { enough: (all) => /\r\n\r\n(?:.|\n)+/.test(all) });
        expect(Number(/^HTTP\/1\.1 (\d+)/.exec(text)![1])).toBeLessThan(400);
        cookie = /^Set-Cookie: ([^;\r]+)/im.exec(text)?.[1] ?? '';
        expect(cookie).not.toBe('');
      } else if (request.startsWith('GET /public/?cmd=freebusy') && request.includes('alice')) {
        lookups += 1;
        const { text } = await exchange(bridge.port, request.replace(/^Cookie: .*$/m, `Cookie: ${cookie}`), { enough: (all) => all.includes(':response>') });
        expect(text).toMatch(/^HTTP\/1\.1 200 /);
        const digits = digitsInOrder(text)['alice@exch.test']!;
        const parameters = /start=(\S+?)&end=(\S+?)&interval=(\d+)/.exec(request)!;
        const [start, end, minutes] = [Date.parse(parameters[1]!), Date.parse(parameters[2]!), Number(parameters[3])];
        expect(digits).toHaveLength(Math.ceil((end - start) / (minutes * 60_000)));
        const oof = Math.floor((at(8, 9) - start) / (minutes * 60_000));
        if (oof >= 0) expect(digits[oof]).toBe('3');
        expect(digits).not.toContain('4');
      }
    }
    expect(lookups).toBeGreaterThan(3);
  });

  function capturedRequests(name: string): string[] {
    const text = readFileSync(join(CAPTURES, 'zimbra', name), 'latin1');
    return [...text.matchAll(/#### request \d+[^\n]*\n(.*?)\n#### end \d+/gs)].map(([, raw]) => {
      const [head, ...body] = raw!.replace(/\r\n/g, '\n').split('\n\n');
      const content = body.join('\n\n');
      const isGet = head!.startsWith('GET');
      return `${head!.trimEnd().replace(/\n/g, '\r\n')}\r\n\r\n${isGet ? '' : content.slice(0, Number(/^content-length: (\d+)/im.exec(head!)?.[1] ?? content.length))}`;
    });
  }

  function digitsInOrder(text: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [, item] of text.matchAll(/<\w+:item>(.*?)<\/\w+:item>/gs)) {
      const email = /<\w+:email[^>]*>([^<]+)</.exec(item!)?.[1];
      if (email !== undefined) found[email] = /<\w+:fbdata>([^<]*)</.exec(item!)![1]!;
    }
    return found;
  }
});

describe('slots as Zimbra counts them', () => {
  it('run from the requested start to the floored start plus the interval first', async () => {
    // zimbra-measured.md §2 for 08:07: Zimbra floors the start itself, so what arrives is a multiple; others may ask for 08:07.
    const answer = await ask(bridge.url, `/public/?cmd=freebusy&start=2026-03-02T09:00:00+00:00&end=2026-03-02T09:50:00+00:00&interval=15&u=${ANNA}`, { headers: as('plain') });
    expect(/<\w+:email[^>]*>anna@corp\.example<.*?<\w+:fbdata>(\d*)</s.exec(answer.body)![1]).toBe('2222');
  });

  it.each(['/public/', '//public/', '/public', '/PUBLIC/', '/public//'])('are had under %s', async (path) => {
    const answer = await ask(bridge.url, `${path}?cmd=freebusy&start=2026-03-02T09:00:00+00:00&end=2026-03-02T09:30:00+00:00&interval=15&u=SMTP:${ANNA}`, { headers: as('plain') });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/xml/);
  });
});

describe('an anonymous client', () => {
  it('is answered only from its addresses, and unknown, hidden and refused look the same', async () => {
    const open = await startBridge({
      systems: { ews: systemFor('exchange-ews', ews, { domains: ['corp.example'] }), zimbra: systemFor('zimbra', zimbra, { domains: ['zimbra.example'] }) },
      clients: [{ name: 'guests', anonymous: true, addresses: ['127.0.0.1/32'], mayAsk: ['ews'], detail: 'free-busy' }],
    });
    const { results, status } = await askJson(open.url, {}, [ANNA, 'ghost@corp.example', 'kim@zimbra.example', 'x@gmail.com', 'a/b@corp.example']);
    expect(status).toBe(200);
    expect(digitsOfJson(results[0])).toBe('0000222200002200');
    expect(new Set(results.slice(1).map((one) => JSON.stringify({ ...one, mailbox: '' }))).size).toBe(1);
    expect((await askJson(open.url, basic('guests', ''), [ANNA])).status).toBe(401);
    expect((await askSoap(open.url, {}, [ANNA])).status).toBe(200);
    await open.stop();
    const shut = await startBridge({
      systems: { ews: systemFor('exchange-ews', ews) },
      clients: [{ name: 'guests', anonymous: true, addresses: ['192.0.2.0/24'], mayAsk: ['ews'], detail: 'free-busy' }],
    });
    expect((await askJson(shut.url, { 'x-forwarded-for': '192.0.2.1' }, [ANNA])).status).toBe(401);
    await shut.stop();
  });
});
