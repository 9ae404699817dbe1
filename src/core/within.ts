import { setMaxListeners } from 'node:events';
import { OVER } from './over.ts';

/**
 * Runs `work` with a signal that fires when `signal` does or after `ms`. Unlike AbortSignal.any it leaves nothing behind on a signal that
 * lives as long as the process, and does fire: AbortSignal.any holds its sources weakly, and an AbortSignal.timeout that nothing else holds is
 * collected before its time has come (seen with Node 20.20).
 */
export async function within<T>(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(OVER);
  const timer = setTimeout(stop, ms);
  if (signal.aborted) stop();
  else {
    // As many as work at the same time, each for its own time: no leak, whatever Node thinks of more than ten.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', stop, { once: true });
  }
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
