import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadPort } from './back-ends.ts';

/** With REQUIRE_PEERS a missing redis-server is a failure, not a test less. */
export const HAS_REDIS = process.env['REQUIRE_PEERS'] === '1' || spawnSync('redis-server', ['--version']).error === undefined;

/** A redis-server of the test's own on a TCP port, every write on disk before it is answered. */
export class OwnRedis {
  readonly port: number;
  readonly #directory: string;
  readonly #more: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string, more: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    this.#more = more;
  }

  static async start(...more: readonly string[]): Promise<OwnRedis> {
    const redis = new OwnRedis(await deadPort(), await mkdtemp(join(tmpdir(), 'flows-redis-')), more);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#directory, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--loglevel', 'warning'];
    const child = spawn('redis-server', [...options, ...this.#more], { stdio: 'ignore' });
    this.#child = child;
    const end = performance.now() + 10_000;
    while (!(await this.#answers())) {
      if (performance.now() > end || child.exitCode !== null) throw new Error('redis-server does not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write('PING\r\n'));
      const say = (isThere: boolean) => (): void => {
        socket.destroy();
        resolve(isThere);
      };
      socket.once('data', (data) => say(data.toString().startsWith('+PONG'))());
      socket.once('error', say(false));
    });
  }
}

/** Process ids of whoever this process has started and still runs; Linux. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => parentOf(one) === pid);
}

/** Whether there is such a process, and it is no zombie. */
export function isRunning(pid: number): boolean {
  return (statOf(pid)?.[0] ?? 'Z') !== 'Z';
}

function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** State, parent and what follows: after the name, which may hold anything. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended between two looks.
    return undefined;
  }
}
