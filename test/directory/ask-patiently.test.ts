import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { askPatiently } from '../../src/directory/ask-patiently.ts';

const never = new AbortController().signal;
const busy = (retryAfterMs?: number) => new BridgeError('BACKEND_BUSY', 'busy', { temporary: true, retryAfterMs });

describe('a request of a long reading', () => {
  it('is sent again after what passes, no sooner than the server says', async () => {
    const times: number[] = [];
    const answer = await askPatiently(async () => {
      times.push(performance.now());
      if (times.length < 2) throw busy(900);
      return 'here';
    }, never);
    expect(answer).toBe('here');
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(890);
  });

  it('is not sent again after what stays', async () => {
    let sent = 0;
    await expect(askPatiently(async () => { sent += 1; throw new BridgeError('BACKEND_AUTH', 'no'); }, never)).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(sent).toBe(1);
  });

  it('is given up when the reading ends, at once', async () => {
    const ended = new AbortController();
    const asked = askPatiently(async () => { throw busy(LIMITS.ewsLongestBackOffMs); }, ended.signal);
    setTimeout(() => ended.abort(), 20);
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
