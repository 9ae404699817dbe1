import { createSocket } from 'node:dgram';
import { once, setMaxListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { SipClient } from '../../../src/protocols/sip/client.ts';
import type { SipClientOptions, SipQuestion } from '../../../src/protocols/sip/client.ts';
import { Authority } from '../../platform/certificates.ts';
import { reply, scriptedServer } from './scripted-server.ts';
import type { ScriptedServer, SeenMessage } from './scripted-server.ts';

const QUESTION: SipQuestion = { method: 'PUBLISH', uri: 'sip:anna@corp.example', headers: [{ name: 'Event', value: 'presence' }], body: Buffer.from('<presence/>') };
const PATIENT = AbortSignal.timeout(60_000);
setMaxListeners(0, PATIENT);
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function world(transport: 'udp' | 'tcp' | 'tls', answer: (request: SeenMessage, count: number) => ReturnType<Parameters<typeof scriptedServer>[1]>, options: Partial<SipClientOptions> = {}): Promise<{ readonly server: ScriptedServer; readonly client: SipClient }> {
  let count = 0;
  const server = await scriptedServer(transport, (request) => answer(request, ++count));
  const client = new SipClient({ server: server.server, timers: { t1Ms: 20, t2Ms: 80 }, ...options });
  open.push(client, server);
  return { server, client };
}

describe.each(['udp', 'tcp'] as const)('a SIP client over %s', (transport) => {
  it('sends what RFC 3261 §8.1.1 wants, and takes the answer', async () => {
    const { server, client } = await world(transport, (request) => [reply(request, '200 OK', 'SIP-ETag: x')]);
    const response = await client.request({ ...QUESTION, hasContact: true }, PATIENT);
    expect(response).toMatchObject({ status: 200, reason: 'OK' });
    const [request] = server.seen;
    expect(request!.start).toBe('PUBLISH sip:anna@corp.example SIP/2.0');
    expect(request!.header('Via')).toMatch(transport === 'udp' ? /^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK[0-9a-f]{24};rport$/ : /^SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch=z9hG4bK[0-9a-f]{24};rport$/);
    expect(request!.header('From')).toMatch(/^<sip:anna@corp\.example>;tag=[0-9a-f]{24}$/);
    expect(request!.header('To')).toBe('<sip:anna@corp.example>');
    expect(request!.header('CSeq')).toBe('1 PUBLISH');
    expect(request!.header('Max-Forwards')).toBe('70');
    expect(request!.header('Contact')).toMatch(transport === 'udp' ? /^<sip:127\.0\.0\.1:\d+>$/ : /^<sip:127\.0\.0\.1:\d+;transport=tcp>$/);
    expect(request!.header('Content-Length')).toBe('11');
    expect(request!.body).toBe('<presence/>');
  });

  it('passes over provisional answers, and over answers that are not for it', async () => {
    const { client } = await world(transport, (request) => [
      reply(request, '100 Trying'),
      reply(request, '200 Another branch').replace(/branch=z9hG4bK/, 'branch=z9hG4bKx'),
      reply(request, '200 Another method').replace('1 PUBLISH', '1 OPTIONS'),
      reply(request, '200 No branch').replace(/;branch=\w+/, ''),
      reply(request, '404 Not Found'),
    ]);
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 404 });
  });

  it('has many requests under way at the same time, answered in any order', async () => {
    const held: SeenMessage[] = [];
    const { client } = await world(transport, (request) => {
      held.push(request);
      return held.length < 20 ? [] : held.reverse().map((one) => reply(one, '200 OK', `X-Uri: ${one.start}`));
    }, { timers: { t1Ms: 5_000, t2Ms: 5_000 } });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => client.request({ ...QUESTION, uri: `sip:p${index}@corp.example` }, PATIENT)));
    expect(answers.map((one) => one.headers.find(({ name }) => name === 'x-uri')!.value)).toEqual(answers.map((_, index) => `PUBLISH sip:p${index}@corp.example SIP/2.0`));
  });

  it('signs in when it is asked to (401), with the next CSeq, and without being asked from then on', async () => {
    const { server, client } = await world(transport, (request) => [request.header('Authorization') === undefined ? reply(request, '401 Unauthorized', 'WWW-Authenticate: Digest realm="corp", nonce="n1", qop="auth"') : reply(request, '200 OK')], { username: 'bridge', password: 'secret' });
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
    expect(server.seen.map((one) => one.header('CSeq'))).toEqual(['1 PUBLISH', '2 PUBLISH', '1 PUBLISH']);
    expect(server.seen[0]!.header('Call-ID')).toBe(server.seen[1]!.header('Call-ID'));
    expect(server.seen[0]!.header('Via')).not.toBe(server.seen[1]!.header('Via'));
    expect(server.seen[2]!.header('Authorization')).toMatch(/^Digest username="bridge", realm="corp", nonce="n1", uri="sip:anna@corp\.example", .*nc=00000002$/);
    expect(client.wasChallenged).toBe(true);
    expect(server.seen.map((one) => one.text).join()).not.toContain('secret');
  });

  it('signs in at a proxy and at the server behind it', async () => {
    const { client } = await world(
      transport,
      (request) => {
        if (request.header('Proxy-Authorization') === undefined) return [reply(request, '407 Proxy Authentication Required', 'Proxy-Authenticate: Digest realm="p", nonce="a"')];
        if (request.header('Authorization') === undefined) return [reply(request, '401 Unauthorized', 'WWW-Authenticate: Digest realm="s", nonce="b", algorithm=SHA-256')];
        return [reply(request, '200 OK')];
      },
      { username: 'bridge', password: 'secret' },
    );
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
  });

  it('takes a stale nonce for what it is, and refused credentials for what they are; a server that says stale for ever is not asked for ever', async () => {
    const challenge = (request: SeenMessage, count: number, more: string): readonly string[] => [reply(request, '401 Unauthorized', `WWW-Authenticate: Digest realm="corp", nonce="n${count}"${more}`)];
    const stale = await world(transport, (request, count) => (count < 3 ? challenge(request, count, ', stale=true') : [reply(request, '200 OK')]), { username: 'bridge', password: 'secret' });
    expect(await stale.client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
    const refused = await world(transport, (request, count) => challenge(request, count, ''), { username: 'bridge', password: 'secret' });
    await expect(refused.client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false });
    expect(refused.server.seen).toHaveLength(2);
    const endless = await world(transport, (request, count) => challenge(request, count, ', stale=true'), { username: 'bridge', password: 'secret' });
    await expect(endless.client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: true });
    const nobody = await world(transport, (request, count) => challenge(request, count, ''));
    await expect(nobody.client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: false });
  });

  it('ends when its signal fires, and before it is sent where it has fired', async () => {
    const { server, client } = await world(transport, () => []);
    const abort = new AbortController();
    const request = client.request(QUESTION, abort.signal);
    await server.sees((one) => one.start.startsWith('PUBLISH'));
    abort.abort();
    await expect(request).rejects.toMatchObject({ code: 'DEADLINE', temporary: true });
    await expect(client.request(QUESTION, abort.signal)).rejects.toMatchObject({ code: 'DEADLINE' });
    client.close();
    await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: expect.stringMatching(/DEADLINE|UNREACHABLE/) as string });
  });

  it('answers what the server asks: OPTIONS 200, a NOTIFY of nobody 481, others 405, an ACK nothing', async () => {
    const { server, client } = await world(transport, (request) => [reply(request, '200 OK')]);
    await client.request(QUESTION, PATIENT);
    const ask = (method: string, ...more: readonly string[]): void =>
      server.send([`${method} sip:bridge@127.0.0.1 SIP/2.0`, 'Via: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKs1, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKs2', 'v: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKs3', 'From: <sip:server@corp.example>;tag=s', 'To: <sip:bridge@corp.example>', 'Call-ID: c', `CSeq: 7 ${method}`, ...more, 'Content-Length: 0', '', ''].join('\r\n'));
    const answered = (method: string): Promise<SeenMessage> => server.sees((one) => one.header('CSeq') === `7 ${method}` && one.start.startsWith('SIP/2.0'));
    ask('ACK');
    ask('OPTIONS');
    const options = await answered('OPTIONS');
    expect(options.start).toBe('SIP/2.0 200 OK');
    expect(options.header('Allow')).toBe('OPTIONS, NOTIFY');
    expect(options.text.split('\r\n').filter((line) => line.startsWith('Via'))).toEqual([
      `Via: SIP/2.0/UDP 192.0.2.1;rport=${server.server.port};received=127.0.0.1;branch=z9hG4bKs1, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKs2`,
      'Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKs3',
    ]);
    expect(options.header('To')).toMatch(/^<sip:bridge@corp\.example>;tag=[0-9a-f]{16}$/);
    ask('NOTIFY', 'Event: presence', 'Subscription-State: active');
    expect((await answered('NOTIFY')).start).toBe('SIP/2.0 481 Subscription does not exist');
    ask('MESSAGE');
    const message = await answered('MESSAGE');
    expect([message.start, message.header('Allow')]).toEqual(['SIP/2.0 405 Method Not Allowed', 'OPTIONS, NOTIFY']);
    ask('INFO', 'Require: gruu');
    const info = await answered('INFO');
    expect([info.start, info.header('Unsupported')]).toEqual(['SIP/2.0 420 Bad Extension', 'gruu']);
    expect(server.seen.some((one) => one.text.includes('7 ACK'))).toBe(false);
  });
});

describe('over UDP', () => {
  it('a request is sent again, the very same, until it is answered; an answer that comes twice does no harm', async () => {
    const { server, client } = await world('udp', (request, count) => (count < 4 ? [] : [reply(request, '200 OK'), reply(request, '200 OK')]));
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
    expect(server.seen.length).toBeGreaterThanOrEqual(4);
    expect(new Set(server.seen.map((one) => one.text)).size).toBe(1);
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
  });

  it('nobody answers: timer F ends it', async () => {
    const { server, client } = await world('udp', (request) => [reply(request, '100 Trying')], { timers: { t1Ms: 2, t2Ms: 20 } });
    await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true, details: { reason: 'ETIMEDOUT' } });
    expect(server.seen.length).toBeGreaterThan(1);
  });

  it('nobody listens: that is heard at once', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(resolve));
    const client = new SipClient({ server: { host: '127.0.0.1', port, transport: 'udp' } });
    open.push(client);
    await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true, details: { reason: 'ECONNREFUSED' } });
  });

  it('garbage is passed over', async () => {
    const { client } = await world('udp', (request) => ['', '\r\n\r\n', 'x'.repeat(60_000), Buffer.alloc(1_000, 0xff), reply(request, '200 OK').slice(0, 40), reply(request, '200 OK').replace('Content-Length: 0', 'Content-Length: 9'), reply(request, '202 Right')]);
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 202 });
  });
});

describe('over a stream', () => {
  it('a request is sent once, and its answer may come in pieces', async () => {
    const { server, client } = await world('tcp', (request) => [...reply(request, '200 OK')].map((character) => character), { timers: { t1Ms: 5, t2Ms: 5 } });
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
    expect(server.seen).toHaveLength(1);
  });

  it('a connection that ends fails who waits, and the next request opens another', async () => {
    let isDeaf = true;
    const { server, client } = await world('tcp', (request) => (isDeaf ? [] : [reply(request, '200 OK')]));
    const requests = Promise.allSettled([client.request(QUESTION, PATIENT), client.request(QUESTION, PATIENT)]);
    await server.sees((one) => one.start.startsWith('PUBLISH'), 2);
    server.hangUp();
    for (const one of await requests) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'BACKEND_UNREACHABLE', temporary: true } });
    isDeaf = false;
    expect(await client.request(QUESTION, PATIENT)).toMatchObject({ status: 200 });
  });

  it('garbage ends it', async () => {
    const { client } = await world('tcp', () => ['HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n']);
    await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', details: { reason: 'ERR_NO_SIP' } });
  });

  it('a peer that says nothing three times in a row is dialled anew', async () => {
    const { server, client } = await world('tcp', () => [], { timers: { t1Ms: 1, t2Ms: 1 } });
    const ports = async (): Promise<string> => {
      await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
      return /:(\d+);/.exec(server.seen.at(-1)!.header('Via')!)![1]!;
    };
    const used = [await ports(), await ports(), await ports(), await ports()];
    expect(new Set(used.slice(0, 3)).size).toBe(1);
    expect(used[3]).not.toBe(used[0]);
  });

  it('TLS is verified: chain and name', async () => {
    const authority = new Authority('SIP test');
    open.push({ close: () => authority.remove() });
    const [right, wrongName] = [authority.issue('/CN=im', 'IP:127.0.0.1', 10), authority.issue('/CN=im', 'DNS:im.corp.example', 10)];
    const speak = async (pem: typeof right, ca: readonly string[] | undefined): Promise<unknown> => {
      const server = await scriptedServer('tls', (request) => [reply(request, '200 OK')], pem);
      const client = new SipClient({ server: server.server, ca });
      open.push(client, server);
      return client.request(QUESTION, PATIENT).then(
        (response) => [response.status, /^SIP\/2\.0\/TLS /.test(server.seen[0]!.header('Via')!)],
        (error: { readonly code: string; readonly temporary: boolean }) => [error.code, error.temporary],
      );
    };
    expect(await speak(right, [authority.certificate])).toEqual([200, true]);
    expect(await speak(right, undefined)).toEqual(['BACKEND_TLS', false]);
    expect(await speak(wrongName, [authority.certificate])).toEqual(['BACKEND_TLS', false]);
  });

  it('no such name: that is said', async () => {
    const client = new SipClient({ server: { host: 'nowhere.invalid', port: 5060, transport: 'tcp' } });
    open.push(client);
    await expect(client.request(QUESTION, PATIENT)).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE', temporary: true });
  });
});
