import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const OPEN = new URL('../../../dist/platform/redis/open-redis.js', import.meta.url).href;

/** Opens its own Redis and stores numbers, 20 at a time, each told on stdout once it is durable. */
const SCRIPT = `
import { writeSync } from 'node:fs';
const { openRedis } = await import(${JSON.stringify(OPEN)});
const [dataDir, prefer, from] = process.argv.slice(2);
const quiet = () => undefined;
const store = await openRedis(undefined, dataDir, { logger: { debug: quiet, info: quiet, warn: quiet, error: quiet }, prefer });
const pid = prefer === 'private' ? /process_id:(\\d+)/.exec(await store.commands.info('server'))[1] : 0;
writeSync(1, 'pid ' + pid + '\\n');
let next = Number(from);
await Promise.all(Array.from({ length: 20 }, async () => {
  for (;;) {
    const number = next++;
    await store.commands.set('number:' + number, 'x'.repeat(100));
    await store.durable();
    writeSync(1, number + '\\n');
  }
}));
`;

/** A bridge in a process of its own, to be killed. */
export class BridgeThatDies {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<void>;
  #output = '';
  errors = '';

  constructor(directory: string, dataDir: string, prefer: 'private' | 'embedded', from = 0) {
    const script = join(directory, 'bridge.mjs');
    writeFileSync(script, SCRIPT);
    this.#child = spawn(process.execPath, [script, dataDir, prefer, String(from)], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
  }

  /** Numbers it was told to be stored. */
  get acknowledged(): readonly number[] {
    return [...this.#output.matchAll(/^(\d+)\n/gm)].map(([, digits]) => Number(digits));
  }

  /** Of its private child; NaN before it has one. */
  get pid(): number {
    return Number(/^pid (\d+)\n/m.exec(this.#output)?.[1]);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}
