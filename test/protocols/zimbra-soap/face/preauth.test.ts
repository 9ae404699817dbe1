import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../../../src/core/clock.ts';
import { ASKER } from '../../face-under-test.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { END, START, openFace, preauthOf, send, sendJson, xmlMessage } from './asking.ts';

/** zimbra.md §1.4: a domain key has 64 hexadecimal characters, used as they stand. */
const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const ACCOUNT = 'kim@zimbra.example';
const NOW = 1790000000000;
/** zimbra.md §1.4, computed there. */
const VECTOR = '2775712327ed25d08fbaf2fa82ddfcbcd384cec4';

let now = NOW;
let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({
    clock: { now: () => now },
    accounts: [{ requester: ASKER, credentials: { username: ACCOUNT, password: KEY } }],
    calendars: { 'lee@zimbra.example': {} },
  });
});
afterAll(() => face.close());
beforeEach(() => void (now = NOW));

const visit = (query: string, init: RequestInit = {}): Promise<Response> => fetch(`${face.url}/service/preauth${query}`, { redirect: 'manual', ...init });
const query = (more = '', digest = VECTOR, expires = 0): string => `?account=${encodeURIComponent(ACCOUNT)}&by=name&timestamp=${NOW}&expires=${expires}&preauth=${digest}${more}`;
const tokenOf = (response: { headers: Headers }): string | undefined => /^ZM_AUTH_TOKEN=([\w.-]+); Path=\/; HttpOnly$/.exec(response.headers.get('set-cookie') ?? '')?.[1];
const signsIn = async (token: string | undefined): Promise<number> => {
  const question = `<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${START}" e="${END}" name="lee@zimbra.example"/>`;
  return (await send(face, xmlMessage(question, `<authToken>${token}</authToken>`), {})).status;
};

describe('AuthRequest with a preauth', () => {
  const auth = (content: string, by = 'name', attributes = `timestamp="${NOW}" expires="0"`): string =>
    xmlMessage(`<AuthRequest xmlns="urn:zimbraAccount"><account by="${by}">${ACCOUNT}</account><preauth ${attributes}>${content}</preauth></AuthRequest>`);

  it('takes the vector of zimbra.md §1.4, in lower and upper case, in XML and JSON', async () => {
    for (const digest of [VECTOR, VECTOR.toUpperCase()]) {
      const answer = await send(face, auth(digest), {});
      expect([answer.status, await signsIn(/<authToken>([^<]+)</.exec(answer.text)?.[1])]).toEqual([200, 200]);
    }
    const json = await sendJson(face, { AuthRequest: { _jsns: 'urn:zimbraAccount', account: { by: 'name', _content: ACCOUNT }, preauth: { timestamp: NOW, expires: 0, _content: VECTOR } } }, {}, {});
    expect(await signsIn(json.Body.AuthResponse.authToken[0]._content)).toBe(200);
  });

  it.each([
    ['another digest', auth('0'.repeat(40))],
    ['no digest', auth('')],
    ['another time', auth(VECTOR, 'name', `timestamp="${NOW + 1}" expires="0"`)],
    ['another end', auth(VECTOR, 'name', `timestamp="${NOW}" expires="1"`)],
  ])('refuses %s with account.AUTH_FAILED', async (_what, body) => {
    const answer = await send(face, body, {});
    expect([answer.status, answer.text.includes('<Code>account.AUTH_FAILED</Code>'), answer.headers.get('set-cookie')]).toEqual([500, true, null]);
  });

  it.each([
    ['without a time', auth(VECTOR, 'name', '')],
    ['with a time that is none', auth(VECTOR, 'name', 'timestamp="now" expires="0"')],
    ['by id', auth(VECTOR, 'id')],
  ])('refuses one %s with service.INVALID_REQUEST', async (_what, body) => {
    expect((await send(face, body, {})).text).toContain('<Code>service.INVALID_REQUEST</Code>');
  });

  it('is good for five minutes', async () => {
    now = NOW + 5 * MINUTE_MS - 1;
    expect((await send(face, auth(VECTOR), {})).status).toBe(200);
    now = NOW + 5 * MINUTE_MS + 1;
    expect((await send(face, auth(VECTOR), {})).status).toBe(500);
  });

  it('gives a token that ends when the preauth says, and no later than any other', async () => {
    const until = async (expires: number): Promise<string | undefined> => /<lifetime>(\d+)</.exec((await send(face, auth(preauthOf(KEY, ACCOUNT, NOW, expires), 'name', `timestamp="${NOW}" expires="${expires}"`), {})).text)?.[1];
    expect(await until(NOW + MINUTE_MS)).toBe(String(MINUTE_MS));
    expect(await until(NOW + 100 * HOUR_MS)).toBe(String(HOUR_MS));
    expect(await until(NOW - 1)).toBeUndefined();
  });
});

describe('/service/preauth', () => {
  // Failures slow this pair of name and address down; a good one in between clears that.
  afterEach(async () => void (await visit(query())));

  it('sets the cookie and sends on to a path of our own', async () => {
    const response = await visit(query(`&redirectURL=${encodeURIComponent('/home/kim@zimbra.example/calendar?fmt=ifb&x=1')}`));
    expect([response.status, response.headers.get('location')]).toEqual([302, '/home/kim@zimbra.example/calendar?fmt=ifb&x=1']);
    expect(response.headers.get('cache-control')).toBe('no-store, no-cache');
    expect(await signsIn(tokenOf(response))).toBe(200);
  });

  it('takes the same as a form', async () => {
    const response = await visit('', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: query('&redirectURL=%2Fx').slice(1) });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/x']);
  });

  it.each([
    'https://evil.example/', '//evil.example/', '/\\evil.example', '\\\\evil.example', '/%09/evil.example', '/\t/evil.example', 'javascript:alert(1)', '///evil.example', '/..//evil.example', 'evil', '', `/${'x'.repeat(5_000)}`, '/\r\nSet-Cookie: a=b',
  ])('never sends anybody elsewhere: %j', async (destination) => {
    const response = await visit(query(`&redirectURL=${encodeURIComponent(destination)}`));
    const location = response.headers.get('location')!;
    expect(response.status).toBe(302);
    expect(new URL(location, face.url).origin).toBe(face.url);
    expect(location).toMatch(/^\/(?![/\\])/);
  });

  it.each([
    ['nothing', ''],
    ['a wrong digest', query('', '0'.repeat(40))],
    ['a time that is none', `?account=${ACCOUNT}&timestamp=now&expires=0&preauth=${VECTOR}`],
    ['an administrator', query('&admin=1')],
    ['another way to name the account', `?account=${ACCOUNT}&by=id&timestamp=${NOW}&expires=0&preauth=${VECTOR}`],
    ['a password', `?account=${ACCOUNT}&password=${KEY}`],
  ])('answers %s with 401, a challenge and no cookie', async (_what, target) => {
    const response = await visit(target);
    expect([response.status, response.headers.get('www-authenticate'), response.headers.get('set-cookie'), response.headers.get('location')]).toEqual([401, 'Basic realm="freebusy-bridge"', null, null]);
  });

  it.each(['OPTIONS', 'PUT', 'DELETE', 'PROPFIND'])('answers %s with 401 as long as nobody has signed in, and then that it is not done', async (method) => {
    const stranger = await visit('', { method });
    expect([stranger.status, stranger.headers.get('allow'), stranger.headers.get('www-authenticate')]).toEqual([401, null, 'Basic realm="freebusy-bridge"']);
    const known = await visit(query(), { method, headers: { authorization: `Basic ${Buffer.from(`${ACCOUNT}:${KEY}`).toString('base64')}` } });
    expect([known.status, known.headers.get('allow'), known.headers.get('set-cookie')]).toEqual([method === 'OPTIONS' ? 204 : 405, 'GET, HEAD, POST', null]);
  });

  it('does not read a token out of the query, good as it may be', async () => {
    const token = tokenOf(await visit(query()));
    expect(token).toBeDefined();
    expect((await visit(`?authtoken=${token}&redirectURL=/x`)).status).toBe(401);
  });
});
