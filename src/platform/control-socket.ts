import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { OVER } from '../core/over.ts';
import { codeOf } from './http-client/connection-error.ts';

/**
 * What a running bridge does for a command (`POST /reload`). `body` is what came with it as JSON, undefined where nothing did; its
 * shape is unchecked. `signal` fires when the command has gone. The answer's lines are printed by the command.
 */
export type ControlHandler = (command: string, body: unknown, signal: AbortSignal) => Promise<ControlAnswer>;

export interface ControlAnswer {
  readonly ok: boolean;
  readonly lines: readonly string[];
  /** Refused because the configuration is wrong, not because something failed. */
  readonly isMisconfigured?: boolean;
  /** What the command asked for, as JSON has it; its shape is unchecked. */
  readonly data?: unknown;
}

/** `sun_path` of a unix socket, less its closing zero. */
const SOCKET_PATH_BYTES = 107;

/** By which commands reach the bridge that runs with the same dataDir: HTTP on a unix socket that only its owner may open. */
export class ControlSocket {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /**
   * Makes dataDir (0700) and opens its control socket (0600). A socket left behind by a dead bridge is replaced.
   *
   * @throws BridgeError CONFIGURATION when another bridge runs with this dataDir, or the directory cannot be used
   */
  static async open(dataDir: string, handle: ControlHandler): Promise<ControlSocket> {
    const path = socketPath(dataDir);
    try {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await chmod(dataDir, 0o700);
      if (await isAnswered(path)) throw new BridgeError('CONFIGURATION', `another bridge or command runs with dataDir ${dataDir}`);
      await rm(path, { force: true });
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      throw new BridgeError('CONFIGURATION', `dataDir ${dataDir} cannot be used: ${codeOf(error)}`, { cause: error });
    }
    const server = createServer((request, response) => void serveCommand(request, response, handle));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new BridgeError('CONFIGURATION', `control socket: ${codeOf(error)}`, { cause: error })));
      // The mask makes the socket 0600 from its first moment; the directory is 0700 anyway.
      const mask = process.umask(0o177);
      server.listen(path, resolve);
      process.umask(mask);
    });
    // A command that could not be taken is that command's failure, not the bridge's.
    server.removeAllListeners('error').on('error', () => undefined);
    return new ControlSocket(server, path);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    await rm(this.#path, { force: true });
  }
}

async function serveCommand(request: IncomingMessage, response: ServerResponse, handle: ControlHandler): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(OVER));
  try {
    const body = await readBody(request);
    const answer = await answerOf(handle, `${request.method ?? ''} ${request.url ?? ''}`, body, gone.signal);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  } catch {
    // The command has gone in the middle of its body, or the answer cannot be written: nobody is left to be told.
    response.destroy();
  }
}

async function answerOf(handle: ControlHandler, command: string, body: Buffer | undefined, signal: AbortSignal): Promise<ControlAnswer> {
  const refusal = (line: string): ControlAnswer => ({ ok: false, lines: [line] });
  if (body === undefined) return refusal(`the command is larger than ${LIMITS.controlBodyBytes} bytes`);
  let decoded: unknown;
  try {
    decoded = body.length === 0 ? undefined : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return refusal('the command is no JSON');
  }
  return handle(command, decoded, signal).catch((error: unknown) => refusal(error instanceof BridgeError ? error.publicMessage : 'internal error'));
}

/** Undefined where it is too large; the rest of it is read and dropped, so that the refusal reaches its sender. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= LIMITS.controlBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > LIMITS.controlBodyBytes ? undefined : Buffer.concat(chunks);
}

/** Why a command did not reach a bridge, in `details.reason` of the error. */
export type NotReached = 'nobody' | 'no-right' | 'no-answer';

/**
 * Sends a command to the bridge that runs with this dataDir. `body` goes along as JSON; `signal` gives up waiting, and the bridge stops
 * working at it.
 *
 * @throws BridgeError BACKEND_UNREACHABLE (see NotReached) when none runs, answers, or lets us; BACKEND_MALFORMED when what answers is no bridge; DEADLINE when `signal` fires
 */
export async function askRunningBridge(dataDir: string, command: string, timeoutMs: number, body?: unknown, signal?: AbortSignal): Promise<ControlAnswer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const request = httpRequest({ socketPath: socketPath(dataDir), method: 'POST', path: `/${command}`, timeout: timeoutMs, agent: false, headers, ...(signal === undefined ? {} : { signal }) }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > LIMITS.responseBodyBytes) response.destroy();
        else chunks.push(chunk);
      });
      // What happened to the answer stands in `complete`.
      response.on('error', () => undefined);
      response.once('close', () => {
        if (signal?.aborted === true) return reject(ended());
        const answer = response.complete ? decodeAnswer(Buffer.concat(chunks).toString('utf8')) : undefined;
        if (answer === undefined) reject(new BridgeError('BACKEND_MALFORMED', 'what runs with this dataDir gave no answer that can be read'));
        else resolve(answer);
      });
    });
    request.once('timeout', () => request.destroy(new Error(TIMED_OUT)));
    request.on('error', (error) => reject(signal?.aborted === true ? ended() : unreachable(dataDir, error)));
    request.end(text);
  });
}

function ended(): BridgeError {
  return new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
}

const TIMED_OUT = 'no answer from the running bridge';

function unreachable(dataDir: string, error: Error): BridgeError {
  const [reason, message] = reasonOf(dataDir, error);
  return new BridgeError('BACKEND_UNREACHABLE', message, { details: { reason }, cause: error });
}

function reasonOf(dataDir: string, error: Error): readonly [NotReached, string] {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return ['no-right', `no right to use the control socket in ${dataDir}: run this as the bridge's user or as root`];
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR' || code === 'ENOTSOCK') return ['nobody', `no bridge runs with dataDir ${dataDir}`];
  return ['no-answer', `what runs with dataDir ${dataDir} does not answer`];
}

function decodeAnswer(text: string): ControlAnswer | undefined {
  try {
    const answer = JSON.parse(text) as Partial<ControlAnswer> | null;
    if (typeof answer?.ok !== 'boolean' || !Array.isArray(answer.lines)) return undefined;
    return {
      ok: answer.ok,
      lines: answer.lines.map(String),
      ...(answer.isMisconfigured === true ? { isMisconfigured: true } : {}),
      ...(answer.data === undefined ? {} : { data: answer.data }),
    };
  } catch {
    // No JSON: not a bridge, or one that died while it wrote.
    return undefined;
  }
}

async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = httpRequest({ socketPath: path, method: 'POST', path: '/ping', timeout: 1000 }, (response) => {
      response.resume();
      resolve(true);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.end();
  });
}

/** A long path is given relative to the working directory, where that is short enough. */
function socketPath(dataDir: string): string {
  const absolute = join(dataDir, 'control.sock');
  if (Buffer.byteLength(absolute) <= SOCKET_PATH_BYTES) return absolute;
  const short = relative(process.cwd(), absolute);
  if (Buffer.byteLength(short) <= SOCKET_PATH_BYTES) return short;
  throw new BridgeError('CONFIGURATION', `dataDir is too long for a unix socket (${SOCKET_PATH_BYTES} bytes): choose a shorter path`);
}
