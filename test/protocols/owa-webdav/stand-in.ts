import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestContext } from '../../../src/core/request-context.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { OwaWebdavSystem } from '../../../src/protocols/owa-webdav/client.ts';
import type { OwaWebdavOptions } from '../../../src/protocols/owa-webdav/client.ts';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a stand-in answers; a string is a 200 with text/xml. */
export type Reply = string | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string | string[]>> };

export interface StandIn {
  readonly url: URL;
  readonly seen: Seen[];
  readonly close: () => Promise<void>;
}

/** A server on loopback that answers by a function of what it sees; undefined means that it stays silent. */
export async function startStandIn(answer: (request: Seen) => Reply | undefined): Promise<StandIn> {
  const seen: Seen[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one: Seen = { method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      seen.push(one);
      const reply = answer(one);
      if (reply === undefined) return;
      const { status, body = '', headers = {} } = typeof reply === 'string' ? { status: 200, body: reply } : reply;
      response.writeHead(status, { 'content-type': 'text/xml', ...headers });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const NOW = Date.UTC(2026, 2, 1, 12);

export function systemFor(url: URL, options: Partial<OwaWebdavOptions> = {}): OwaWebdavSystem {
  return new OwaWebdavSystem({
    name: 'exchange',
    servers: [url],
    auth: 'basic',
    username: 'CORP\\bridge',
    password: 'p&ss +ü',
    hosts: [],
    lookup: 'query',
    clock: { now: () => NOW },
    logger: silentLogger,
    ...options,
  });
}

export function context(options: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: 'test',
    requester: { name: 'test', from: 'zimbra', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' },
    hops: 0,
    deadline: Number.MAX_SAFE_INTEGER,
    signal: new AbortController().signal,
    ...options,
  };
}
