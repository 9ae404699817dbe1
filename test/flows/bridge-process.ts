import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHARED } from '../shared.ts';

/** The built command; BRIDGE_MAIN lets the same flows judge another build. */
const MAIN = process.env['BRIDGE_MAIN'] ?? join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'main.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** A child process and what it has said so far. */
export class Running {
  readonly #child: ChildProcess;
  readonly #started = performance.now();
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: { readonly env?: Record<string, string>; readonly cwd?: string } = {}) {
    this.#child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env } });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr, durationMs: performance.now() - this.#started });
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM, and SIGKILL where that does not end it within 8 s. */
  async stop(): Promise<Ended & { readonly tookMs: number }> {
    const begun = performance.now();
    this.signal('SIGTERM');
    const hard = setTimeout(() => this.signal('SIGKILL'), 8_000);
    const ended = await this.ended;
    clearTimeout(hard);
    return { ...ended, tookMs: performance.now() - begun };
  }
}

/** Runs a command to its end. */
export async function runCommand(args: readonly string[], options: { readonly env?: Record<string, string>; readonly cwd?: string } = {}): Promise<Ended> {
  return new Running(args, options).ended;
}

export interface RunningBridge {
  readonly url: string;
  readonly port: number;
  /** All `listening on` URLs in order. */
  readonly urls: readonly string[];
  readonly file: string;
  readonly folder: string;
  readonly process: Running;
  /** Writes another configuration into the file; applies nothing. */
  write(config: unknown): Promise<void>;
  stop(): Promise<Ended & { readonly tookMs: number }>;
}

export interface BridgeOptions {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
}

/** A folder with a bridge.yaml (JSON is YAML) and other files. Remove it with `removeFolder`. */
export async function folderWith(config: unknown, files: Record<string, string> = {}): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'flows-'));
  const file = join(folder, 'bridge.yaml');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return { folder, file };
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Starts `serve` with this configuration and waits until it listens. */
export async function startBridge(config: Record<string, unknown>, options: BridgeOptions = {}): Promise<RunningBridge> {
  const { folder, file } = await folderWith({ listen: 'http://127.0.0.1:0', ...config }, options.files);
  const process = new Running(['serve', '--config', file], options);
  const wanted = (Array.isArray(config['listen']) ? config['listen'].length : 1) + (config['admin'] === undefined ? 0 : 1) + ((config['gal'] as { readonly ldap?: unknown } | undefined)?.ldap === undefined ? 0 : 1);
  const urls = await until(() => {
    const found = [...process.stdout.matchAll(/^listening on (\S+)$/gm)].map((match) => match[1]!);
    return found.length >= wanted ? found : undefined;
  }, 10_000, () => `the bridge did not start: ${process.stdout}\n${process.stderr}`).catch(async (error: unknown) => {
    await process.stop();
    await removeFolder(folder);
    throw error;
  });
  return {
    url: urls[0]!,
    port: Number(new URL(urls[0]!).port),
    urls,
    file,
    folder,
    process,
    write: (next) => writeFile(file, typeof next === 'string' ? next : JSON.stringify(next)),
    stop: async () => {
      const ended = await process.stop();
      await removeFolder(folder);
      return ended;
    },
  };
}

/** Polls until `look` gives something. */
export async function until<T>(look: () => T | undefined, timeoutMs = 5_000, otherwise: () => string = () => 'it did not happen'): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** Captures that are only there on the developers' machines. */
export const CAPTURES = `${SHARED}/captures`;
export const hasCaptures = existsSync(CAPTURES);
