import { BridgeError } from './errors.ts';

/**
 * Waits for `promise`, but no longer than until `signal` fires; what is waited for goes on for the others.
 *
 * @throws BridgeError DEADLINE when the signal fires first (or has fired), and whatever `promise` rejects with
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new BridgeError('DEADLINE', 'no answer in time', { temporary: true }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
