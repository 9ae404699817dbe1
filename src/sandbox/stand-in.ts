import { LIMITS } from '../core/limits.ts';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import type { AddressInfo, Server as SocketServer } from 'node:net';
import { renamedConnection } from './renamed-method.ts';
import type { MethodName } from './renamed-method.ts';

/**
 * How a stand-in behaves: as the real server does, or in one of the ways in which real servers fail.
 * - `silent` accepts and never answers; `refuse` closes the port; `slow:MS` answers after so many milliseconds;
 * - `error-500` and `html` (a logon page with 200) answer everything so;
 * - `truncated` breaks the connection off in the middle of the body; `half` sends half the document as if it were whole.
 */
export type Mode = 'up' | 'silent' | 'refuse' | 'error-500' | 'html' | 'truncated' | 'half' | `slow:${number}`;

export interface StandInRequest {
  readonly method: string;
  /** Not decoded, without query. */
  readonly path: string;
  /** Not decoded, without its question mark. */
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Fires when the connection is gone, and after the answer. */
  readonly gone: AbortSignal;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** In place of `body`: pieces that are sent as they come, chunked; when it throws the connection breaks off. It hears of a connection that is gone by the request's `gone`. */
  readonly stream?: AsyncIterable<string>;
  /** Which capture or sheet the answer is written from; sent as X-Sandbox-Source. */
  readonly source: string;
  /** How many mailboxes the question was about; for the log. */
  readonly mailboxes?: number;
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly mailboxes: number;
  readonly status: number | undefined;
}

/** The life of one stand-in: it listens on 127.0.0.1 only and keeps its port over stop and start. */
export interface StandIn {
  readonly name: string;
  /** `http://127.0.0.1:PORT`. @throws Error before the first `listen`. */
  readonly url: string;
  readonly mode: Mode;
  readonly requests: readonly LoggedRequest[];
  listen(port?: number): Promise<void>;
  setMode(mode: Mode): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface StandInOptions {
  /** A method that Node's parser does not know, by the one under which it is let past it. */
  readonly unknownMethod?: MethodName;
}

/** Wraps a function from request to answer into a server that can fail on command. */
export function createStandIn(name: string, answer: (request: StandInRequest) => Promise<StandInAnswer> | StandInAnswer, options: StandInOptions = {}): StandIn {
  const { unknownMethod } = options;
  const requests: LoggedRequest[] = [];
  let mode: Mode = 'up';
  let port: number | undefined;
  let server: OpenServer | undefined;
  let isClosed = false;

  const open = async (wanted: number): Promise<void> => {
    // A walk that is broken off puts the modes back when all is over: that must not open anything again.
    if (isClosed) return;
    const http = createServer((request, response) => {
      serve(request, response).catch(() => response.destroy());
    });
    const next = unknownMethod === undefined ? plainServer(http) : renamingServer(http, unknownMethod);
    await new Promise<void>((resolve, reject) => {
      next.listener.once('error', reject);
      next.listener.listen(wanted, '127.0.0.1', resolve);
    });
    server = next;
    port = (next.listener.address() as AddressInfo).port;
  };
  const shut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    await new Promise<void>((resolve) => {
      closing.listener.close(() => resolve());
      closing.dropConnections();
    });
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', ...query] = (request.url ?? '').split('?');
    const method = request.method === unknownMethod?.as ? unknownMethod!.method : (request.method ?? '');
    const log = (made?: StandInAnswer): void => {
      if (requests.length >= LIMITS.standInLog) requests.shift();
      requests.push({ method, path, mailboxes: made?.mailboxes ?? 0, status: made?.status });
    };
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const body = await readWhole(request);
    if (mode === 'silent') return log();
    const made = failing(mode) ?? (await answer({ method, path, query: query.join('?'), headers: request.headers, body, gone: gone.signal }));
    log(made);
    // It may have been told to be silent while it thought; nobody hears an answer when the connection is gone.
    if ((mode as Mode) === 'silent' || gone.signal.aborted) return;
    if (mode.startsWith('slow:')) await new Promise((resolve) => setTimeout(resolve, Number(mode.slice('slow:'.length))));
    if (made.stream === undefined) send(response, made, mode);
    else await sendPieces(response, made, made.stream, mode, gone.signal);
  };

  return {
    name,
    get url() {
      if (port === undefined) throw new Error(`the stand-in ${name} does not listen yet`);
      return `http://127.0.0.1:${port}`;
    },
    get mode() {
      return mode;
    },
    requests,
    listen: (wanted = 0) => open(wanted),
    async setMode(next) {
      mode = next;
      if (next === 'refuse') await shut();
      else if (server === undefined && port !== undefined) await open(port);
    },
    stop: shut,
    async start() {
      if (server === undefined) await open(port ?? 0);
    },
    async close() {
      isClosed = true;
      await shut();
    },
  };
}

interface OpenServer {
  readonly listener: SocketServer;
  dropConnections(): void;
}

function plainServer(http: Server): OpenServer {
  return { listener: http, dropConnections: () => http.closeAllConnections() };
}

/** Node's HTTP server behind something that makes one method known to it. Without `noDelay`, which Node sets itself otherwise, each answer would wait 40 ms for an acknowledgement. */
function renamingServer(http: Server, method: MethodName): OpenServer {
  const open = new Set<{ destroy(): unknown }>();
  const listener = createSocketServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = renamedConnection(socket, method);
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    http.emit('connection', connection);
  });
  return {
    listener,
    dropConnections() {
      for (const connection of open) connection.destroy();
    },
  };
}

async function readWhole(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > LIMITS.requestBodyBytes) throw new RangeError('the request is too large for a stand-in');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const SOURCE_OF_FAILURES = 'sandbox: a failure switched on by command';

function failing(mode: Mode): StandInAnswer | undefined {
  if (mode === 'error-500') return { status: 500, headers: { 'Content-Type': 'text/html' }, body: '<html><body>Internal Server Error</body></html>', source: SOURCE_OF_FAILURES };
  if (mode === 'html') return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html><head><title>Log On</title></head><body><form></form></body></html>', source: SOURCE_OF_FAILURES };
  return undefined;
}

function setHead(response: ServerResponse, made: StandInAnswer): void {
  response.statusCode = made.status;
  for (const [header, value] of Object.entries(made.headers ?? {})) response.setHeader(header, value);
  response.setHeader('X-Sandbox-Source', made.source.replaceAll('§', 'section '));
}

/** Piece after piece, no faster than they are taken. The failures of a whole body happen to the first of them. */
async function sendPieces(response: ServerResponse, made: StandInAnswer, pieces: AsyncIterable<string>, mode: Mode, gone: AbortSignal): Promise<void> {
  setHead(response, made);
  for await (const piece of pieces) {
    if (gone.aborted) return;
    const isBroken = mode === 'truncated' || mode === 'half';
    const isTaken = response.write(isBroken ? piece.slice(0, Math.floor(piece.length / 2)) : piece);
    if (mode === 'truncated') return void setImmediate(() => response.destroy());
    if (mode === 'half') break;
    if (!isTaken) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

function send(response: ServerResponse, made: StandInAnswer, mode: Mode): void {
  const whole = Buffer.from(made.body ?? '', 'utf8');
  const half = whole.subarray(0, Math.floor(whole.length / 2));
  setHead(response, made);
  if (made.status !== 204) response.setHeader('Content-Length', mode === 'half' ? half.length : whole.length);
  if (mode === 'truncated') response.write(half, () => response.destroy());
  else response.end(mode === 'half' ? half : whole);
}
