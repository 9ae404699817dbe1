import { createServer, request as httpRequest } from 'node:http';
import type { Server } from 'node:http';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BridgeError } from '../core/errors.ts';
import { codeOf } from './http-client/connection-error.ts';

/** What a running bridge does for a command; the answer is printed by it. */
export type ControlHandler = (command: string) => Promise<ControlAnswer>;

export interface ControlAnswer {
  readonly ok: boolean;
  readonly lines: readonly string[];
  /** Refused because the configuration is wrong, not because something failed. */
  readonly isMisconfigured?: boolean;
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
      if (await isAnswered(path)) throw new BridgeError('CONFIGURATION', `another bridge runs with dataDir ${dataDir}`);
      await rm(path, { force: true });
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      throw new BridgeError('CONFIGURATION', `dataDir ${dataDir} cannot be used: ${codeOf(error)}`, { cause: error });
    }
    const server = createServer((request, response) => {
      const answer = handle(`${request.method ?? ''} ${request.url ?? ''}`);
      answer
        .catch((error: unknown): ControlAnswer => ({ ok: false, lines: [error instanceof BridgeError ? error.publicMessage : 'internal error'] }))
        .then((body) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)), () => response.destroy());
    });
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

/**
 * Sends a command to the bridge that runs with this dataDir.
 *
 * @throws BridgeError BACKEND_UNREACHABLE when none runs
 */
export async function askRunningBridge(dataDir: string, command: string, timeoutMs: number): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: socketPath(dataDir), method: 'POST', path: `/${command}`, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('close', () => {
        const answer = response.complete ? decodeAnswer(text) : undefined;
        if (answer === undefined) reject(new BridgeError('BACKEND_MALFORMED', 'what runs with this dataDir gave no answer that can be read'));
        else resolve(answer);
      });
    });
    request.once('timeout', () => request.destroy(new Error('no answer from the running bridge')));
    request.once('error', (error) => reject(unreachable(dataDir, error)));
    request.end();
  });
}

function unreachable(dataDir: string, error: unknown): BridgeError {
  const message = codeOf(error) === 'EACCES' ? `no right to use the control socket in ${dataDir}: run this as the bridge's user or as root` : `no bridge runs with dataDir ${dataDir}`;
  return new BridgeError('BACKEND_UNREACHABLE', message, { cause: error });
}

function decodeAnswer(text: string): ControlAnswer | undefined {
  try {
    const answer = JSON.parse(text) as Partial<ControlAnswer> | null;
    return typeof answer?.ok === 'boolean' && Array.isArray(answer.lines) ? { ok: answer.ok, lines: answer.lines.map(String), ...(answer.isMisconfigured === true ? { isMisconfigured: true } : {}) } : undefined;
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
