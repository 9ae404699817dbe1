import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeReplication } from '../../src/cli/probe-replication.ts';
import type { Config } from '../../src/config/config.ts';
import { ControlSocket } from '../../src/platform/control-socket.ts';
import { FakeReplication } from './fake-replication.ts';
import { folderWith, seemingBridge } from './running.ts';
import type { SeemingBridge } from './running.ts';

/** As much of a configuration as is looked at where a bridge runs. */
const replicating = (dataDir: string): Config => ({ dataDir, replication: [{}] }) as unknown as Config;

let replication: FakeReplication;
let bridge: SeemingBridge;
beforeEach(async () => {
  replication = new FakeReplication();
  bridge = await seemingBridge(replication);
});
afterEach(() => bridge.close());

describe('what check finds of the replication', () => {
  it('is what the running bridge finds: its Redis is its own', async () => {
    replication.findings = [{ name: 'redis', findings: [{ step: 'eviction', outcome: 'fail', text: 'allkeys-lru', advice: 'noeviction' }] }];
    expect(await probeReplication(replicating(bridge.dataDir))).toEqual(replication.findings);
  });

  it('is nothing where the file replicates nothing', async () => {
    replication.findings = [{ name: 'redis', findings: [] }];
    expect(await probeReplication({ ...replicating(bridge.dataDir), replication: [] })).toEqual([]);
  });

  it('is a warning where the running bridge does not replicate yet', async () => {
    await bridge.close();
    bridge = await seemingBridge(undefined);
    expect(await probeReplication(replicating(bridge.dataDir))).toMatchObject([{ findings: [{ outcome: 'warn', advice: '`reload` it' }] }]);
  });

  it('is a failure where another command has the dataDir, which is left as it is', async () => {
    const { dataDir, remove } = await folderWith('');
    const other = await ControlSocket.open(dataDir, async () => ({ ok: false, lines: ['another command runs'] }));
    expect(await probeReplication(replicating(dataDir))).toMatchObject([{ findings: [{ outcome: 'fail', text: 'another command runs', advice: 'try again' }] }]);
    expect(existsSync(dataDir)).toBe(true);
    await other.close();
    await remove();
  });
});
