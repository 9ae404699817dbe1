import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Bridge } from '../bridge.ts';
import type { Config } from '../config/config.ts';
import { toBridgeError } from '../core/errors.ts';
import { probeContext } from './probe-context.ts';
import { runningBridge, openOwnReplication } from './reach-replication.ts';
import { RemoteReplication } from './remote-replication.ts';
import type { ReplicationFindings } from './replicating.ts';

/**
 * What `check` finds of the replication: asked of the running bridge where one runs (its Redis may be its own, and is left alone), tried
 * here where none does. Never throws; none where the configuration replicates nothing.
 */
export async function probeReplication(config: Config): Promise<readonly ReplicationFindings[]> {
  if (config.replication.length === 0) return [];
  try {
    return await ((await runningBridge(config.dataDir)) === undefined ? probeHere(config) : probeThere(config.dataDir));
  } catch (error) {
    const { publicMessage: text, temporary } = toBridgeError(error);
    return [finding('fail', text, temporary ? 'try again' : 'see to that first')];
  }
}

function finding(outcome: 'warn' | 'fail', text: string, advice: string): ReplicationFindings {
  return { name: 'agent', findings: [{ step: 'replication', outcome, text, advice }] };
}

async function probeThere(dataDir: string): Promise<readonly ReplicationFindings[]> {
  try {
    return await new RemoteReplication(dataDir).probe(probeContext());
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    if (code === 'CONFIGURATION') return [finding('warn', `of the running bridge: ${publicMessage}`, '`reload` it')];
    throw error;
  }
}

async function probeHere(config: Config): Promise<readonly ReplicationFindings[]> {
  const wasThere = existsSync(config.dataDir);
  const { replication, close } = await openOwnReplication(new Bridge(config), config.dataDir);
  try {
    return await replication.probe(probeContext());
  } finally {
    await close();
    // A check leaves nothing behind, least of all a directory of another user's.
    if (!wasThere) await rm(config.dataDir, { recursive: true, force: true });
  }
}
