import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import type { TokenSource } from '../../../src/platform/http-client/authentication.ts';
import { HttpClient } from '../../../src/platform/http-client/http-client.ts';
import type { HttpClientOptions } from '../../../src/platform/http-client/http-client.ts';
import type { BackEndLoad, TurnOutcome } from '../../../src/platform/http-client/load/back-end-load.ts';
import { BackEndLoadBook } from '../../../src/platform/http-client/load/back-end-load-book.ts';
import { openStream } from '../../../src/platform/http-client/open-stream.ts';
import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import { get, Opened, perRequest } from './servers.ts';

const opened = new Opened();
afterEach(() => opened.close());

/** Writes down what it is told. */
class RecordingLoad implements BackEndLoad {
  readonly told: (TurnOutcome | 'enter' | number)[] = [];

  async enter(): ReturnType<BackEndLoad['enter']> {
    this.told.push('enter');
    return { done: (outcome) => void this.told.push(outcome) };
  }

  holdOff(ms: number): void {
    if (ms > 0) this.told.push(ms);
  }

  setConcurrency(): void {
    this.told.push(Number.NaN);
  }
}

function newClient(options: HttpClientOptions): HttpClient {
  const client = new HttpClient(options);
  opened.add(() => client.close());
  return client;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'answered', (error: unknown) => (error as { code?: string }).code);

async function closedPort(): Promise<URL> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return new URL(`http://127.0.0.1:${port}/`);
}

describe('a request', () => {
  async function told(answer: (socket: Socket) => void, changes: Parameters<typeof get>[1] = {}): Promise<unknown> {
    const load = new RecordingLoad();
    const url = await opened.raw((socket) => perRequest(socket, () => answer(socket)));
    const code = await codeOf(newClient({ load }).request(get(url, changes)));
    return [code, ...load.told];
  }

  it('has one turn, with all its redirects', async () => {
    let count = 0;
    expect(await told((socket) => socket.write(++count < 4 ? 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n' : 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))).toEqual(['answered', 'enter', 'answered']);
  });

  it('has one turn, with its second try over a new connection', async () => {
    const load = new RecordingLoad();
    let requests = 0;
    const url = await opened.raw((socket, connection) =>
      perRequest(socket, (_head, count) => {
        requests += 1;
        if (connection === 1 && count === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const client = newClient({ load });
    await client.request(get(url));
    await new Promise((resolve) => setImmediate(resolve));
    await client.request(get(url));
    expect([requests, load.told]).toEqual([3, ['enter', 'answered', 'enter', 'answered']]);
  });

  it('that is answered, however badly, is answered', async () => {
    const answers = {
      'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n': 'answered',
      'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n': 'answered',
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope': 'BACKEND_MALFORMED',
      'SSH-2.0-OpenSSH\r\n\r\n': 'BACKEND_MALFORMED',
      [`HTTP/1.1 200 OK\r\nContent-Length: ${LIMITS.responseBodyBytes + 1}\r\n\r\n`]: 'BACKEND_TOO_LARGE',
      'HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n': 'BACKEND_REDIRECT',
    };
    for (const [answer, code] of Object.entries(answers)) expect(await told((socket) => socket.write(answer))).toEqual([code, 'enter', 'answered']);
  });

  it('whose connection breaks has failed, before anything came and in the middle', async () => {
    expect(await told((socket) => socket.resetAndDestroy(), { once: true })).toEqual(['BACKEND_UNREACHABLE', 'enter', 'failed']);
    const mid = (socket: Socket): void => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => setImmediate(() => socket.resetAndDestroy()));
    expect(await told(mid)).toEqual([expect.stringMatching(/^BACKEND_(?:UNREACHABLE|MALFORMED)$/), 'enter', expect.stringMatching(/^(?:failed|answered)$/)]);
  });

  it('to where nobody listens has failed', async () => {
    const load = new RecordingLoad();
    expect(await codeOf(newClient({ load }).request(get(await closedPort())))).toBe('BACKEND_UNREACHABLE');
    expect(load.told).toEqual(['enter', 'failed']);
  });

  it('whose signal fires is aborted, while it waits for the head and for the body', async () => {
    expect(await told(() => undefined, { signal: AbortSignal.timeout(30) })).toEqual(['DEADLINE', 'enter', 'aborted']);
    expect(await told((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), { signal: AbortSignal.timeout(30) })).toEqual(['DEADLINE', 'enter', 'aborted']);
  });

  it('for which no budget is left says nothing about its server', async () => {
    const load = new RecordingLoad();
    const budget = new RequestBudget();
    for (let refused = 0; refused < LIMITS.refusedRequestsPerLookup; refused++) {
      budget.take();
      budget.done(true);
    }
    expect(await codeOf(newClient({ load }).request(get(await closedPort(), { budget })))).toBe('BACKEND_BUSY');
    expect(load.told).toEqual(['enter', 'given-up']);
  });

  it('that ends because its client is closed says nothing about its server', async () => {
    const load = new RecordingLoad();
    const client = newClient({ load });
    const url = await opened.raw((socket) => perRequest(socket, () => void client.close()));
    expect(await codeOf(client.request(get(url)))).toBe('BACKEND_UNREACHABLE');
    expect(load.told).toEqual(['enter', 'given-up']);
  });

  it('whose answer has no time takes no turn', async () => {
    expect(await told((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), { load: 'none' })).toEqual(['answered']);
  });

  it('may take its turn elsewhere', async () => {
    const load = new RecordingLoad();
    expect(await told((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), { load })).toEqual(['answered']);
    expect(load.told).toEqual(['enter', 'answered']);
  });

  it('to a server that asks for a pause gives it, by seconds and by date, for a quarter of an hour at most', async () => {
    const answered = async (status: number, header: string): Promise<unknown> => told((socket) => socket.write(`HTTP/1.1 ${status} X\r\n${header}Content-Length: 0\r\n\r\n`));
    for (const status of [429, 503]) {
      expect(await answered(status, 'Retry-After: 120\r\n')).toEqual(['answered', 'enter', 120_000, 'answered']);
      expect(await answered(status, 'Retry-After: 86400\r\n')).toEqual(['answered', 'enter', LIMITS.retryAfterLongestMs, 'answered']);
      expect(await answered(status, 'Retry-After: 999999999999\r\n')).toEqual(['answered', 'enter', 'answered']);
      const [, , pauseMs] = (await answered(status, `Retry-After: ${new Date(Date.now() + 60_000).toUTCString()}\r\n`)) as [string, string, number];
      expect(pauseMs).toBeGreaterThan(50_000);
      expect(pauseMs).toBeLessThanOrEqual(60_000);
      for (const none of ['', 'Retry-After: 0\r\n', 'Retry-After: soon\r\n', 'Retry-After: Mon, 11 Jan 2010 00:00:00 GMT\r\n', 'Retry-After: -5\r\n']) expect(await answered(status, none)).toEqual(['answered', 'enter', 'answered']);
    }
    expect(await answered(200, 'Retry-After: 120\r\n')).toEqual(['answered', 'enter', 'answered']);
    expect(await answered(500, 'Retry-After: 120\r\n')).toEqual(['answered', 'enter', 'answered']);
  });
});

describe('a stream', () => {
  it('waits for its turn, and keeps nobody from the next one', async () => {
    const load = new RecordingLoad();
    const url = await opened.http((_request, response) => response.writeHead(200).write('first'));
    const stream = await openStream({ load }, { url, headers: {}, body: '', silenceMs: 5_000, signal: new AbortController().signal });
    opened.add(() => stream.close());
    expect(load.told).toEqual(['enter', 'given-up']);
  });

  it('is not opened at a server that has asked for a pause', async () => {
    const load = new BackEndLoadBook({ clock: { now: () => 0 } }).of('http://x', '', 1);
    load.holdOff(1_000);
    expect(await codeOf(openStream({ load }, { url: await closedPort(), headers: {}, body: '', silenceMs: 5_000, signal: new AbortController().signal }))).toBe('BACKEND_BUSY');
  });
});

/** A book whose clock can be put forward. */
function bookAhead(): { readonly book: BackEndLoadBook; ahead: number } {
  const hands = { ahead: 0 };
  return Object.assign(hands, { book: new BackEndLoadBook({ clock: { now: () => Date.now() + hands.ahead } }) });
}

describe('a server that accepts and never answers', () => {
  it('is asked by five; then nobody waits for it any more, until one tries again', async () => {
    let connections = 0;
    let isWell = false;
    const url = await opened.raw((socket) => {
      connections += 1;
      perRequest(socket, () => isWell && socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    });
    const world = bookAhead();
    const client = newClient({ load: world.book.of(url.origin, '', 2) });
    const fair = LIMITS.breakerFairMs + 100;
    const asked = await Promise.all(Array.from({ length: 12 }, () => codeOf(client.request(get(url, { signal: AbortSignal.timeout(4 * fair), deadline: undefined })))));
    // Two at a time hang for the whole of it, and nobody behind them has a turn.
    expect(asked).toEqual(Array.from({ length: 12 }, () => 'DEADLINE'));
    for (let round = 0; round < 2; round++) await Promise.all([1, 2].map(() => codeOf(client.request(get(url, { signal: AbortSignal.timeout(fair) })))));
    const before = connections;
    const [state] = world.book.states();
    expect(state).toMatchObject({ inFlight: 0, waiting: 0, isBreakerOpen: true });
    expect(await codeOf(client.request(get(url)))).toBe('BACKEND_UNREACHABLE');
    expect(connections).toBe(before);
    isWell = true;
    world.ahead = 60_000;
    const trials = await Promise.all([1, 2, 3].map(() => codeOf(client.request(get(url)))));
    expect(trials.sort()).toEqual(['BACKEND_UNREACHABLE', 'BACKEND_UNREACHABLE', 'answered']);
    expect(await codeOf(client.request(get(url)))).toBe('answered');
  });
});

describe('a server that refuses connections', () => {
  it('is asked again each time: it costs nobody any time, and is right again as soon as somebody listens', async () => {
    const world = bookAhead();
    const url = await closedPort();
    const client = newClient({ load: world.book.of(url.origin, '', 4) });
    const messages: string[] = [];
    for (let request = 0; request < 7; request++) await client.request(get(url)).catch((error: { publicMessage: string; retryAfterMs?: number }) => messages.push(error.publicMessage));
    expect(messages.filter((one) => one.includes('cannot be reached'))).toHaveLength(7);
  });
});

describe('a server that answers slowly', () => {
  it('is never asked more than it may be, and who would wait too long is refused at once', async () => {
    let inFlight = 0;
    let most = 0;
    const url = await opened.http(async (_request, response) => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, 40));
      inFlight -= 1;
      response.end();
    });
    const { book } = bookAhead();
    const client = newClient({ load: book.of(url.origin, '', 3) });
    await client.request(get(url));
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => codeOf(client.request(get(url, { deadline: Date.now() + 1_000 })))));
    expect(most).toBe(3);
    const answered = outcomes.filter((one) => one === 'answered').length;
    expect(answered).toBeGreaterThan(3);
    expect(answered).toBeLessThan(100);
    expect(outcomes.filter((one) => one === 'BACKEND_BUSY' || one === 'answered')).toHaveLength(100);
    expect(book.states()).toMatchObject([{ inFlight: 0, waiting: 0 }]);
  });
});

describe('no turn is lost', () => {
  const MOST = 16;
  const REQUESTS = 10_000;
  const answer = (socket: Socket): unknown => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  /** @param leave makes the client go away */
  const BEHAVIOURS: readonly ((socket: Socket, leave: () => void) => unknown)[] = [
    ...Array.from({ length: 12 }, () => answer),
    (socket) => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 3),
    (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: ?again\r\nContent-Length: 0\r\n\r\n'),
    (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n'),
    (socket) => socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'),
    (socket) => socket.write('HTTP/1.1 429 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n'),
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok'),
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LIMITS.responseBodyBytes + 1}\r\n\r\n`),
    (socket, leave) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', leave),
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    (socket) => socket.end('HTTP/1.1 20'),
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
    (_socket, leave) => leave(),
  ];

  it(`after ${REQUESTS} requests that ended in every way: none is in flight, and never were there too many`, async () => {
    const random = seeded(20270111);
    const clients = new Map<string, AbortController>();
    const url = await opened.raw((socket) =>
      perRequest(socket, (head) => {
        const client = clients.get(/^GET \/(\d+)/.exec(head)![1]!);
        BEHAVIOURS[Math.floor(random() * BEHAVIOURS.length)]!(socket, () => void client?.abort());
      }),
    );
    const world = bookAhead();
    const load = world.book.of(url.origin, '', MOST);
    const client = newClient({ load });
    const outcomes = new Map<unknown, number>();
    let most = 0;
    let sent = 0;
    const worker = async (): Promise<void> => {
      while (sent < REQUESTS) {
        sent += 1;
        const name = String(sent);
        const gone = new AbortController();
        clients.set(name, gone);
        // Before it began, while it waits for its turn, or while it is under way.
        if (random() < 0.02) gone.abort();
        const turnsLeft = random() < 0.2 ? Math.floor(random() * 20) : Infinity;
        if (turnsLeft < Infinity) void turnsOfTheLoop(turnsLeft).then(() => gone.abort());
        if (random() < 0.01) client.retire();
        const deadline = random() < 0.9 ? undefined : Date.now() + world.ahead + random() * 100;
        const asked = client.request(get(new URL(`/${name}`, url), { signal: gone.signal, deadline, once: random() < 0.3, redirect: random() < 0.2 ? 'manual' : 'follow' }));
        most = Math.max(most, world.book.states()[0]!.inFlight);
        const code = await codeOf(asked);
        clients.delete(name);
        outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
        // Pauses are over at once: it is turns that are wanted here.
        const [state] = world.book.states();
        // A refusal takes no time: without this nobody else would have any.
        await new Promise((resolve) => setTimeout(resolve, code === 'answered' ? 0 : 2));
        world.ahead += Math.max(0, ...[state!.heldOffUntil, state!.openUntil].map((until) => (until ?? 0) - Date.now() - world.ahead));
      }
    };
    await Promise.all(Array.from({ length: 3 * MOST }, worker));
    expect(world.book.states()).toMatchObject([{ inFlight: 0, waiting: 0 }]);
    expect(most).toBe(MOST);
    // The test is none unless every ending was met.
    for (const code of ['answered', 'DEADLINE', 'BACKEND_BUSY', 'BACKEND_UNREACHABLE', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'BACKEND_REDIRECT']) expect([code, (outcomes.get(code) ?? 0) > 20]).toEqual([code, true]);
  }, 60_000);
});

async function turnsOfTheLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the issuer of tokens', () => {
  const patience = (): AbortSignal => AbortSignal.timeout(200);
  const mute = (signal: AbortSignal): Promise<string> => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const bearer = (tokens: TokenSource) => ({ kind: 'bearer', account: 'app', tokens }) as const;

  it('that is slow takes nobody\'s turn, of a request or of a stream', async () => {
    const load = new RecordingLoad();
    const authentication = bearer({ token: mute, refused: () => undefined });
    const url = await opened.http((_request, response) => response.end());
    expect(await codeOf(newClient({ load, authentication }).request(get(url, { signal: patience() })))).not.toBe('answered');
    expect(await codeOf(openStream({ load, authentication }, { url, headers: {}, body: '', silenceMs: 5_000, signal: patience() }))).not.toBe('answered');
    expect(load.told).toEqual([]);
  });

  it('that is slow with the second one says nothing of the server that refused the first', async () => {
    const load = new RecordingLoad();
    let isRefused = false;
    const authentication = bearer({ token: async (signal) => (isRefused ? mute(signal) : 'one'), refused: () => (isRefused = true) });
    const url = await opened.http((_request, response) => response.writeHead(401).end());
    expect(await codeOf(newClient({ load, authentication }).request(get(url, { signal: patience() })))).toBe('DEADLINE');
    expect(load.told).toEqual(['enter', 'given-up']);
  });
});

describe('a stream', () => {
  it('waits for a handshake that stalls no longer than it may', async () => {
    const { port } = await opened.raw(() => undefined);
    const signal = AbortSignal.timeout(200);
    const opening = codeOf(openStream({}, { url: new URL(`https://127.0.0.1:${port}/`), headers: {}, body: '', silenceMs: 60_000, signal }));
    const late = new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, LIMITS.connectTimeoutMs / 2, 'late')));
    expect(await Promise.race([opening, late])).toBe('DEADLINE');
  });
});
