import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../../src/platform/http-client/http-client.ts';
import { basicAuthentication, zimbraHopCount } from '../../../src/platform/http-client/interceptors.ts';
import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import { bodyOf, get, Opened, perRequest } from './servers.ts';

const opened = new Opened();
afterEach(() => opened.close());

function newClient(options: HttpClientOptions = {}): HttpClient {
  const client = new HttpClient(options);
  opened.add(() => client.close());
  return client;
}

describe('what is sent', () => {
  it('has a length and is never chunked', async () => {
    const seen: unknown[] = [];
    const url = await opened.http(async (request, response) => {
      seen.push([request.method, request.headers['content-length'], request.headers['transfer-encoding'], await bodyOf(request), request.url]);
      response.end();
    });
    const client = newClient();
    await client.request(get(url, { method: 'POST', body: '<ü/>' }));
    await client.request(get(url, { method: 'POST', body: '' }));
    await client.request(get(url, { method: 'PROPFIND', body: 'x'.repeat(100_000) }));
    await client.request(get(url, { method: 'SEARCH', body: 'y' }));
    await client.request(get(url));
    expect(seen).toEqual([
      ['POST', '5', undefined, '<ü/>', '/start?secret=canary'],
      ['POST', '0', undefined, '', '/start?secret=canary'],
      ['PROPFIND', '100000', undefined, 'x'.repeat(100_000), '/start?secret=canary'],
      ['SEARCH', '1', undefined, 'y', '/start?secret=canary'],
      ['GET', undefined, undefined, '', '/start?secret=canary'],
    ]);
  });

  it('carries the credentials in UTF-8 without waiting for a challenge', async () => {
    let authorization: string | undefined;
    const url = await opened.http((request, response) => {
      authorization = request.headers.authorization;
      response.end();
    });
    await newClient({ interceptors: [basicAuthentication('CORP\\brücke', 'pä:ß')] }).request(get(url));
    // printf 'CORP\\brücke:pä:ß' | base64
    expect(authorization).toBe('Basic Q09SUFxicsO8Y2tlOnDDpDrDnw==');
  });

  it('counts hops: one more than the question has passed; a Zimbra is told in its own words too; nothing where nobody counts', async () => {
    const seen: unknown[] = [];
    const url = await opened.http((request, response) => {
      seen.push([request.headers['x-freebusy-bridge-hops'], request.headers['x-zimbra-freebusy-hopcount']]);
      response.end();
    });
    await newClient().request(get(url, { hops: 0 }));
    await newClient({ interceptors: [zimbraHopCount()] }).request(get(url, { hops: 2 }));
    await newClient({ interceptors: [zimbraHopCount()] }).request(get(url));
    expect(seen).toEqual([['1', undefined], ['3', '3'], [undefined, undefined]]);
  });

  it('interceptors are added in order, the last one nearest to the wire', async () => {
    let name: string | undefined;
    const url = await opened.http((request, response) => {
      name = Buffer.from(String(request.headers.authorization).slice(6), 'base64').toString();
      response.end();
    });
    await newClient({ interceptors: [basicAuthentication('first', ''), basicAuthentication('last', '')] }).request(get(url));
    expect(name).toBe('last:');
  });
});

describe('redirects', () => {
  /** Redirects `count` times, then answers; remembers what came. */
  async function circling(count: number, status = 302): Promise<{ readonly url: URL; readonly seen: string[] }> {
    const seen: string[] = [];
    const url = await opened.http(async (request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''} ${await bodyOf(request)}`);
      if (seen.length <= count) response.writeHead(status, { Location: `/step${seen.length}` }).end();
      else response.end('there');
    });
    return { url, seen };
  }

  it('to the same host are followed five times, method, body and credentials unchanged', async () => {
    const { url, seen } = await circling(5);
    const answer = await newClient({ interceptors: [basicAuthentication('u', 'p')] }).request(get(url, { method: 'POST', body: 'b' }));
    expect([answer.body.toString(), answer.url.pathname]).toEqual(['there', '/step5']);
    expect(seen[5]).toBe('POST /step5 Basic dTpw b');
  });

  it('are not followed a sixth time', async () => {
    const { url, seen } = await circling(99);
    await expect(newClient().request(get(url))).rejects.toMatchObject({ code: 'BACKEND_REDIRECT', publicMessage: expect.stringContaining('circles') as string });
    expect(seen).toHaveLength(6);
  });

  it('count for the whole lookup, not for one request', async () => {
    const { url, seen } = await circling(99);
    const budget = new RequestBudget();
    const client = newClient();
    for (let request = 0; request < 5; request++) await client.request(get(url, { budget })).catch(() => undefined);
    expect(seen.length).toBeLessThanOrEqual(10);
  });

  it.each([301, 302, 303, 307, 308])('%i is one', async (status) => {
    const { url, seen } = await circling(1, status);
    expect((await newClient().request(get(url, { method: 'POST', body: 'b' }))).body.toString()).toBe('there');
    expect(seen[1]).toMatch(/^POST .*b$/);
  });

  it('on demand are an answer like another', async () => {
    const { url } = await circling(1);
    expect(await newClient().request(get(url, { redirect: 'manual' }))).toMatchObject({ status: 302, headers: { location: '/step1' } });
  });

  async function leadingTo(location: string, options: HttpClientOptions = {}): Promise<unknown> {
    const url = await opened.http((request, response) => {
      if (request.url?.startsWith('/start') === true) response.writeHead(302, { Location: location }).end();
      else response.end('there');
    });
    return newClient(options).request(get(url)).then((answer) => answer.body.toString(), (error: unknown) => error);
  }

  it('to another host, port or scheme are an error that names the target, without path and query', async () => {
    let reached = 0;
    const other = await opened.http((_request, response) => {
      reached += 1;
      response.end();
    });
    const targets = [`http://127.0.0.1:${other.port}/x?session=canary`, `http://localhost:${other.port}/`, `http://user:canary@127.0.0.1:${other.port}/canary`, `//127.0.0.1:${other.port}/`];
    for (const target of targets) {
      const error = (await leadingTo(target)) as { code: string; details: { target: string } };
      expect(error.code).toBe('BACKEND_REDIRECT');
      expect(error.details.target).toMatch(new RegExp(`^http://(127\\.0\\.0\\.1|localhost):${other.port}$`));
    }
    for (const target of ['https://127.0.0.1/', 'file:///etc/passwd', 'javascript:alert(1)', 'http://', 'http://[', 'gopher://x/']) expect(await leadingTo(target)).toMatchObject({ code: 'BACKEND_REDIRECT' });
    expect(reached).toBe(0);
  });

  it('to a listed host are followed, with its port or without', async () => {
    const other = await opened.http((_request, response) => response.end('other'));
    for (const host of [`127.0.0.1:${other.port}`, `LOCALHOST:${other.port}`]) {
      expect(await leadingTo(`http://${host.toLowerCase()}/x`, { redirectHosts: [host] })).toBe('other');
    }
    expect(await leadingTo(`http://127.0.0.1:${other.port}/x`, { redirectHosts: ['127.0.0.1'] })).toBe('other');
    expect(await leadingTo(`http://127.0.0.1:${other.port}/x`, { redirectHosts: ['127.0.0.1:1'] })).toMatchObject({ code: 'BACKEND_REDIRECT' });
    expect(await leadingTo(`http://127.0.0.1:${other.port}/x`, { redirectHosts: [`x127.0.0.1:${other.port}`, '', ':', '*'] })).toMatchObject({ code: 'BACKEND_REDIRECT' });
  });

  it('to a host that is listed with the very port its scheme has anyway are followed', async () => {
    // Nothing need listen there: it is enough that the way is not refused.
    expect(await leadingTo('https://127.0.0.1/', { redirectHosts: ['127.0.0.1:443'] })).not.toMatchObject({ code: 'BACKEND_REDIRECT' });
  });

  it('from a listed host back to the configured one are followed', async () => {
    const home: { port?: string } = {};
    const other = await opened.http((_request, response) => response.writeHead(302, { Location: `http://127.0.0.1:${home.port}/back` }).end());
    const url = await opened.http((request, response) => {
      if (request.url === '/back') response.end('home');
      else response.writeHead(302, { Location: other.href }).end();
    });
    home.port = url.port;
    expect((await newClient({ redirectHosts: [other.host] }).request(get(url))).body.toString()).toBe('home');
  });

  it('without a target, or with an empty one at another status, are answers', async () => {
    const url = await opened.http((request, response) => response.writeHead(request.url === '/304' ? 304 : 302).end());
    expect((await newClient().request(get(url))).status).toBe(302);
    expect((await newClient().request(get(new URL('/304', url)))).status).toBe(304);
  });
});

describe('a back end that refuses', () => {
  it.each([401, 440, 503, 429])('gets nine requests within one lookup, four at a time; the tenth of the contract may have been a good sign-in (%i)', async (status) => {
    let asked = 0;
    const url = await opened.http((_request, response) => {
      asked += 1;
      setTimeout(() => response.writeHead(status).end(), 1 + (asked % 3));
    });
    const client = newClient();
    const budget = new RequestBudget();
    const outcomes: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let request = 0; request < 10; request++) outcomes.push(await client.request(get(url, { budget })).then((answer) => answer.status, (error: unknown) => (error as { code: string }).code));
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    expect(asked).toBe(9);
    expect(outcomes.filter((one) => one === 'BACKEND_BUSY')).toHaveLength(31);
  });

  it('gets at most ten when refusals and redirects mix', async () => {
    let asked = 0;
    const url = await opened.http((_request, response) => {
      asked += 1;
      if (asked % 2 === 0) response.writeHead(503).end();
      else response.writeHead(302, { Location: '/again' }).end();
    });
    const client = newClient();
    const budget = new RequestBudget();
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (let request = 0; request < 10; request++) await client.request(get(url, { budget })).catch(() => undefined);
    }));
    expect(asked).toBeLessThanOrEqual(10);
  });

  it('one that answers is asked as often as there are parts', async () => {
    let asked = 0;
    const url = await opened.http((_request, response) => {
      asked += 1;
      response.end();
    });
    const client = newClient();
    const budget = new RequestBudget();
    for (let request = 0; request < 30; request++) await client.request(get(url, { budget }));
    expect(asked).toBe(30);
  });

  it('a new lookup begins anew', async () => {
    const url = await opened.http((_request, response) => response.writeHead(503).end());
    const client = newClient();
    for (let request = 0; request < 15; request++) expect((await client.request(get(url))).status).toBe(503);
  });
});

describe('a kept-alive connection', () => {
  const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok';

  /** A connection answers its first request and dies in the given manner under its second; from `deadFrom` on it dies under its first. */
  async function dying(how: 'end' | 'reset', deadFrom = Infinity): Promise<{ readonly url: URL; readonly requests: () => number; readonly connections: () => number }> {
    let requests = 0;
    let connections = 0;
    const url = await opened.raw((socket, connection) => {
      connections = connection;
      perRequest(socket, (_head, count) => {
        requests += 1;
        if (count === 1 && connection < deadFrom) socket.write(ANSWER);
        else if (how === 'end') socket.end();
        else socket.resetAndDestroy();
      });
    });
    return { url, requests: () => requests, connections: () => connections };
  }

  it.each(['end', 'reset'] as const)('that dies under a request before anything came is replaced (%s)', async (how) => {
    const { url, requests, connections } = await dying(how);
    const client = newClient();
    const outcomes: string[] = [];
    for (let request = 0; request < 4; request++) {
      outcomes.push(await client.request(get(url, { method: request % 2 === 0 ? 'GET' : 'POST' })).then((answer) => answer.body.toString(), (error: unknown) => String(error)));
      await settled();
    }
    expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok']);
    // The test is none unless a dead connection was really met.
    expect(requests()).toBeGreaterThan(4);
    expect(connections()).toBeGreaterThan(1);
  });

  it.each(['end', 'reset'] as const)('is replaced once: the second death is the answer (%s)', async (how) => {
    const { url, requests } = await dying(how, 2);
    const client = newClient();
    await client.request(get(url));
    await settled();
    await expect(client.request(get(url))).rejects.toMatchObject({ code: expect.stringMatching(/^BACKEND_(?:UNREACHABLE|MALFORMED)$/) as string });
    expect(requests()).toBe(3);
  });

  /** undici gives a connection back a moment after its answer. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  it('serves the next request', async () => {
    let connections = 0;
    const url = await opened.raw((socket, connection) => {
      connections = connection;
      perRequest(socket, () => socket.write(ANSWER));
    });
    const client = newClient();
    for (let request = 0; request < 5; request++) {
      await client.request(get(url));
      await settled();
    }
    expect(connections).toBe(1);
    client.retire();
    await client.request(get(url));
    expect(connections).toBe(2);
  });

  it('a second answer that nobody asked for is never taken for the next one', async () => {
    const url = await opened.raw((socket) => perRequest(socket, (_head, count) => socket.write(count === 1 ? `${ANSWER}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG` : ANSWER)));
    const client = newClient();
    expect((await client.request(get(url))).body.toString()).toBe('ok');
    await settled();
    const next = await client.request(get(url)).then((answer) => answer.body.toString(), (error: unknown) => (error as { code: string }).code);
    expect(next).not.toBe('WRONG');
  });
});
