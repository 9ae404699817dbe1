import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, isAuthRequest } from './back-ends.ts';
import type { Canned, Kind } from './back-ends.ts';
import { DOMAINS, JUDGE, NOTHING_KNOWN, OTHER_TRUTH, TRUTH, allSay, openHouse, threeFaces } from './every-kind.ts';
import type { House } from './every-kind.ts';
import { askJson } from './raw-http.ts';

/** configuration.md, "Reading a back end's answer": what holds whatever the protocol is. */

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
afterEach(() => {
  for (const kind of KINDS) house.backEnds[kind].reset();
});

const MEBIBYTE = 1024 * 1024;
const bytesOf = (canned: Canned): Buffer => Buffer.from(canned.body ?? '');
const head = (canned: Canned, more: string): string => `HTTP/1.1 ${canned.status ?? 200} X\r\nContent-Type: ${String(canned.headers?.['content-type'] ?? 'text/plain')}\r\n${more}\r\n`;

/** The answer in three parts: what goes between the first and the last changes nothing, so that only the size can be the reason. */
function parts(canned: Canned): readonly [string, string, string] {
  const body = bytesOf(canned).toString('utf8');
  const isCalendar = body.startsWith('BEGIN:');
  const at = isCalendar ? body.indexOf('DTSTAMP') : body.lastIndexOf('</');
  const filling = isCalendar ? `X-FILL:${'x'.repeat(55)}\r\n`.repeat(MEBIBYTE / 64) : ' '.repeat(MEBIBYTE);
  return [body.slice(0, at), filling, body.slice(at)];
}

/** Gzip members stand one after another, so a mebibyte needs to be pressed only once. */
function bomb(canned: Canned, mebibytes: number): Buffer {
  const [first, filling, last] = parts(canned);
  const pressed = gzipSync(filling);
  return Buffer.concat([gzipSync(first), ...Array.from({ length: mebibytes }, () => pressed), gzipSync(last)]);
}

const SPOILED: Readonly<Record<string, (honest: Canned) => Canned>> = {
  'is a web page': () => ({ headers: { 'content-type': 'text/html' }, body: '<html><body>Welcome</body></html>' }),
  'is empty': () => ({ body: '' }),
  'is cut in the middle': (honest) => ({ ...honest, headers: { 'content-type': 'text/xml' }, body: bytesOf(honest).subarray(0, bytesOf(honest).length * 0.7) }),
  'lacks its last bytes': (honest) => ({ ...honest, body: bytesOf(honest).subarray(0, -20) }),
  'ends before its Content-Length': (honest) => ({ raw: Buffer.concat([Buffer.from(head(honest, `Content-Length: ${bytesOf(honest).length + 7}\r\n`)), bytesOf(honest)]) }),
  'is longer than its Content-Length': (honest) => ({ raw: Buffer.concat([Buffer.from(head(honest, `Content-Length: ${bytesOf(honest).length - 25}\r\n`)), bytesOf(honest)]) }),
  'is chunked without a last chunk': (honest) => ({ raw: Buffer.concat([Buffer.from(`${head(honest, 'Transfer-Encoding: chunked\r\n')}${bytesOf(honest).length.toString(16)}\r\n`), bytesOf(honest), Buffer.from('\r\n')]) }),
  'says gzip and is not': (honest) => ({ ...honest, headers: { ...honest.headers, 'content-encoding': 'gzip' } }),
  'is a gzip stream that ends early': (honest) => ({ ...honest, headers: { 'content-encoding': 'gzip', 'content-type': 'text/xml' }, body: gzipSync(bytesOf(honest)).subarray(0, -9) }),
  'is a gzip bomb': (honest) => ({ ...honest, headers: { 'content-encoding': 'gzip', 'content-type': 'text/xml' }, body: bomb(honest, 40) }),
  'has an encoding nobody asked for': (honest) => ({ ...honest, headers: { 'content-encoding': 'rot13' } }),
  'is a 404': () => ({ status: 404, body: 'Not Found' }),
  'is a 204': () => ({ status: 204 }),
  'is a 440': () => ({ status: 440, body: 'Login Timeout' }),
  'is a 500': () => ({ status: 500, body: 'oops' }),
  // One that says for how long is left alone so long (refusing-back-ends.test.ts).
  'is a 503': () => ({ status: 503, body: 'busy' }),
  'is a 401': () => ({ status: 401, headers: { 'www-authenticate': 'NTLM' }, body: 'no' }),
  'is the logon page after a redirect': () => ({ status: 302, headers: { location: '/exchweb/bin/auth/owalogon.asp?url=x&reason=0' } }),
  'redirects to another port': () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/x' } }),
  'is no HTTP': () => ({ raw: 'SSH-2.0-OpenSSH_9.0\r\n' }),
  'breaks off before its head': () => ({ raw: 'HTTP/1.1 200 OK\r\nContent-Le' }),
};

const DOCTYPE: Readonly<Record<string, (body: string) => string>> = {
  'has a DOCTYPE': (body) => `<!DOCTYPE x [<!ELEMENT x ANY>]>${body.replace(/^<\?xml[^>]*\?>/, '')}`,
  'has a bare DOCTYPE': (body) => `<!DOCTYPE html>${body.replace(/^<\?xml[^>]*\?>/, '')}`,
  'is XML followed by something else': (body) => `${body}<x/>`,
};

describe.each(KINDS)('%s', (kind: Kind) => {
  const anna = `anna@${DOMAINS[kind]}`;
  const ben = `ben@${DOMAINS[kind]}`;
  /** A sign-in that fails is another matter: spoil only the answers about people. */
  const spoil = (how: (honest: Canned) => Canned): void => {
    house.backEnds[kind].override = (seen, honest) => (isAuthRequest(seen) ? honest() : how(honest()));
  };

  it('gives the truth at every face', async () => {
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });

  it('calls a mailbox that the back end does not know no data and leaves the others right', async () => {
    expect(await threeFaces(house.bridge, [`ghost@${DOMAINS[kind]}`, anna])).toEqual(allSay(NOTHING_KNOWN, TRUTH));
  });

  it.each(Object.keys(SPOILED))('knows nothing where the answer %s', async (how) => {
    spoil(SPOILED[how]!);
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
    const { results } = await askJson(house.bridge.url, JUDGE, [anna]);
    expect(results[0]!.error?.code).toMatch(/^[A-Z_]+$/);
    expect(results[0]!.error?.message.length).toBeGreaterThan(5);
  });

  it.skipIf(kind === 'ifb').each(Object.keys(DOCTYPE))('knows nothing where the answer %s', async (how) => {
    spoil((honest) => ({ ...honest, body: DOCTYPE[how]!(bytesOf(honest).toString('utf8')) }));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
  });

  it('reads a compressed answer, also one of several members', async () => {
    spoil((honest) => ({ ...honest, headers: { ...honest.headers, 'content-encoding': 'gzip' }, body: gzipSync(bytesOf(honest)) }));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
    spoil((honest) => ({ ...honest, headers: { ...honest.headers, 'content-encoding': 'gzip' }, body: bomb(honest, 2) }));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });

  it('is right again when the back end is', async () => {
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });
});

it('refuses an answer of 33 MiB that is not compressed', async () => {
  house.backEnds['exchange-ews'].override = (_seen, honest) => {
    const [first, filling, last] = parts(honest());
    return { headers: { 'content-type': 'text/xml' }, body: first + filling.repeat(33) + last };
  };
  expect(await threeFaces(house.bridge, ['anna@ews.example'])).toEqual(allSay(NOTHING_KNOWN));
});
