import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Ends a process that a test started, and waits for its end; SIGKILL where the signal is not enough in time. One that has ended, or never was, is fine. */
export async function endProcess(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL', patienceMs: number): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const hard = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(hard);
}
