import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Bridge } from '../../src/bridge.ts';
import { startServing } from '../../src/cli/serve.ts';
import { loadConfiguration } from '../../src/cli/load-configuration.ts';
import { askRunningBridge } from '../../src/platform/control-socket.ts';

it('a reload that comes while the bridge starts waits for that: two at once would open the same files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serve-'));
  const file = join(folder, 'bridge.yaml');
  await writeFile(file, JSON.stringify({ listen: 'http://127.0.0.1:0', dataDir: join(folder, 'data'), log: { level: 'error' }, systems: { web: { type: 'ifb', url: 'http://127.0.0.1:1/{address}', domains: ['web.example'] } } }));
  const terminal = { print: () => undefined, complain: () => undefined };
  const config = (await loadConfiguration(file, terminal))!;
  const order: string[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the bridge below
  const { start, reload } = Bridge.prototype;
  let asked: Promise<unknown> | undefined;
  vi.spyOn(Bridge.prototype, 'start').mockImplementation(async function (this: Bridge) {
    asked = askRunningBridge(config.dataDir, 'reload', 10_000);
    // The control socket has had its time to hear of it.
    await askRunningBridge(config.dataDir, 'gal', 10_000).catch(() => undefined);
    await start.call(this);
    order.push('started');
  });
  vi.spyOn(Bridge.prototype, 'reload').mockImplementation(async function (this: Bridge, next) {
    order.push('reloaded');
    await reload.call(this, next);
  });
  try {
    const serving = (await startServing(config, file, terminal))!;
    expect(await asked).toMatchObject({ ok: true });
    expect(order).toEqual(['started', 'reloaded']);
    await serving.close();
  } finally {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  }
});
