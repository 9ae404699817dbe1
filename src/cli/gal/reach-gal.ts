import type { GalStatus } from '../../gal/source-status.ts';
import { LIMITS } from '../../core/limits.ts';
import { askRunningBridge } from '../../platform/control-socket.ts';
import { clientNamed } from '../client-named.ts';
import { EXIT } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { makeBridge } from '../make-bridge.ts';
import { runningBridge } from '../reach-replication.ts';
import type { ReachGal } from './gal-access.ts';

/** A bridge answers at once, or is not well. */
const STATUS_TIMEOUT_MS = 5_000;

/**
 * What a running bridge keeps on disk is what it answers with, so it is read from there; where none runs, the directories are read once (what changed, where
 * something is on disk), and nothing is written.
 */
export const reachGal: ReachGal = async (file, terminal) => {
  const config = await loadConfiguration(file, terminal);
  if (config === undefined) return EXIT.wrongUsage;
  if (config.gal.sources.length === 0) {
    terminal.complain('there is no address book: list directories under gal.sources');
    return EXIT.wrongUsage;
  }
  const bridge = makeBridge(config, terminal);
  if (bridge === undefined) return EXIT.wrongUsage;
  const book = bridge.addressBook;
  await book.load({ isReadOnly: true });
  const running = await runningBridge(config.dataDir);
  let status: GalStatus | undefined;
  if (running === undefined) {
    const left = new Set(config.gal.sources.keys());
    terminal.progress?.(`reading ${left.size} ${left.size === 1 ? 'directory' : 'directories'} …`);
    await book.readOnce('all', LIMITS.galCommandMs, ({ label, entries, failure }) => terminal.progress?.(`${label}: ${failure ?? `${entries} entries`}`));
    terminal.progress?.('');
  } else {
    const answer = await askRunningBridge(config.dataDir, 'gal/status', STATUS_TIMEOUT_MS);
    status = answer.ok ? (answer.data as { readonly status?: GalStatus } | undefined)?.status : undefined;
  }
  const current = (): GalStatus => status ?? book.status()!;
  for (const { label, failure } of current().sources) if (failure !== undefined) terminal.complain(`${label} could not be read, its entries are those of before: ${failure}`);
  return {
    directory: book.directory(config.gal),
    systems: config.systems.map(({ name, type, domains }) => ({ name, type, domains })),
    requesterFor: (name) => {
      // An administrator takes everything: the bounds of a search are for clients.
      if (name === undefined) return { name: 'administrator', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none', gal: 'sync' };
      return clientNamed(config, name);
    },
    rows: () => book.rows(),
    status: current,
    close: async () => bridge.close(),
  };
};
