import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BusyInterval } from '../../../src/freebusy/free-busy.ts';
import { recipientsOf, sendRaw, startFace } from './face.ts';
import type { Face } from './face.ts';

const at = (hour: number, minute = 0) => Date.UTC(2026, 2, 2, hour, minute);
const stretch = (start: number, end: number, busyType: BusyInterval['busyType']): BusyInterval => ({ start, end, busyType });
const AUTHORIZATION = `Basic ${Buffer.from('zimbra:changeme').toString('base64')}`;
const WINDOW = 'start=2026-03-02T08:00:00Z&end=2026-03-02T10:00:00Z';

let face: Face;
beforeAll(async () => {
  face = await startFace(
    { zimbra: 'changeme', 'dom\\svc+fb': 'geheim', 'dom\\svc fb': 'geheim' },
    {
      'anna@corp.example': [stretch(at(8, 50), at(9, 10), 'busy')],
      'émile@corp.example': [stretch(at(8), at(8, 30), 'oof')],
      'home@corp.example': [stretch(at(8), at(9), 'working-elsewhere'), stretch(at(9, 10), at(9, 20), 'working-elsewhere'), stretch(at(9, 20), at(9, 25), 'no-data')],
      'half@corp.example': [stretch(at(9), at(10), 'no-data')],
    },
  );
});
afterAll(() => face.close());

async function get(target: string, options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {}) {
  const headers = { Host: '127.0.0.1', Authorization: AUTHORIZATION, ...options.headers };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}\r\n`]));
  const [answer] = await sendRaw(face.port, [Buffer.from(`${options.method ?? 'GET'} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'utf8')]);
  return answer!;
}

async function post(path: string, body: string, headers: Readonly<Record<string, string>> = { 'Content-Type': 'x-www-form-urlencoded' }) {
  const lines = Object.entries({ Host: '127.0.0.1', 'Content-Length': String(Buffer.byteLength(body)), ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const [answer] = await sendRaw(face.port, [Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`, 'utf8')]);
  return answer!;
}

describe('the question', () => {
  it('is found under every spelling of its path', async () => {
    for (const path of ['/public/', '/public', '//public/', '/PUBLIC/', '/exchange/anna/', '/Exchange/anna', 'http://bridge.example/public/']) {
      const answer = await get(`${path}?Cmd=FreeBusy&${WINDOW}&interval=30&u=SMTP:anna@corp.example`);
      expect(answer.status, path).toBe(200);
      expect((await recipientsOf(answer.body))[1], path).toEqual({ email: 'anna@corp.example', fbdata: '0220' });
    }
  });

  it('takes addresses with and without SMTP:, in any case, and echoes them without it', async () => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=Anna@Corp.Example&u=smtp:ANNA@corp.example&u=anna%40corp.example`);
    expect((await recipientsOf(answer.body)).map((one) => one.email)).toEqual([undefined, 'Anna@Corp.Example', 'ANNA@corp.example', 'anna@corp.example']);
    expect((await recipientsOf(answer.body)).slice(1).every((one) => one.fbdata === '0220')).toBe(true);
  });

  it('reads a raw and an encoded + in offsets as a plus', async () => {
    for (const plus of ['+', '%2B', '%2b']) {
      const answer = await get(`/public/?cmd=freebusy&start=2026-03-02T13:30:00${plus}05:30&end=2026-03-02T15:30:00${plus}05:30&interval=30&u=anna@corp.example`);
      expect((await recipientsOf(answer.body))[1]?.fbdata).toBe('0220');
    }
  });

  it('reads addresses outside ASCII that are escaped; raw ones are refused by the strict HTTP parser', async () => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=SMTP:%C3%A9mile@corp.example`);
    expect((await recipientsOf(answer.body))[1]).toEqual({ email: 'émile@corp.example', fbdata: '3000' });
    expect((await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=SMTP:émile@corp.example`)).status).toBe(400);
  });

  it('begins its slots at the start as sent, and covers a last part slot', async () => {
    const answer = await get('/public/?cmd=freebusy&start=2026-03-02T08:07:00Z&end=2026-03-02T09:00:00.500Z&interval=15&u=anna@corp.example');
    // 08:07-08:22, 08:22-08:37, 08:37-08:52 (busy from 08:50), 08:52-09:07.
    expect((await recipientsOf(answer.body))[1]?.fbdata).toBe('0022');
    expect(face.asked.at(-1)?.window).toEqual({ start: at(8, 7), end: at(9) + 500 });
  });

  it('without an interval is cut into quarters of an hour', async () => {
    expect((await recipientsOf((await get(`/public/?cmd=freebusy&${WINDOW}&u=anna@corp.example`)).body))[1]?.fbdata).toBe('00022000');
  });

  it('with an interval of 1444 minutes, the most a stock Zimbra sends, is answered', async () => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=1444&u=anna@corp.example`);
    expect((await recipientsOf(answer.body))[1]?.fbdata).toBe('2');
  });

  it('of a repeated parameter reads the first: an address cannot move the window', async () => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=anna@corp.example&end=2036-01-01T00:00:00Z&interval=1&cmd=x`);
    expect((await recipientsOf(answer.body))[1]?.fbdata).toBe('0220');
  });

  it('HEAD has the headers of GET and no body', async () => {
    const target = `/public/?cmd=freebusy&${WINDOW}&u=anna@corp.example`;
    const response = await fetch(face.url + target, { method: 'HEAD', headers: { authorization: AUTHORIZATION } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe((await get(target)).headers['content-length']);
    expect(await response.text()).toBe('');
  });
});

describe('the answer', () => {
  it('says 4 for what cannot name a mailbox, and asks nobody about it', async () => {
    const texts = ['', 'nobody', '%22a%20b%22@corp.example', 'a/cn=ceo@corp.example', 'a%00b@corp.example', '%zz@corp.example', 'a@b@c', '%3Cb%3E@corp.example'];
    face.asked.length = 0;
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=60&${texts.map((text) => `u=SMTP:${text}`).join('&')}`);
    const items = await recipientsOf(answer.body);
    expect(items).toHaveLength(texts.length + 1);
    expect(items.every((one) => one.fbdata === '44')).toBe(true);
    // Of these only %zz@… could be somebody's address.
    expect(face.asked.flatMap((query) => query.mailboxes)).toEqual(['%zz@corp.example']);
    expect(items.at(-1)?.email).toBe('<b>@corp.example');
  });

  it('the union says unknown where one is unknown and nobody is busy', async () => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=anna@corp.example&u=half@corp.example&u=ghost@corp.example`);
    expect((await recipientsOf(answer.body)).map((one) => one.fbdata)).toEqual(['4224', '0220', '0044', '4444']);
  });

  it.each([
    ['free', '0040'],
    ['tentative', '1110'],
    ['busy', '2220'],
  ] as const)('working elsewhere becomes %s, and never hides unknown time', async (as, digits) => {
    const other = await startFace({ zimbra: 'changeme' }, { 'home@corp.example': [stretch(at(8), at(9), 'working-elsewhere'), stretch(at(9, 10), at(9, 20), 'working-elsewhere'), stretch(at(9, 20), at(9, 25), 'no-data')] }, as);
    const response = await fetch(`${other.url}/public/?cmd=freebusy&${WINDOW}&interval=30&u=home@corp.example`, { headers: { authorization: AUTHORIZATION } });
    expect((await recipientsOf(await response.text()))[1]?.fbdata).toBe(digits);
    await other.close();
  });
});

describe('what is refused', () => {
  it.each([
    ['interval=0', 'interval'],
    ['interval=1445', 'interval'],
    ['interval=-5', 'interval'],
    ['interval=abc', 'interval'],
    ['interval=1e3', 'interval'],
    ['interval=', 'interval'],
  ])('%s', async (parameter, word) => {
    const answer = await get(`/public/?cmd=freebusy&${WINDOW}&${parameter}&u=anna@corp.example`);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain(word);
  });

  it.each([
    ['no start', 'end=2026-03-02T10:00:00Z'],
    ['no zone', 'start=2026-03-02T08:00:00&end=2026-03-02T10:00:00'],
    ['a day that does not exist', 'start=2026-02-30T08:00:00Z&end=2026-03-02T10:00:00Z'],
    ['an hour that does not exist', 'start=2026-03-02T25:00:00Z&end=2026-03-03T10:00:00Z'],
    ['a reversed window', 'start=2026-03-02T10:00:00Z&end=2026-03-02T08:00:00Z'],
    ['an empty window', 'start=2026-03-02T10:00:00Z&end=2026-03-02T10:00:00Z'],
    ['a blank for the plus', 'start=2026-03-02T08:00:00%2000:00&end=2026-03-02T10:00:00Z'],
    ['a window of a thousand years', 'start=1026-03-02T08:00:00Z&end=2026-03-02T10:00:00Z'],
    ['more than 100,000 slots', 'start=2026-01-01T00:00:00Z&end=2026-12-31T00:00:00Z&interval=1'],
  ])('%s', async (_name, window) => {
    expect((await get(`/public/?cmd=freebusy&${window}&u=anna@corp.example`)).status).toBe(400);
  });

  it('a year in half hours is no such window', async () => {
    const answer = await get('/public/?cmd=freebusy&start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z&interval=30&u=anna@corp.example');
    expect((await recipientsOf(answer.body))[1]?.fbdata).toHaveLength(17_520);
  });

  it('more than 500 mailboxes, as a whole', async () => {
    const users = (count: number): string => Array.from({ length: count }, (_, index) => `&u=SMTP:user${index}@corp.example`).join('');
    expect((await get(`/public/?cmd=freebusy&${WINDOW}&interval=60${users(500)}`)).status).toBe(200);
    expect((await get(`/public/?cmd=freebusy&${WINDOW}&interval=60${users(501)}`)).status).toBe(400);
    const tooLong = await get(`/public/?cmd=freebusy&${WINDOW}&interval=60${users(10_000)}`);
    expect(tooLong.status).toBe(431);
  });

  it('nobody asked about, and commands that do not exist', async () => {
    expect((await get(`/public/?cmd=freebusy&${WINDOW}`)).status).toBe(400);
    expect((await get('/public/?cmd=navbar')).status).toBe(400);
    expect((await get('/public/')).status).toBe(404);
    expect((await get('/public/', { method: 'DELETE' })).status).toBe(405);
    expect((await get('/publicity/')).body).toBe('nobody');
  });

  it('everything, without credentials or with wrong ones: 401 with a challenge, on every path, before anything is read', async () => {
    const wrong = `Basic ${Buffer.from('zimbra:wrong').toString('base64')}`;
    for (const path of ['/public', '/public/?cmd=freebusy', '/public/?cmd=nothing', '/exchange/anna/', `/public/?cmd=freebusy&${WINDOW}&u=x`]) {
      for (const authorization of ['', wrong, 'Basic %%%', 'Bearer x']) {
        for (const method of ['GET', 'DELETE']) {
          const answer = await get(path, { method, headers: { Authorization: authorization } });
          expect(answer.status, `${method} ${path} ${authorization}`).toBe(401);
          expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="/);
        }
      }
    }
  });

  it('somebody who keeps guessing: 429 with a time to wait', async () => {
    const answer = await get('/public/', { headers: { Authorization: `Basic ${Buffer.from('slow:x').toString('base64')}` } });
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('5');
  });
});

describe('form logon', () => {
  const LOGON = '/exchweb/bin/auth/owaauth.dll';
  const URLENCODED = { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' };

  it.each([LOGON, '/owa/auth/owaauth.dll', '/owa/auth.owa', '/ExchWeb/Bin/Auth/OWAAuth.DLL', '/OWA/AUTH.OWA'])('works at %s', async (path) => {
    const answer = await post(path, 'destination=&username=zimbra&password=changeme');
    expect(answer.status).toBe(302);
    const cookie = answer.headers['set-cookie']!.split(';')[0]!;
    const question = await get(`/public/?cmd=freebusy&${WINDOW}&interval=30&u=anna@corp.example`, { headers: { Authorization: '', Cookie: `other=1; ${cookie}` } });
    expect(question.status).toBe(200);
  });

  it('a + in a user name is a plus from Zimbra and a blank in a real form; %5C and %2B are decoded in both', async () => {
    const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      ['username=dom\\svc+fb&password=geheim', { 'Content-Type': 'x-www-form-urlencoded' }],
      ['username=dom%5Csvc%2Bfb&password=geheim', { 'Content-Type': 'x-www-form-urlencoded' }],
      ['username=dom%5Csvc%2Bfb&password=geheim', URLENCODED],
      ['username=dom%5Csvc+fb&password=geheim', URLENCODED],
    ];
    for (const [body, headers] of cases) expect((await post(LOGON, body, headers)).headers['set-cookie'], body).toBeDefined();
  });

  it('a wrong password leads back to the logon page with reason 2 and without a cookie', async () => {
    const old = await post(LOGON, 'destination=x&username=zimbra&password=wrong');
    expect([old.status, old.headers['location'], old.headers['set-cookie']]).toEqual([302, '/exchweb/bin/auth/owalogon.asp?url=%2Fpublic%2F&reason=2', undefined]);
    const newer = await post('/owa/auth.owa', 'username=zimbra');
    expect([newer.status, newer.headers['location'], newer.headers['set-cookie']]).toEqual([302, '/owa/auth/logon.aspx?url=%2Fpublic%2F&reason=2', undefined]);
    expect((await post(LOGON, `username=${'x'.repeat(10_000)}&password=y`)).headers['location']).toContain('reason=2');
    expect((await post(LOGON, 'username=slow&password=y')).status).toBe(429);
  });

  it.each([
    ['http://127.0.0.1:8181', '/public/'],
    ['https://evil.example/exchange/anna', '/exchange/anna'],
    ['//evil.example/x', '/x'],
    ['https://bridge.example//evil.example/x', '/evil.example/x'],
    ['/\\evil.example', '/public/'],
    ['https://a/%2F/evil.example', '/%2F/evil.example'],
    ['javascript:alert(1)', '/public/'],
    ['data:text/html,x', '/public/'],
    ['/public/?cmd=freebusy', '/public/'],
    ['/x\r\nSet-Cookie: a=b', '/xSet-Cookie:%20a=b'],
    ['http://[', '/public/'],
    [`/${'x'.repeat(5000)}`, '/public/'],
  ])('the destination %j leads to %s here', async (destination, location) => {
    const answer = await post(LOGON, `destination=${encodeURIComponent(destination)}&username=zimbra&password=changeme`);
    expect(answer.headers['location']).toBe(location);
    expect(new URL(answer.headers['location']!, 'http://bridge.example').host).toBe('bridge.example');
  });

  it.each(['sessionid=', 'sessionid=abc', 'sessionid="abc', 'sessionid=expired', 'sessionid=0_5b5d', `sessionid=0_${Buffer.from('["zimbra","zimbra-token"]').toString('hex')}`])('the cookie %s is 401', async (cookie) => {
    const answer = await get('/public/?cmd=freebusy', { headers: { Authorization: '', Cookie: cookie } });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Basic/);
  });

  it('a body of five megabytes is 413, broken compression 400', async () => {
    const huge = await post(LOGON, `username=zimbra&password=${'x'.repeat(5 << 20)}`);
    expect(huge.status).toBe(413);
    expect((await post(LOGON, 'no gzip at all', { 'Content-Encoding': 'gzip' })).status).toBe(400);
  });

  it('the page is a form that shows nothing of its URL but a safe path', async () => {
    for (const page of ['/exchweb/bin/auth/owalogon.asp', '/owa/auth/logon.aspx']) {
      const answer = await get(`${page}?url=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&reason=2`, { headers: { Authorization: '' } });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^text\/html/);
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.body).toContain('type="password"');
      expect(answer.body).toContain('Wrong user name or password');
      expect(answer.body).not.toContain('<script');
    }
    const safe = await get('/owa/auth/logon.aspx?url=https://evil.example/x%22y', { headers: { Authorization: '' } });
    expect(safe.body).toContain('value="/x%22y"');
    expect(safe.body).not.toContain('evil.example');
  });

  it('who opens the logon address in a browser is shown the page', async () => {
    expect((await get('/owa/auth.owa', { headers: { Authorization: '' } })).headers['location']).toBe('/owa/auth/logon.aspx?url=%2Fpublic%2F&reason=0');
    expect((await get('/owa/auth.owa', { method: 'PUT', headers: { Authorization: '' } })).headers['location']).toContain('/owa/auth/logon.aspx');
  });
});
