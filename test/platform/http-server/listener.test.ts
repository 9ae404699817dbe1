import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { Listener } from '../../../src/platform/http-server/listener.ts';
import { Authority } from '../certificates.ts';
import { ask, keepingLogger, sendRaw, serve } from './serving.ts';

const listeners: Listener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close(0);
});
async function open(...parameters: Parameters<typeof serve>): Promise<Listener> {
  const listener = await serve(...parameters);
  listeners.push(listener);
  return listener;
}

const elapsed = async (run: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await run();
  return performance.now() - started;
};

describe('a listener', () => {
  it('says where it really listens', async () => {
    const listener = await open((_request, response) => response.end('hello'));
    expect(listener.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
    expect((await ask(listener.url, '/')).body).toBe('hello');
  });

  it('says in words why a port cannot be opened', async () => {
    const listener = await open((_request, response) => response.end());
    await expect(Listener.open(new URL(listener.url), undefined, () => undefined, silentLogger)).rejects.toMatchObject({ code: 'CONFIGURATION', publicMessage: expect.stringContaining('taken') as string });
    await expect(Listener.open(new URL('http://192.0.2.1:0'), undefined, () => undefined, silentLogger)).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('takes headers of 60 KiB and refuses 65 KiB with 431, closing the connection', async () => {
    let asked = 0;
    const { logger, lines } = keepingLogger();
    const listener = await open((_request, response) => {
      asked += 1;
      response.end();
    }, logger);
    const target = (bytes: number): string => `/public/?cmd=freebusy&u=${'SMTP:canary@corp.example&u='.repeat(bytes).slice(0, bytes)}`;
    expect((await ask(listener.url, target(60 * 1024))).status).toBe(200);
    const refused = await sendRaw(listener.url, `GET ${target(65 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(refused.text).toMatch(/^HTTP\/1\.1 431 /);
    expect(refused.closed).toBe(true);
    expect(asked).toBe(1);
    expect(lines).toMatchObject([{ level: 'warn', status: 431 }]);
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('closes a refused connection even when its client keeps its own half open', async () => {
    const listener = await open((_request, response) => response.end());
    const refused = await sendRaw(listener.url, `GET /${'x'.repeat(66 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`, { keepOpen: true, patienceMs: 1_500 });
    expect(refused.text).toMatch(/^HTTP\/1\.1 431 /);
    expect(await elapsed(() => listener.close(200))).toBeLessThan(1_000);
    listeners.length = 0;
  });

  it.each([
    ['a header with a blank before its colon', 'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n'],
    ['a length and chunks at once', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nshort'],
    ['a header line that is folded into nothing', 'GET / HTTP/1.1\r\nHost: x\r\nX\r\n\r\n'],
    ['a bare line feed in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\n b: c\r\n\rx\r\n\r\n'],
    ['a method nobody knows', 'HACK / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['TLS on a plain port', Buffer.from('16030100c8010000c40303', 'hex')],
  ])('refuses %s with 400 and closes: the strict parser is on', async (_name, bytes) => {
    let asked = 0;
    const listener = await open((_request, response) => {
      asked += 1;
      response.end();
    });
    const refused = await sendRaw(listener.url, bytes);
    expect(refused.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(refused.closed).toBe(true);
    expect(asked).toBe(0);
  });

  it('survives clients that vanish', async () => {
    const listener = await open((_request, response) => setTimeout(() => response.end('late'), 30));
    for (let client = 0; client < 20; client++) {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(listener.url).port) });
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n', () => socket.resetAndDestroy());
    }
    expect((await ask(listener.url, '/')).body).toBe('late');
  });
});

describe('a reload', () => {
  it('swaps what answers; a request under way finishes with the old', async () => {
    let release = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      release = resolve;
    });
    let finish = (): void => undefined;
    const listener = await open((_request, response) => {
      finish = (): void => void response.end('old');
      release();
    });
    const under = ask(listener.url, '/');
    await arrived;
    listener.setHandler((_request, response) => response.end('new'));
    expect((await ask(listener.url, '/')).body).toBe('new');
    finish();
    expect((await under).body).toBe('old');
  });

  it('swaps the certificate for new connections', async () => {
    const authority = new Authority('Ours');
    try {
      const listener = await Listener.open(new URL('https://127.0.0.1:0'), authority.issue('/CN=first', 'IP:127.0.0.1', 5), (_request, response) => response.end(), silentLogger);
      listeners.push(listener);
      expect(listener.url).toMatch(/^https:/);
      const seen = async (): Promise<unknown> =>
        new Promise((resolve, reject) => {
          const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(listener.url).port), ca: [authority.certificate] }, () => {
            resolve(socket.getPeerCertificate().subject.CN);
            socket.destroy();
          }).once('error', reject);
        });
      expect(await seen()).toBe('first');
      listener.setCertificate(authority.issue('/CN=second', 'IP:127.0.0.1', 5));
      expect(await seen()).toBe('second');
      const plain = await sendRaw(listener.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(plain.closed).toBe(true);
    } finally {
      authority.remove();
    }
  });
});

describe('the end', () => {
  it('comes at once when nothing is under way, kept-alive connections or not', async () => {
    const listener = await serve((_request, response) => response.end());
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve) => httpRequest(`${listener.url}/`, { agent }, (response) => response.resume().once('end', resolve)).end());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await elapsed(() => listener.close(3_000))).toBeLessThan(1_500);
    agent.destroy();
  });

  it('comes at once when a client has connected and said nothing yet, as browsers and load balancers do', async () => {
    const listener = await serve((_request, response) => response.end());
    const idle = connect({ host: '127.0.0.1', port: Number(new URL(listener.url).port) });
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('connect', resolve));
    expect(await elapsed(() => listener.close(3_000))).toBeLessThan(1_500);
  });

  it('waits for a request under way, and no longer than until it is answered', async () => {
    const listener = await serve((_request, response) => setTimeout(() => response.end('answered'), 150));
    const agent = new Agent({ keepAlive: true });
    const answer = new Promise<string>((resolve) => httpRequest(`${listener.url}/`, { agent }, (response) => response.on('data', (chunk: Buffer) => resolve(chunk.toString()))).end());
    await new Promise((resolve) => setTimeout(resolve, 50));
    const took = await elapsed(() => listener.close(5_000));
    expect(await answer).toBe('answered');
    expect(took).toBeLessThan(2_500);
    agent.destroy();
  });

  it('cuts off what does not finish within the grace', async () => {
    const listener = await serve(() => undefined);
    const cut = ask(listener.url, '/').catch((error: unknown) => (error as { code: string }).code);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const took = await elapsed(() => listener.close(200));
    expect(await cut).toBe('ECONNRESET');
    expect(took).toBeGreaterThanOrEqual(150);
    expect(took).toBeLessThan(2_000);
  });

  it('takes no new connection', async () => {
    const listener = await serve((_request, response) => response.end());
    const { url } = listener;
    await listener.close(0);
    await expect(ask(url, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
