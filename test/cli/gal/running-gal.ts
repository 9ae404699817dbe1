import { Command, CommanderError } from 'commander';
import type { GalAccess, GalSystem } from '../../../src/cli/gal/gal-access.ts';
import { addGalCommand } from '../../../src/cli/gal/gal-command.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import type { GalRow } from '../../../src/gal/gal-row.ts';
import type { GalStatus, SourceStatus } from '../../../src/gal/source-status.ts';
import { memoryDirectory } from '../../directory/memory-directory.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { capturedTerminal } from '../captured-terminal.ts';

export const NOW = Date.now();
export const SYSTEMS: readonly GalSystem[] = [
  { name: 'corp', type: 'exchange-ews', domains: ['corp.example'] },
  { name: 'zimbra', type: 'zimbra', domains: ['zimbra.example'] },
  { name: 'calendars', type: 'ifb', domains: ['ifb.example'] },
];

export function sourceOf(home: string, keys: Partial<SourceStatus> = {}): SourceStatus {
  return { label: `directory of ${home}`, home, entries: 3, readAt: NOW - 40_000, wholeAt: NOW - 3_600_000 * 5, isOld: false, failure: undefined, ...keys };
}

export interface FakeGal {
  readonly rows?: readonly GalRow[];
  readonly systems?: readonly GalSystem[];
  readonly status?: Partial<GalStatus>;
  readonly directory?: GalAccess['directory'];
}

export interface Ran {
  readonly exit: number;
  readonly printed: readonly string[];
  readonly complained: readonly string[];
  readonly progress: readonly string[];
  /** How often the address book was opened, and given back. */
  readonly opened: number;
  readonly closed: number;
}

/** Runs `gal …` over an address book from memory. */
export async function runGal({ rows = [], systems = SYSTEMS, status, directory }: FakeGal, ...args: readonly string[]): Promise<Ran> {
  const terminal = capturedTerminal();
  const progress: string[] = [];
  let opened = 0;
  let closed = 0;
  const clients: Readonly<Record<string, Requester>> = { desk: { ...ASKER, gal: 'search', name: 'desk' }, blind: { ...ASKER, gal: 'none', name: 'blind' } };
  const access: GalAccess = {
    directory: directory ?? memoryDirectory(rows.filter((one) => !one.isHidden).map(({ entry }) => entry)),
    systems,
    requesterFor: (client) => (client === undefined ? { ...ASKER, gal: 'sync' } : clients[client]),
    rows: () => rows,
    status: () => ({ entries: rows.length, hidden: 0, sources: [sourceOf('corp'), sourceOf('zimbra')], conflicts: [], ...status }),
    close: async () => void closed++,
  };
  let exit = 0;
  const program = new Command('freebusy-bridge').exitOverride().configureOutput({ writeErr: (text) => terminal.complain(text.trimEnd()), writeOut: (text) => terminal.print(text.trimEnd()) });
  addGalCommand(program, { ...terminal, progress: (text) => void progress.push(text) }, async () => (opened++, access), (code) => (exit = code));
  try {
    await program.parseAsync(['node', 'freebusy-bridge', 'gal', ...args, '--config', 'bridge.yaml']);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exit = error.exitCode === 0 ? 0 : 2;
  }
  return { exit, printed: terminal.printed, complained: terminal.complained, progress, opened, closed };
}
