import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseIsoTime } from '../core/iso-time.ts';
import { ENTRY_TYPES } from '../sandbox/calendar-store.ts';
import type { EntryType } from '../sandbox/calendar-store.ts';
import { addToRunningSandbox, removeFromRunningSandbox } from '../sandbox/control.ts';
import { readPointer } from '../sandbox/pointer-file.ts';
import type { SandboxPointer } from '../sandbox/pointer-file.ts';
import { createSandbox } from '../sandbox/sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { guidedWalk } from '../sandbox/walk.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { startServing } from './serve.ts';
import type { Serving } from './serve.ts';
import { untilSignal } from './signals.ts';
import type { Terminal } from './terminal.ts';

export interface SandboxOptions {
  readonly port?: string;
  readonly quiet?: true;
}

export interface SandboxEntryOptions {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly subject: string;
}

const USUAL_PORT = '8480';

/** `sandbox` (and `npm start`): stand-ins, a bridge between them, the guided walk; then it keeps running until SIGTERM or Ctrl-C. */
export async function sandbox(options: SandboxOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.port !== undefined && !/^\d{1,5}$/.test(options.port)) {
    terminal.complain('--port takes a number');
    return EXIT.wrongUsage;
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'freebusy-sandbox-'));
  const stopped = untilSignal();
  const standIns = await createSandbox();
  let serving: Serving | undefined;
  try {
    serving = await startBetween(standIns, dataDir, options, terminal);
    if (serving === undefined) return EXIT.failed;
    const url = serving.bridge.urls[0]!;
    if (options.quiet !== true) {
      const right = await Promise.race([guidedWalk(standIns, url, standIns.clients, terminal.print, { replication: true, addressBook: true, presence: true }), stopped.then(() => true)]);
      if (!right) terminal.complain('The demonstration did not come out as it should: please report what stands above.');
    }
    terminal.print(`The configuration of this demonstration: ${join(dataDir, 'bridge.yaml')}`);
    terminal.print('It keeps running: Ctrl-C ends it.');
    await stopped;
    return EXIT.done;
  } finally {
    await serving?.close();
    await standIns.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The usual port where it is free, any other where it is not and nobody asked for it. */
async function startBetween(standIns: Sandbox, dataDir: string, options: SandboxOptions, terminal: Terminal): Promise<Serving | undefined> {
  const file = join(dataDir, 'bridge.yaml');
  const ports = options.port === undefined ? [USUAL_PORT, '0'] : [options.port];
  const refusals: string[] = [];
  for (const port of ports) {
    await writeFile(file, standIns.configYaml({ listen: `http://127.0.0.1:${port}`, dataDir, addressBook: true, presenceGateway: true }), { mode: 0o600 });
    const config = await loadConfiguration(file, terminal);
    if (config === undefined) return undefined;
    // Its dataDir dies with it: a Redis in a process of its own would outlive a kill -9, and nobody would take it over.
    // The walk shows what happens; the log of every request beside it would bury it.
    const quiet = { ...config, log: { level: 'error' } as const };
    const serving = await startServing(quiet, file, { print: terminal.print, complain: (line) => refusals.push(line) }, { ownRedis: 'embedded' });
    if (serving !== undefined) return serving;
  }
  for (const refusal of refusals) terminal.complain(refusal);
  return undefined;
}

/** `sandbox add ADDRESS --from … --to …`: an entry in a calendar of the demonstration that runs on this machine. */
export async function addToSandbox(address: string, options: SandboxEntryOptions, terminal: Terminal): Promise<ExitCode> {
  const start = parseIsoTime(options.from);
  const end = parseIsoTime(options.to);
  const type = ENTRY_TYPES.find((one): one is EntryType => one === options.type);
  if (start === undefined || end === undefined || start >= end || type === undefined) {
    terminal.complain(`--from and --to take ISO 8601 times, --from the earlier one; --type is one of ${ENTRY_TYPES.join(', ')}`);
    return EXIT.wrongUsage;
  }
  return withRunning(terminal, async (pointer) => {
    const added = await addToRunningSandbox(pointer, address, { start, end, type, subject: options.subject });
    terminal.print(`${address}: ${added.type} from ${added.start} to ${added.end} (${added.subject})`);
    terminal.print(`To take it out again: sandbox remove ${address} ${added.id}`);
  });
}

/** `sandbox remove ADDRESS ID`: takes an entry out of a calendar of the demonstration that runs on this machine. */
export async function removeFromSandbox(address: string, id: string, terminal: Terminal): Promise<ExitCode> {
  return withRunning(terminal, async (pointer) => {
    await removeFromRunningSandbox(pointer, address, id);
    terminal.print(`${address}: the entry is gone`);
  });
}

async function withRunning(terminal: Terminal, act: (pointer: SandboxPointer) => Promise<void>): Promise<ExitCode> {
  const pointer = readPointer();
  if (pointer === undefined) {
    terminal.complain('no demonstration is running: start it with `npm start`');
    return EXIT.failed;
  }
  try {
    await act(pointer);
    return EXIT.done;
  } catch (error) {
    terminal.complain(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}
