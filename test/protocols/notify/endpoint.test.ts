import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { ask, sendRaw, settled } from '../../platform/http-server/serving.ts';
import { NOW, SECONDS, SECRET, about, basic, openDoor, sign, signed } from './serving.ts';

const KIM = about('kim@zimbra.example');
const MEGABYTE = 1024 * 1024;
/** A right body of exactly so many bytes. */
const padded = (bytes: number): string => `{"mailboxes":["kim@zimbra.example"],"pad":"${'x'.repeat(bytes - KIM.length - 9)}"}`;
const error = (code: string, message: unknown = expect.stringMatching(/\w+ \w+/)): unknown => ({ error: { code, message } });

describe('POST /notify with credentials of a client', () => {
  it('stores what changed in its own system, and then says so', async () => {
    const door = await openDoor();
    const answer = await door.post(about('kim@zimbra.example', 'Lee@zimbra.example', 'KIM@zimbra.example'), basic('zimbra'));
    expect([answer.status, answer.json, answer.headers['cache-control']]).toEqual([202, { accepted: 2 }, 'no-store']);
    expect(door.told).toEqual([{ system: 'zimbra', mailboxes: ['kim@zimbra.example', 'lee@zimbra.example'] }]);
    await settled();
    expect(door.lines).toMatchObject([{ level: 'info', face: 'notify', operation: 'changed', client: 'zimbra', mailboxes: 2, status: 202 }]);
    expect(JSON.stringify(door.lines)).not.toContain('kim');
  });

  it.each([
    ['of another system', 'zimbra', about('kim@zimbra.example', 'Kim@zimbra.example', 'bo@branch.example'), 2],
    ['of no system', 'zimbra', about('kim@zimbra.example', 'eve@elsewhere.example'), 1],
    ['of any system, by a client that speaks for none', 'outside', KIM, 0],
    ['of another system, the other way round', 'branch', KIM, 0],
  ])('refuses all of a request with a mailbox %s, and says which', async (_what, client, body, place) => {
    const door = await openDoor();
    const answer = await door.post(body, basic(client));
    expect([answer.status, answer.json]).toEqual([403, error('ACCESS_DENIED', `mailboxes[${place}] is of another system, or of none; nothing was stored`)]);
    expect(door.told).toEqual([]);
  });

  it.each([
    ['nothing', {}],
    ['a wrong password', basic('zimbra', 'wrong')],
    ['an unknown name', basic('nobody')],
    ['credentials that cannot be read', { authorization: 'Basic !' }],
    ['another scheme', { authorization: 'Bearer x' }],
  ])('answers 401 to %s, before it looks at the body', async (_what, headers) => {
    const door = await openDoor();
    for (const body of [KIM, '{', padded(MEGABYTE + 1)]) {
      const answer = await door.post(body, headers);
      expect([answer.status, answer.headers['www-authenticate'], answer.json]).toEqual([401, 'Basic realm="freebusy-bridge"', error(Object.keys(headers).length === 0 ? 'AUTH_REQUIRED' : 'AUTH_FAILED')]);
    }
    expect(door.told).toEqual([]);
  });

  it('takes an anonymous client by its address, for its own system only', async () => {
    const door = await openDoor({ anonymous: true });
    expect((await door.post(KIM)).status).toBe(202);
    expect((await door.post(about('bo@branch.example'))).status).toBe(403);
    expect(door.told).toEqual([{ system: 'zimbra', mailboxes: ['kim@zimbra.example'] }]);
  });

  it('answers 405 to every other method, after sign-in', async () => {
    const door = await openDoor();
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      expect((await door.post('', {}, method)).status).toBe(401);
      const answer = await door.post('', basic('zimbra'), method);
      expect([answer.status, answer.headers['allow'], answer.json]).toEqual([405, 'POST', error('UNSUPPORTED')]);
      expect((await door.post('', signed(''), method)).status).toBe(405);
    }
    expect((await door.post('', basic('zimbra'), 'HEAD')).status).toBe(405);
  });

  it.each([
    ['1,001 mailboxes', about(...Array.from({ length: 1_001 }, (_, index) => `u${index}@zimbra.example`)), 'TOO_MANY_MAILBOXES'],
    ['JSON cut off', KIM.slice(0, -3), 'INVALID_REQUEST'],
    ['a tower of brackets', '['.repeat(900_000), 'INVALID_REQUEST'],
    ['a slash in an address', about('kim@zimbra.example', 'a/b@zimbra.example'), 'INVALID_REQUEST'],
    ['a control character in an address', about('kim@zimbra.example\u0000'), 'INVALID_REQUEST'],
    ['nothing', '', 'INVALID_REQUEST'],
  ])('answers 400 with the reason to %s, and stores nothing', async (_what, body, code) => {
    const door = await openDoor();
    for (const headers of [basic('zimbra'), signed(body)]) {
      const answer = await door.post(body, headers);
      expect([answer.status, answer.json]).toEqual([400, error(code)]);
    }
    expect(door.told).toEqual([]);
  });

  it('takes a megabyte and not one byte more, counted after decompression', async () => {
    const door = await openDoor();
    const bomb = gzipSync(Buffer.alloc(200 * MEGABYTE, 0x20));
    const gzip = { 'content-encoding': 'gzip' };
    for (const auth of [(body: string | Buffer) => signed(body), () => basic('zimbra')]) {
      const whole = padded(MEGABYTE);
      expect(Buffer.byteLength(whole)).toBe(MEGABYTE);
      expect((await door.post(whole, auth(whole))).status).toBe(202);
      expect((await door.post(gzipSync(whole), { ...auth(whole), ...gzip })).status).toBe(202);
      const more = padded(MEGABYTE + 1);
      for (const answer of [
        await door.post(more, auth(more)),
        await door.post(more, { ...auth(more), 'transfer-encoding': 'chunked' }),
        await door.post(gzipSync(more), { ...auth(more), ...gzip }),
        await door.post(bomb, { ...auth(bomb), ...gzip }),
      ]) {
        expect([answer.status, answer.json]).toEqual([413, error('BODY_TOO_LARGE')]);
      }
    }
    expect(door.told).toHaveLength(4);
  });

  it('answers 400 to a body that is not what its Content-Encoding says', async () => {
    const door = await openDoor();
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd']) expect((await door.post(KIM, { ...basic('zimbra'), 'content-encoding': encoding })).status).toBe(400);
    expect((await door.post(gzipSync(KIM).subarray(0, 20), { ...basic('zimbra'), 'content-encoding': 'gzip' })).status).toBe(400);
    expect(door.told).toEqual([]);
  });
});

describe('when a change cannot be stored', () => {
  it('is 503 with the pause that the store asks for, or five seconds', async () => {
    const full = await openDoor({ failure: new BridgeError('STORE_UNAVAILABLE', 'the change cannot be stored at present', { temporary: true, retryAfterMs: 30_000 }) });
    const away = await openDoor({ failure: new BridgeError('STORE_UNAVAILABLE', 'the change cannot be stored at present', { temporary: true }) });
    const answers = [await full.post(KIM, basic('zimbra')), await away.post(KIM, signed(KIM))];
    expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([[503, '30'], [503, '5']]);
    expect(answers[0]?.json).toEqual(error('STORE_UNAVAILABLE', 'the change cannot be stored at present'));
  });

  it('is 500 without a word where the reason is a mistake of ours', async () => {
    const door = await openDoor({ failure: new TypeError('canary') });
    const answer = await ask(door.url, '/notify', { method: 'POST', headers: basic('zimbra'), body: KIM });
    expect([answer.status, answer.body]).toEqual([500, 'internal error\n']);
    await settled();
    expect(JSON.stringify(door.lines)).not.toContain('canary');
  });
});

describe('POST /notify with a signature', () => {
  it('may tell of every system that is replicated from, each told its own', async () => {
    const door = await openDoor();
    const body = about('kim@zimbra.example', 'bo@branch.example', 'lee@zimbra.example');
    const answer = await door.post(body, signed(body));
    expect([answer.status, answer.json]).toEqual([202, { accepted: 3 }]);
    expect(door.told).toEqual([
      { system: 'zimbra', mailboxes: ['kim@zimbra.example', 'lee@zimbra.example'] },
      { system: 'branch', mailboxes: ['bo@branch.example'] },
    ]);
    await settled();
    expect(door.lines).toMatchObject([{ client: 'notify.secret', mailboxes: 3, status: 202 }]);
  });

  it('refuses a stranger, and all that was told with it', async () => {
    const door = await openDoor();
    const body = about('kim@zimbra.example', 'eve@elsewhere.example');
    const answer = await door.post(body, signed(body));
    expect([answer.status, answer.json]).toEqual([403, error('ACCESS_DENIED', 'mailboxes[1] is of no system; nothing was stored')]);
    expect(door.told).toEqual([]);
  });

  it('may come again within the grace: the calendar is read once more', async () => {
    const door = await openDoor();
    const headers = signed(KIM, { t: String(SECONDS - 299) });
    expect([(await door.post(KIM, headers)).status, (await door.post(KIM, headers)).status]).toEqual([202, 202]);
    expect(door.told).toHaveLength(2);
  });

  it('is made over the body as it is after decompression', async () => {
    const door = await openDoor();
    const zipped = gzipSync(KIM);
    expect((await door.post(zipped, { ...signed(KIM), 'content-encoding': 'gzip' })).status).toBe(202);
    expect((await door.post(zipped, { ...signed(zipped), 'content-encoding': 'gzip' })).status).toBe(401);
    // The same JSON in other bytes is another body.
    expect((await door.post(KIM.replace(':', ': '), signed(KIM))).status).toBe(401);
  });

  it('may be one of several while the secret is being changed', async () => {
    const door = await openDoor();
    const header = `t=${SECONDS},v1=${sign(KIM, { secret: 'the next one' })},v1=${sign(KIM)}`;
    expect((await door.post(KIM, { 'x-signature': header })).status).toBe(202);
  });

  const good = `v1=${sign(KIM)}`;
  it.each([
    ['made with another secret', `t=${SECONDS},v1=${sign(KIM, { secret: 'guess' })}`, 'wrong signature'],
    ['of another time', `t=${SECONDS + 1},${good}`, 'wrong signature'],
    ['of the body alone', `t=${SECONDS},v1=${createHmac('sha256', SECRET).update(KIM).digest('hex')}`, 'wrong signature'],
    ['too old', signed(KIM, { t: String(SECONDS - 301) })['x-signature']!, 'stale signature'],
    ['too far ahead', signed(KIM, { t: String(SECONDS + 301) })['x-signature']!, 'stale signature'],
    ['in milliseconds', signed(KIM, { t: String(NOW) })['x-signature']!, 'stale signature'],
    ['without a time', good, 'malformed signature'],
    ['of a version nobody knows', `t=${SECONDS},v2=${sign(KIM)}`, 'malformed signature'],
    ['that is empty', '', 'malformed signature'],
    ['that is nonsense', 'canary', 'malformed signature'],
  ])('is 401 with one %s, also beside what would be enough without it', async (_what, header, reason) => {
    const door = await openDoor({ anonymous: true });
    for (const also of [{}, basic('zimbra')]) {
      const answer = await door.post(KIM, { 'x-signature': header, ...also });
      expect([answer.status, answer.headers['www-authenticate'], answer.json]).toEqual([401, 'Basic realm="freebusy-bridge"', error('AUTH_FAILED')]);
    }
    expect(door.told).toEqual([]);
    await settled();
    expect(door.lines).toMatchObject([{ code: 'AUTH_FAILED', reason }, { reason }]);
    expect(JSON.stringify(door.lines)).not.toMatch(/canary|whsec/);
  });

  it('is 401 with a header that came twice', async () => {
    const door = await openDoor();
    const { text } = await sendRaw(
      door.url,
      `POST /notify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Signature: t=${SECONDS},${good}\r\nX-Signature: t=${SECONDS},${good}\r\nContent-Length: ${KIM.length}\r\n\r\n${KIM}`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('is 401 where no secret is configured, also for one made with an empty secret', async () => {
    const door = await openDoor({ secret: '' });
    for (const secret of ['', 'undefined', SECRET]) expect((await door.post(KIM, signed(KIM, { secret }))).status).toBe(401);
    expect(door.told).toEqual([]);
  });

  it('slows down whoever keeps failing, then one that is right is forgiven', async () => {
    const door = await openDoor();
    const bad = { 'x-signature': `t=${SECONDS},v1=${'0'.repeat(64)}` };
    const timed = async (headers: Record<string, string>): Promise<number> => {
      const began = performance.now();
      await door.post(KIM, headers);
      return performance.now() - began;
    };
    for (let failure = 0; failure < 4; failure++) await timed(bad);
    expect(await timed(bad)).toBeGreaterThan(240);
    // A client's own failures are counted apart.
    expect(await timed(basic('zimbra'))).toBeLessThan(200);
    await timed(signed(KIM));
    expect(await timed(bad)).toBeLessThan(200);
    expect(door.told).toHaveLength(2);
  });

  it('holds back only so many answers to one address, and answers 429 to more', async () => {
    const door = await openDoor();
    const bad = { 'x-signature': `t=${SECONDS},v1=${'0'.repeat(64)}` };
    for (let failure = 0; failure < 5; failure++) await door.post(KIM, bad);
    const answers = await Promise.all(Array.from({ length: 20 }, () => door.post(KIM, bad)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(12);
    expect(refused[0]?.headers['retry-after']).toBe('5');
  });
});

describe('an upload that breaks off', () => {
  it.each([
    ['Basic', (): string => `Authorization: ${basic('zimbra').authorization}`],
    ['a signature', (): string => `X-Signature: ${signed(KIM)['x-signature']}`],
  ])('stores nothing, and the door stays open: %s', async (_what, header) => {
    const door = await openDoor();
    const { hostname, port } = new URL(door.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`POST /notify HTTP/1.1\r\nHost: x\r\n${header()}\r\nContent-Length: ${KIM.length + 100}\r\n\r\n${KIM}`);
        setTimeout(() => socket.destroy(), 50);
      });
      socket.once('close', () => resolve());
    });
    await settled();
    expect(door.told).toEqual([]);
    expect(door.lines).toMatchObject([{ face: 'notify', status: 499, level: 'warn' }]);
    expect((await door.post(KIM, basic('zimbra'))).status).toBe(202);
  });
});
