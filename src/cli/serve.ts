import type { Bridge, BridgeOverrides } from '../bridge.ts';
import type { Config } from '../config/config.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { ControlSocket } from '../platform/control-socket.ts';
import type { ControlAnswer } from '../platform/control-socket.ts';
import { createLogger } from '../platform/log.ts';
import { ControlCommands } from './control-commands.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { everyoneOf } from './presence/open-stored-presence.ts';
import { untilSignal } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** `serve --config FILE`: runs the bridge until SIGTERM or SIGINT; SIGHUP and `reload` apply a changed file. */
export async function serve(file: string, terminal: Terminal): Promise<ExitCode> {
  const config = await loadConfiguration(file, terminal);
  if (config === undefined) return EXIT.wrongUsage;
  const starting = startServing(config, file, terminal);
  // Before anything is said: whoever reads `listening on` may end the process at once (seen on a busy machine).
  const stopped = untilSignal({ onHangup: async () => (await starting)?.reload() });
  const running = await starting;
  if (running === undefined) return EXIT.failed;
  await stopped;
  await running.close();
  // Everything is closed, and main.ts lets the process end by itself. A library may have left a handle open (a connection that goes on trying): nobody waits for it.
  setTimeout(() => process.exit(EXIT.done), LIMITS.lastHandlesMs).unref();
  return EXIT.done;
}

/** What people change in a shell does not reach a process that runs. */
const ENVIRONMENT_HINT = 'Environment variables are those of the running bridge: a changed one needs a restart.';

export interface Serving {
  readonly bridge: Bridge;
  /** Applies the file as it is now; says how it went. */
  readonly reload: () => Promise<ControlAnswer>;
  readonly close: () => Promise<void>;
}

/** Starts a bridge with its control socket and prints its listeners; undefined, and said why, when it cannot. */
export async function startServing(config: Config, file: string, terminal: Terminal, overrides: Pick<BridgeOverrides, 'ownRedis'> = {}): Promise<Serving | undefined> {
  const logger = createLogger(config.log.level);
  const bridge = makeBridge(config, terminal, { logger, ...overrides });
  if (bridge === undefined) return undefined;
  let isClosing = false;
  const reload = async (): Promise<ControlAnswer> => {
    if (isClosing) return refused(['the bridge is ending']);
    try {
      const lines: string[] = [];
      const next = await loadConfiguration(file, { print: (line) => lines.push(line), complain: (line) => lines.push(line) });
      if (next === undefined) return { ...refused([...lines.join('\n').split('\n'), ENVIRONMENT_HINT]), isMisconfigured: true };
      if (next.dataDir !== bridge.config.dataDir) return refused(['dataDir: cannot change while the bridge runs; restart it']);
      await bridge.reload(next);
    } catch (error) {
      return refused([toBridgeError(error).publicMessage]);
    }
    logger.info({}, 'configuration applied');
    return { ok: true, lines: ['the configuration is in force', ...bridge.urls.map((url) => `listening on ${url}`)] };
  };
  const refused = (lines: readonly string[]): ControlAnswer => {
    for (const line of lines) logger.error({ reason: line }, 'configuration refused, the running one stays in force');
    bridge.reloaded('refused');
    return { ok: false, lines: [...lines, 'the running configuration stays in force'] };
  };
  // One reload at a time: two at once could swap in the older file last.
  let last: Promise<unknown> = Promise.resolve();
  const reloadInTurn = async (): Promise<ControlAnswer> => {
    const turn = last.then(reload);
    last = turn.catch(() => undefined);
    return turn;
  };
  let control: ControlSocket | undefined;
  const commands = new ControlCommands({ reload: reloadInTurn, replication: () => bridge.replication, gal: () => bridge.addressBook.status(), presence: () => ({ service: bridge.presence.service, everyone: everyoneOf(bridge) }), privacy: () => bridge.privacy });
  const close = async (): Promise<void> => {
    isClosing = true;
    // A reload under way would open listeners that nobody closes.
    await last;
    await control?.close();
    await commands.close();
    await bridge.close();
    logger.info({ version: VERSION }, 'ended');
  };
  try {
    control = await ControlSocket.open(config.dataDir, commands.handle);
    const starting = bridge.start();
    // A reload that comes meanwhile waits: two at once would open the same files and ports.
    last = starting.catch(() => (isClosing = true));
    await starting;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    terminal.complain(error.publicMessage);
    await close();
    return undefined;
  }
  for (const url of bridge.urls) terminal.print(`listening on ${url}`);
  logger.info({ version: VERSION, count: config.systems.length, listener: bridge.urls.join(' ') }, 'started');
  return { bridge, reload: reloadInTurn, close };
}
