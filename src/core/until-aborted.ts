import { setMaxListeners } from 'node:events';
import { BridgeError } from './errors.ts';

/**
 * Waits for `promise`, but no longer than until `signal` fires or `patienceMs` have passed; what is waited for goes on for the others.
 *
 * @throws BridgeError DEADLINE when the signal fires first (or has fired) or the time is over, and whatever `promise` rejects with
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, patienceMs?: number): Promise<T> {
  let stop = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new BridgeError('DEADLINE', 'no answer in time', { temporary: true }));
    if (patienceMs !== undefined) timer = setTimeout(stop, patienceMs);
    if (signal.aborted) stop();
    else {
      // As many as wait at the same time: no leak, whatever Node thinks of more than ten.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', stop, { once: true });
    }
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
