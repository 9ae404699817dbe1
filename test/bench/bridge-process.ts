import { Buffer } from 'node:buffer';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startNode, stopProcess } from './child-process.ts';

const MAIN = join(process.cwd(), 'dist', 'main.js');

/** Credentials of the client that asks. */
export const AUTHORIZATION = `Basic ${Buffer.from('zimbra:bench-face').toString('base64')}`;
export const DOMAIN = 'corp.example';

/** The real command with a real configuration, log at its default level into a file. */
export class BridgeProcess {
  readonly origin: string;
  readonly admin: string;
  readonly #directory: string;
  #child: ChildProcess;

  private constructor(origin: string, admin: string, directory: string) {
    this.origin = origin;
    this.admin = admin;
    this.#directory = directory;
    this.#child = this.#start();
  }

  /** Spawned, not yet answering: see `untilAnswers`. Nothing is kept: every question of a figure goes upstream. */
  static async spawn(upstream: string): Promise<BridgeProcess> {
    return BridgeProcess.spawnWith({
      systems: { exchange: { type: 'exchange-ews', url: upstream, auth: 'basic', username: 'CORP\\bench', password: 'bench-upstream', domains: [DOMAIN], cacheFor: '0s' } },
      clients: [{ name: 'Zimbra', username: 'zimbra', password: 'bench-face', from: 'outside', mayAsk: ['exchange'], detail: 'busy-type' }],
    });
  }

  /** With these keys of bridge.yaml beside the listeners and dataDir. */
  static async spawnWith(keys: object): Promise<BridgeProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'freebusy-bench-'));
    const origin = `http://127.0.0.1:${await freePort()}`;
    const admin = `http://127.0.0.1:${await freePort()}`;
    const config = {
      listen: origin,
      admin: { listen: admin },
      dataDir: join(directory, 'data'),
      ...keys,
    };
    writeFileSync(join(directory, 'bridge.yaml'), JSON.stringify(config));
    return new BridgeProcess(origin, admin, directory);
  }

  static async start(upstream: string): Promise<BridgeProcess> {
    const bridge = await BridgeProcess.spawn(upstream);
    await untilAnswers(`${bridge.origin}/healthz`);
    return bridge;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get configFile(): string {
    return join(this.#directory, 'bridge.yaml');
  }

  /** What it has logged since it was first spawned, a JSON object a line. */
  log(): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8');
  }

  /** One of its own metrics, without labels; NaN where it has none of that name. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.admin}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  }

  /** The longest hold of the bridge's event loop since the last call of this or `metric`, in ms, as its own metrics say it. */
  async eventLoopLagMs(): Promise<number> {
    return (await this.metric('nodejs_eventloop_lag_max_seconds')) * 1000;
  }

  /** Ends it and spawns it again with what it has in dataDir; not yet answering. */
  async restart(): Promise<void> {
    await stopProcess(this.#child);
    this.#child = this.#start();
  }

  #start(): ChildProcess {
    return startNode([MAIN, 'serve', '--config', this.configFile], join(this.#directory, 'log'));
  }

  async stop(): Promise<void> {
    await stopProcess(this.#child);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Waits until the URL answers 200; at most 15 s. */
export async function untilAnswers(url: string): Promise<void> {
  const until = performance.now() + 15_000;
  for (;;) {
    try {
      const answer = await fetch(url);
      await answer.arrayBuffer();
      if (answer.status === 200) return;
    } catch (error) {
      // Not listening yet.
      if (performance.now() > until) throw error;
    }
    await pause(5);
  }
}
