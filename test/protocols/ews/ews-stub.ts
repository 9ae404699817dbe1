import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { ExplainNote, RequestContext } from '../../../src/core/request-context.ts';
import { ExchangeEwsSystem } from '../../../src/protocols/ews/client.ts';
import type { ExchangeEwsOptions } from '../../../src/protocols/ews/client.ts';

export interface Seen {
  readonly operation: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly port: number;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Nothing is answered, ever. */
export const SILENCE = Symbol('silence');

export interface Stub {
  readonly url: URL;
  readonly seen: readonly Seen[];
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export const NOW = Date.parse('2026-06-01T08:00:00Z');

/** A server on loopback that, like grommunio, answers chunked bodies 400. Ends with the test. */
export async function ewsStub(handle: (request: Seen) => Reply | typeof SILENCE): Promise<Stub> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.headers['content-length'] === undefined) {
        response.writeHead(400).end('Bad Request');
        return;
      }
      const body = Buffer.concat(chunks).toString('utf8');
      const operation = /\/messages\/(\w+)"$/.exec(request.headers['soapaction'] as string)?.[1] ?? '';
      const one = { operation, body, headers: request.headers, port: request.socket.remotePort ?? 0 };
      seen.push(one);
      const reply = handle(one);
      if (reply === SILENCE) return;
      response.writeHead(reply.status ?? 200, { 'content-type': 'text/xml; charset=utf-8', date: new Date(NOW).toUTCString(), ...reply.headers }).end(reply.body ?? '');
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  open.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/EWS/Exchange.asmx`), seen };
}

/** A system that asks the stub; ends with the test. */
export function systemAt(url: URL, over: Partial<ExchangeEwsOptions> = {}): ExchangeEwsSystem {
  const system = new ExchangeEwsSystem({
    name: 'exchange',
    servers: [url],
    accounts: [{ kind: 'basic', username: 'CORP\\bridge', password: 'pässword' }],
    hosts: [],
    lookup: 'query',
    clock: { now: () => NOW },
    logger: silentLogger,
    ...over,
  });
  open.push(() => system.close());
  return system;
}

export function contextWith(over: Partial<RequestContext> = {}): RequestContext & { readonly notes: ExplainNote[] } {
  const notes: ExplainNote[] = [];
  return {
    requestId: 'test',
    requester: { name: 'test', from: 'outside', mayAsk: 'all', detail: 'details', anonymous: false, presence: 'none' },
    hops: 0,
    deadline: NOW + 5_000,
    signal: new AbortController().signal,
    explain: (note) => notes.push(note),
    notes,
    ...over,
  };
}
