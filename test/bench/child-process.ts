import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A program of this folder in a process of its own. It is sent its work by message and answers each message with one. */
export class Helper {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static start(file: string): Helper {
    return new Helper(fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** One question, one answer: never ask twice at the same time. */
  async ask<Answer>(message: object): Promise<Answer> {
    const child = this.#child;
    return new Promise<Answer>((resolve, reject) => {
      const settle = (run: () => void): void => {
        child.off('message', answered).off('exit', ended);
        run();
      };
      const answered = (answer: unknown): void => settle(() => resolve(answer as Answer));
      const ended = (): void => settle(() => reject(new Error('a process of the benchmark ended early')));
      child.once('message', answered).once('exit', ended);
      child.send(message);
    });
  }

  async stop(): Promise<void> {
    await stopProcess(this.#child);
  }
}

/** In a helper: answers every message with what `answer` gives. */
export function answerMessages<Message>(answer: (message: Message) => Promise<object>): void {
  process.on('message', (message) => {
    void answer(message as Message).then((value) => process.send?.(value));
  });
  process.on('disconnect', () => process.exit());
}

/** A Node program whose stderr goes to a file, as a service's does. */
export function startNode(args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', log] });
  closeSync(log);
  return child;
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), 6_000);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
