import { Command, CommanderError } from 'commander';
import { ControlCommands } from '../../../src/cli/control-commands.ts';
import type { ListEveryone } from '../../../src/cli/presence/presence-access.ts';
import type { PresenceToCheck } from '../../../src/presence/troubleshooter.ts';
import { addPresenceCommand } from '../../../src/cli/presence/presence-command.ts';
import { openStoredPresence } from '../../../src/cli/presence/open-stored-presence.ts';
import { reachPresence } from '../../../src/cli/presence/reach-presence.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { ControlSocket } from '../../../src/platform/control-socket.ts';
import type { PresenceService } from '../../../src/presence/presence-service.ts';
import { capturedTerminal } from '../captured-terminal.ts';
import { folderWith } from '../running.ts';

export interface Ran {
  readonly exit: number;
  readonly printed: readonly string[];
  readonly complained: readonly string[];
}

export interface PresenceBed {
  readonly file: string;
  readonly folder: string;
  readonly dataDir: string;
  run(...args: readonly string[]): Promise<Ran>;
  close(): Promise<void>;
}

/** A folder with a bridge.yaml, with or without a bridge that seems to run with it. */
export async function presenceBed(yaml: string, running?: { readonly service: PresenceService; readonly everyone?: ListEveryone }, toCheck?: PresenceToCheck): Promise<PresenceBed> {
  const { folder, file, dataDir, remove } = await folderWith(yaml);
  const everyone: ListEveryone = async function* () {
    yield [];
  };
  const commands = new ControlCommands({
    reload: async () => ({ ok: true, lines: [] }),
    replication: () => undefined,
    gal: () => undefined,
    ...(running === undefined ? {} : { presence: () => ({ everyone, ...running }) }),
  });
  const socket = running === undefined ? undefined : await ControlSocket.open(dataDir, commands.handle);
  return {
    folder,
    file,
    dataDir,
    run: async (...args) => {
      const terminal = capturedTerminal();
      let exit = 0;
      const program = new Command('freebusy-bridge').exitOverride().configureOutput({ writeErr: (text) => terminal.complain(text.trimEnd()), writeOut: (text) => terminal.print(text.trimEnd()) });
      addPresenceCommand(program, terminal, { reach: reachPresence((bridge) => openStoredPresence(bridge, silentLogger)), reachCheck: async () => toCheck ?? 1 }, (code) => (exit = code));
      try {
        await program.parseAsync(['node', 'freebusy-bridge', 'presence', ...args, '--config', file]);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        exit = error.exitCode === 0 ? 0 : 2;
      }
      return { exit, printed: terminal.printed, complained: terminal.complained };
    },
    close: async () => {
      await socket?.close();
      await commands.close();
      await remove();
    },
  };
}
