import { setMaxListeners } from 'node:events';
import { OVER } from '../core/over.ts';

/** Runs `work` with a signal that fires at the first Ctrl-C or SIGTERM; a second one ends the process as ever. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  // Everything that is under way listens to it; Node would warn of more than ten.
  setMaxListeners(0, interrupted.signal);
  const interrupt = (): void => {
    stop();
    interrupted.abort(OVER);
  };
  const stop = (): void => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(interrupted.signal);
  } finally {
    stop();
  }
}
