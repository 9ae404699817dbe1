import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import { HttpClient } from '../../../../src/platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../../../src/platform/http-client/http-client.ts';
import { openStream } from '../../../../src/platform/http-client/open-stream.ts';
import { RequestBudget } from '../../../../src/platform/http-client/request-budget.ts';
import { get, Opened } from '../servers.ts';
import { CHALLENGE, NtlmScript, PASSWORD } from './ntlm-server.ts';

const opened = new Opened();
let script = new NtlmScript();
let url = new URL('http://127.0.0.1');

beforeEach(async () => {
  script = new NtlmScript();
  url = await opened.http(script.listener);
});
afterEach(() => opened.close());

const authentication = (password = PASSWORD, username = 'CORP\\bridge'): HttpClientOptions['authentication'] => ({ kind: 'ntlm', username, password });

function newClient(password?: string, more: HttpClientOptions = {}): HttpClient {
  const client = new HttpClient({ authentication: authentication(password), ...more });
  opened.add(() => client.close());
  return client;
}

const post = (more: Parameters<typeof get>[1] = {}): ReturnType<typeof get> => get(url, { method: 'POST', body: 'question', ...more });

describe('a sign-in', () => {
  it('sends the body with the last message only, and none of it afterwards', async () => {
    const client = newClient();
    for (const method of ['POST', 'PROPFIND', 'SEARCH'] as const) await client.request(post({ method }));
    expect(script.came.map(({ connection, step, method, body }) => [connection, step, method, body])).toEqual([
      [1, 'negotiate', 'POST', ''],
      [1, 'right', 'POST', 'question'],
      [1, 'nothing', 'PROPFIND', 'question'],
      [1, 'nothing', 'SEARCH', 'question'],
    ]);
    expect(script.came[0]!.length).toBe('0');
  });

  it('is made again, once, where the server has forgotten it; the request comes once', async () => {
    const client = newClient();
    await client.request(post());
    script.forget();
    expect((await client.request(post({ once: true }))).body.toString()).toBe('there');
    expect(script.steps).toEqual(['1 negotiate', '1 right', '1 nothing', '1 negotiate', '1 right']);
  });

  it('is made on a new connection where the server has ended the old one', async () => {
    const client = newClient();
    await client.request(post());
    script.cut();
    expect((await client.request(post())).status).toBe(200);
    expect(script.steps.slice(2)).toEqual(['2 negotiate', '2 right']);
  });

  it('is made anew for every request where the server says that it does not last', async () => {
    script.answer = (response) => void response.writeHead(200, { 'Persistent-Auth': 'false' }).end();
    const client = newClient();
    await client.request(post());
    await client.request(post());
    expect(script.steps).toEqual(['1 negotiate', '1 right', '1 negotiate', '1 right']);
  });

  it('with HEAD begins by GET: after HEAD the connection would end', async () => {
    expect((await newClient().request(get(url, { method: 'HEAD' }))).status).toBe(200);
    expect(script.came.map(({ method, step }) => `${method} ${step}`)).toEqual(['GET negotiate', 'HEAD right']);
  });

  it('that is refused is tried once, on one connection, and the connection is not used again', async () => {
    const client = newClient('wrong');
    const budget = new RequestBudget();
    for (let nth = 1; nth <= LIMITS.refusedRequestsPerLookup; nth++) {
      const answer = await client.request(post({ budget }));
      expect(answer.status).toBe(401);
      expect(answer.refusal).toMatchObject({ code: 'BACKEND_AUTH', temporary: false, details: { status: 401, offers: 'Negotiate, NTLM', hint: expect.stringContaining('wrong user name or password') as unknown } });
      expect(script.steps.slice(-2)).toEqual([`${nth} negotiate`, `${nth} wrong`]);
    }
    // Refused sign-ins use up the budget.
    await expect(client.request(post({ budget }))).rejects.toMatchObject({ code: 'BACKEND_BUSY' });
    expect(script.connections).toBe(LIMITS.refusedRequestsPerLookup);
  });

  it('with success uses up nothing of the budget', async () => {
    const client = newClient();
    const budget = new RequestBudget();
    for (let nth = 0; nth < 20; nth++) {
      script.forget();
      expect((await client.request(post({ budget }))).status).toBe(200);
    }
  });

  it('of many requests at once: one password at a time until it has been right once', async () => {
    const wrong = newClient('wrong');
    await Promise.all(Array.from({ length: 8 }, () => wrong.request(post())));
    expect(script.steps).toEqual(Array.from({ length: 8 }, (_, nth) => [`${nth + 1} negotiate`, `${nth + 1} wrong`]).flat());
    const right = newClient();
    const answers = await Promise.all(Array.from({ length: 100 }, () => right.request(post())));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const connections = new Set(script.came.filter(({ step }) => step === 'right').map(({ connection }) => connection));
    expect(connections.size).toBeGreaterThan(1);
    expect(connections.size).toBeLessThanOrEqual(LIMITS.connectionsPerBackend);
    expect(script.came.filter(({ step }) => step === 'right').length).toBe(connections.size);
  });

  it('is not asked for: the request is sent as it was meant', async () => {
    const client = newClient();
    let seen = '';
    const open = await opened.http((request, response) => {
      seen += ` ${request.headers.authorization === undefined ? 'plain' : 'ntlm'}:${request.headers['content-length'] ?? '-'}`;
      response.end('open');
    });
    expect((await client.request(get(open, { method: 'POST', body: 'question' }))).body.toString()).toBe('open');
    expect((await client.request(get(open, { method: 'POST', body: 'question' }))).body.toString()).toBe('open');
    expect(seen).toBe(' ntlm:0 plain:8 plain:8');
  });

  it('a server that is busy is not asked to sign in', async () => {
    script.challenge = (response) => void response.writeHead(503, { 'Retry-After': '7' }).end();
    expect(await newClient().request(post())).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
    expect(script.steps).toEqual(['1 negotiate']);
  });
});

describe('a sign-in that does not come about', () => {
  const failing: readonly [string, (response: ServerResponse) => void, string, string?][] = [
    ['no NTLM, but Negotiate', (r) => void r.writeHead(401, { 'WWW-Authenticate': 'Negotiate' }).end(), 'does not offer NTLM: add NTLM', 'Negotiate'],
    ['no NTLM, but Basic', (r) => void r.writeHead(401, { 'WWW-Authenticate': 'Basic realm="NTLM TlRM"' }).end(), 'does not offer NTLM: switch', 'Basic'],
    ['nothing at all', (r) => void r.writeHead(401).end(), 'does not offer NTLM', 'nothing'],
    ['NTLM without a challenge', (r) => void r.writeHead(401, { 'WWW-Authenticate': ['Negotiate', 'NTLM'] }).end(), 'offers NTLM and begins none'],
    ['a challenge that is no Base64', (r) => void r.writeHead(401, { 'WWW-Authenticate': 'NTLM TlR-.~_M' }).end(), 'cannot be read'],
    ['half a challenge', (r) => void r.writeHead(401, { 'WWW-Authenticate': `NTLM ${CHALLENGE.slice(0, 40)}` }).end(), 'cannot be read'],
    ['another message', (r) => void r.writeHead(401, { 'WWW-Authenticate': 'NTLM TlRMTVNTUAADAAAA' }).end(), 'cannot be read'],
    ['a challenge of 10 KB', (r) => void r.writeHead(401, { 'WWW-Authenticate': `NTLM ${Buffer.concat([Buffer.from(CHALLENGE, 'base64'), Buffer.alloc(8_000)]).toString('base64')}` }).end(), 'cannot be read'],
    ['a connection that is to be closed', (r) => void r.writeHead(401, { 'WWW-Authenticate': `NTLM ${CHALLENGE}`, Connection: 'close' }).end('x'), 'closes the connection within the NTLM handshake'],
    [
      'a connection that is closed without a word',
      (r) => {
        const socket = r.socket!;
        r.writeHead(401, { 'WWW-Authenticate': `NTLM ${CHALLENGE}`, 'Content-Length': '1' }).end('x', () => socket.end());
      },
      'closes the connection within the NTLM handshake',
    ],
    ['a refusal of 1 MB', (r) => void r.writeHead(401, { 'WWW-Authenticate': `NTLM ${CHALLENGE}` }).end(Buffer.alloc(1 << 20)), 'closes the connection within the NTLM handshake'],
  ];

  it.each(failing)('%s', async (_what, challenge, hint, offers) => {
    script.challenge = challenge;
    const client = newClient();
    await expect(client.request(post())).rejects.toMatchObject({ code: 'BACKEND_AUTH', details: { hint: expect.stringContaining(hint) as unknown, ...(offers === undefined ? {} : { offers }) } });
    expect(script.came[0]).toMatchObject({ step: 'negotiate', body: '' });
    expect(script.connections).toBe(1);
    // Nothing is left behind, and the next request begins anew.
    script.challenge = new NtlmScript().challenge;
    expect((await client.request(post())).status).toBe(200);
  });

  it('several headers in one line, and other letters', async () => {
    script.challenge = (response) => void response.writeHead(401, { 'www-authenticate': `Negotiate, nTlM ${CHALLENGE}, Basic realm="a, NTLM b"` }).end();
    expect((await newClient().request(post())).status).toBe(200);
  });

  it('HTTP/1.0, which ends every connection', async () => {
    const old = await opened.raw((socket) => void socket.once('data', () => socket.end(`HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: NTLM ${CHALLENGE}\r\nContent-Length: 2\r\n\r\nno`)));
    await expect(newClient().request(get(old))).rejects.toMatchObject({ code: 'BACKEND_AUTH', temporary: true, details: { hint: expect.stringContaining('closes the connection') as unknown } });
  });

  it('nobody there', async () => {
    await expect(newClient().request(get(new URL('http://127.0.0.1:1/')))).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });
});

describe('connections', () => {
  it('of two accounts are never the same', async () => {
    const [one, other] = [newClient(), newClient('wrong')];
    expect((await one.request(post())).status).toBe(200);
    expect((await other.request(post())).status).toBe(401);
    expect((await one.request(post())).status).toBe(200);
    expect(script.steps).toEqual(['1 negotiate', '1 right', '2 negotiate', '2 wrong', '1 nothing']);
  });

  it('end with the signal, in every step, and leave nothing behind', async () => {
    const { challenge, answer } = script;
    for (const step of ['challenge', 'answer'] as const) {
      const client = newClient();
      const controller = new AbortController();
      script[step] = () => controller.abort();
      await expect(client.request(post({ signal: controller.signal }))).rejects.toMatchObject({ code: 'DEADLINE' });
      Object.assign(script, { challenge, answer });
      expect((await client.request(post())).status).toBe(200);
    }
    await expect.poll(() => script.open).toBe(2);
  });

  it('those that wait for one give up with their signal', async () => {
    const client = newClient();
    let held: ServerResponse | undefined;
    script.challenge = (response) => void (held = response);
    const first = client.request(post());
    await expect.poll(() => held).toBeDefined();
    const controller = new AbortController();
    const second = client.request(post({ signal: controller.signal }));
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'DEADLINE' });
    new NtlmScript().challenge(held!);
    expect((await first).status).toBe(200);
  });

  it('retire with their requests: what is under way ends, what comes is new', async () => {
    const client = newClient();
    await client.request(post());
    let held: ServerResponse | undefined;
    script.answer = (response) => void (held = response);
    const under = client.request(post());
    await expect.poll(() => held).toBeDefined();
    client.retire();
    script.answer = new NtlmScript().answer;
    expect((await client.request(post())).body.toString()).toBe('there');
    held!.end('late');
    expect((await under).body.toString()).toBe('late');
    await expect.poll(() => script.open).toBe(1);
    expect(script.steps.slice(-2)).toEqual(['2 negotiate', '2 right']);
  });

  it('all end with close', async () => {
    const client = newClient();
    await client.request(post());
    let held: ServerResponse | undefined;
    script.answer = (response) => void (held = response);
    const under = client.request(post()).catch((error: unknown) => error);
    await expect.poll(() => held).toBeDefined();
    await client.close();
    expect(await under).toMatchObject({ code: expect.stringMatching(/^BACKEND_/) as unknown });
    await expect.poll(() => script.open).toBe(0);
    await expect(client.request(post())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });

  it('an answer that is too large ends its connection, not the others', async () => {
    const client = newClient();
    await client.request(post());
    script.answer = (response) => void response.writeHead(200, { 'Content-Length': String(LIMITS.responseBodyBytes + 1) }).write('x');
    await expect(client.request(post())).rejects.toMatchObject({ code: 'BACKEND_TOO_LARGE' });
    script.answer = new NtlmScript().answer;
    expect((await client.request(post())).status).toBe(200);
  });
});

describe('redirects', () => {
  it('on the same server are followed on the connection; elsewhere nothing is said of who asks', async () => {
    const elsewhere = new NtlmScript();
    const other = await opened.http(elsewhere.listener);
    script.answer = (response) => void response.writeHead(302, { Location: other.href }).end();
    await expect(newClient().request(post())).rejects.toMatchObject({ code: 'BACKEND_REDIRECT' });
    expect(elsewhere.came).toEqual([]);
    const client = newClient(PASSWORD, { redirectHosts: [other.host] });
    expect((await client.request(post())).url.host).toBe(other.host);
    expect(elsewhere.steps).toEqual(['1 negotiate', '1 right']);
  });

  it('that come in place of the challenge are followed as well', async () => {
    let redirected = 0;
    const { challenge } = script;
    script.challenge = (response) => (redirected++ === 0 ? void response.writeHead(307, { Location: '/there' }).end() : challenge(response));
    expect((await newClient().request(post())).body.toString()).toBe('there');
  });
});

describe('a stream', () => {
  it('signs in on its own connection, and is read as it comes', async () => {
    script.answer = (response) => void response.write('first');
    const stream = await openStream({ authentication: authentication() }, { url, headers: {}, body: 'question', silenceMs: 5_000, signal: new AbortController().signal });
    for await (const chunk of stream.chunks) {
      expect(chunk.toString()).toBe('first');
      break;
    }
    expect(script.steps).toEqual(['1 negotiate', '1 right']);
    await stream.close();
    await expect.poll(() => script.open).toBe(0);
  });

  it('says why it is refused', async () => {
    const stream = await openStream({ authentication: authentication('wrong') }, { url, headers: {}, body: 'question', silenceMs: 5_000, signal: new AbortController().signal });
    expect([stream.status, stream.refusal?.code]).toEqual([401, 'BACKEND_AUTH']);
    await stream.close();
  });
});

