import { pauseAfter } from '../core/back-off.ts';
import { BridgeError, toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { pause } from '../core/pause.ts';
import { within } from '../core/within.ts';

/**
 * One request of a long reading: sent again, after a pause and no sooner than the server says, where it failed for a reason that passes.
 *
 * @param ask gets a signal for one try: LIMITS.galRequestMs, or the reading's own
 * @throws BridgeError what went wrong for good, or LIMITS.galBusyTries times; DEADLINE where the reading is over
 */
export async function askPatiently<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await within(LIMITS.galRequestMs, signal, ask);
    } catch (thrown) {
      const error = toBridgeError(thrown);
      if (!error.temporary || failures >= LIMITS.galBusyTries || signal.aborted) throw error;
      await pause(pauseAfter(failures, LIMITS.galRetryPauses, error.retryAfterMs), signal);
      if (signal.aborted) throw new BridgeError('DEADLINE', 'the reading was ended', { temporary: true, cause: error });
    }
  }
}
