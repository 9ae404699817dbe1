import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlCommands } from '../../src/cli/control-commands.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import type { Replicating } from '../../src/cli/replicating.ts';
import { ControlSocket } from '../../src/platform/control-socket.ts';
import { capturedTerminal } from './captured-terminal.ts';

/** A folder with a bridge.yaml, and a control socket behind which a bridge with this replication seems to run. */
export interface SeemingBridge {
  readonly folder: string;
  readonly file: string;
  readonly dataDir: string;
  /** Runs a command against it. */
  run(...args: readonly string[]): Promise<{ readonly exit: number; readonly printed: readonly string[]; readonly complained: readonly string[] }>;
  close(): Promise<void>;
}

export async function seemingBridge(replication: Replicating | undefined): Promise<SeemingBridge> {
  const { folder, file, dataDir, remove } = await folderWith('systems: {}\n');
  const commands = new ControlCommands({ reload: async () => ({ ok: true, lines: ['reloaded'] }), replication: () => replication, gal: () => undefined });
  const socket = await ControlSocket.open(dataDir, commands.handle);
  return {
    folder,
    file,
    dataDir,
    run: (...args) => run([...args, '--config', file]),
    close: async () => {
      await socket.close();
      await commands.close();
      await remove();
    },
  };
}

export async function folderWith(yaml: string): Promise<{ readonly folder: string; readonly file: string; readonly dataDir: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-cli-'));
  const file = join(folder, 'bridge.yaml');
  await writeFile(file, yaml);
  return { folder, file, dataDir: join(folder, 'data'), remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function run(args: readonly string[]): Promise<{ readonly exit: number; readonly printed: readonly string[]; readonly complained: readonly string[] }> {
  const terminal = capturedTerminal();
  const exit = await runCommandLine(['node', 'freebusy-bridge', ...args], terminal);
  return { exit, printed: terminal.printed, complained: terminal.complained };
}
