import { networkInterfaces } from 'node:os';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Authority } from '../certificates.ts';
import { answerTo, Connection, NEGOTIATE } from './ntlm-peer.ts';
import { ACCOUNTS, serve } from './ntlm-serving.ts';

const BASIC = 'Basic realm="freebusy-bridge"';

let authority: Authority;
beforeAll(() => (authority = new Authority('NTLM tests')));
afterAll(() => authority.remove());

/** An address of this machine that is not loopback; a machine without a network has none. */
const outside = Object.values(networkInterfaces()).flat().find((one) => one?.family === 'IPv4' && !one.internal)?.address;

describe('NTLM is for connections that are the client\'s own', () => {
  it('over TLS', async () => {
    const { certificate, key } = authority.issue('/CN=bridge', 'IP:127.0.0.1', 10);
    const served = await serve(ACCOUNTS, { certificate: { certificate, key } });
    const connection = new Connection(served.url, { ca: authority.certificate });
    onTestFinished(() => connection.close());
    expect((await connection.ask()).headers['www-authenticate']).toBe(`NTLM, ${BASIC}`);
    expect((await connection.signIn('both', 'pw-both', 'CORP')).body).toBe('both');
    expect((await connection.ask()).body).toBe('both');
  });

  it('not in the clear beyond loopback', async () => {
    const served = await serve(ACCOUNTS, { host: '0.0.0.0' });
    const port = new URL(served.url).port;
    const addresses: (string | undefined)[] = [outside, '127.0.0.2'];
    for (const address of addresses.filter((one) => one !== undefined)) {
      const connection = new Connection(`http://${address}:${port}`);
      onTestFinished(() => connection.close());
      const isLoopback = address.startsWith('127.');
      expect([address, (await connection.ask()).headers['www-authenticate']]).toEqual([address, isLoopback ? `NTLM, ${BASIC}` : BASIC]);
      expect([address, (await connection.ask({ authorization: NEGOTIATE })).headers['www-authenticate']?.startsWith('NTLM T')]).toEqual([address, isLoopback]);
    }
  });

  it.each([
    ['behind a proxy', { behindProxy: true }, {}],
    ['from the address of a trusted one', { trustedProxies: ['127.0.0.0/8'] }, {}],
    ['with X-Forwarded-For', {}, { 'x-forwarded-for': '192.0.2.1' }],
    ['with X-Forwarded-Proto', {}, { 'x-forwarded-proto': 'https' }],
    ['with X-Forwarded-Proto from a trusted one', { trustedProxies: ['127.0.0.1'] }, { 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' }],
    ['with Forwarded', {}, { forwarded: 'for=192.0.2.1' }],
    ['with Via', {}, { via: '1.1 proxy' }],
  ])('not %s', async (_what, options, headers) => {
    const connection = (await serve(ACCOUNTS, options)).connect();
    expect((await connection.ask({ headers })).headers['www-authenticate']).toBe(BASIC);
    expect(await connection.ask({ headers, authorization: NEGOTIATE })).toMatchObject({ status: 401, headers: { 'www-authenticate': BASIC } });
  });

  it('a request that was passed on is not its connection\'s client', async () => {
    const connection = (await serve()).connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    expect((await connection.ask({ headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(401);
    expect((await connection.ask()).status).toBe(200);
  });
});

describe('a body that nobody reads', () => {
  it.each([['a length', {}], ['chunks', { 'transfer-encoding': 'chunked' }], ['Expect: 100-continue', { expect: '100-continue' }]])('of 1 MB with %s leaves the connection whole', async (_what, headers) => {
    const connection = (await serve()).connect();
    const body = Buffer.alloc(1_048_576, 'x');
    const challenged = await connection.ask({ method: 'POST', headers, body, authorization: NEGOTIATE });
    expect(challenged.status).toBe(401);
    const answer = await connection.ask({ method: 'POST', headers, body, authorization: answerTo(challenged.headers['www-authenticate'] ?? '', 'both', 'pw-both', 'CORP') });
    expect(answer).toMatchObject({ status: 200, body: 'both', port: challenged.port });
    expect(await connection.ask({ method: 'POST', headers, body })).toMatchObject({ status: 200, body: 'both', port: challenged.port });
  });
});

describe('many handshakes', () => {
  it('ten thousand begun on one connection cost one', async () => {
    const served = await serve();
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1').setEncoding('latin1');
    onTestFinished(() => void socket.destroy());
    let answers = 0;
    let last = '';
    socket.on('data', (chunk: string) => {
      last = (last + chunk).slice(-4_096);
      answers += chunk.split('HTTP/1.1 401').length - 1;
    });
    // As long as a message may be: kept, ten thousand of them would be 22 MB and more.
    const negotiate = Buffer.concat([Buffer.from(NEGOTIATE.slice(5), 'base64'), Buffer.alloc(2_200)]).toString('base64');
    const begin = async (count: number): Promise<void> => {
      const wanted = answers + count;
      socket.write(`GET / HTTP/1.1\r\nHost: b\r\nAuthorization: NTLM ${negotiate}\r\n\r\n`.repeat(count));
      // An answer may come in two pieces, its status line cut: the last one is whole when its body is there.
      while (answers < wanted || !last.endsWith('sign in first')) await new Promise((resolve) => setImmediate(resolve));
      served.reasons.length = 0;
    };
    for (let round = 0; round < 10; round++) await begin(50);
    const before = heapAfterCollection();
    for (let round = 0; round < 200; round++) await begin(50);
    expect(heapAfterCollection() - before).toBeLessThan(8_000_000);
    expect(last).toMatch(/WWW-Authenticate: NTLM TlRMTVNTUAACAAAA/);
  }, 60_000);

  it('three hundred connections at once keep to their own challenges', async () => {
    const served = await serve();
    const results = await Promise.all(Array.from({ length: 300 }, async (_, index) => {
      const connection = served.connect();
      return (await (index % 2 === 0 ? connection.signIn('both', 'pw-both', 'CORP') : connection.signIn('only@corp.example', 'pw-only'))).body;
    }));
    expect(results).toEqual(Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? 'both' : 'only')));
  });

  it('requests sent ahead of the answer are nobody\'s', async () => {
    const served = await serve();
    const port = Number(new URL(served.url).port);
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk));
    const until = async (count: number): Promise<void> => {
      while (text.split('HTTP/1.1 ').length <= count) await new Promise((resolve) => setImmediate(resolve));
    };
    socket.write(`GET / HTTP/1.1\r\nHost: b\r\nAuthorization: ${NEGOTIATE}\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n`);
    await until(2);
    const answer = answerTo(`NTLM ${/NTLM (\S+)/.exec(text)?.[1] ?? ''}`, 'both', 'wrong', 'CORP');
    socket.write(`GET / HTTP/1.1\r\nHost: b\r\nAuthorization: ${answer}\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n`);
    await until(4);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(Array(4).fill('HTTP/1.1 401'));
  });
});

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}
