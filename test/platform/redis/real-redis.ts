import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { LogFields, Logger } from '../../../src/core/logger.ts';

/** With REQUIRE_PEERS a missing redis-server is a failure, not a test less. */
export const HAS_REDIS = process.env['REQUIRE_PEERS'] === '1' || spawnSync('redis-server', ['--version']).error === undefined;

/** A redis-server as an administrator runs one, in a directory of its own. */
export class RealRedis {
  readonly port: number;
  readonly directory = mkdtempSync(join(tmpdir(), 'real-redis-'));
  readonly #options: readonly string[];
  readonly #login: { readonly password?: string };
  #child: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[], password: string | undefined) {
    this.port = port;
    this.#options = options;
    this.#login = password === undefined ? {} : { password };
  }

  /** `options`: pairs as on the command line; the port of a TLS-only server is given by them. */
  static async start(options: readonly string[] = [], password?: string, port?: number): Promise<RealRedis> {
    const redis = new RealRedis(port ?? (await freePort()), options, password);
    await redis.start();
    return redis;
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--dir', this.directory, ...this.#options], { stdio: 'ignore' });
    this.#child = child;
    if (this.#options.includes('--tls-port')) return;
    const asking = new Redis({ port: this.port, ...this.#login, retryStrategy: () => 20 });
    asking.on('error', () => undefined);
    await asking.ping();
    asking.disconnect();
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    this.#child?.kill(signal);
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A logger that keeps what it is told. */
export function keptLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (fields: LogFields, message: string) => void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** Tries again until it is so; the test's own time-out ends it. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10));
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
