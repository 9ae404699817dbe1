import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { oneAtATime } from '../../../../src/protocols/zimbra-soap/face/one-at-a-time.ts';

describe('work in turn', () => {
  it('begins when all before it is done, and does not care how that ended', async () => {
    const inTurn = oneAtATime();
    const said: string[] = [];
    const work = (name: string, fails = false) => async (): Promise<string> => {
      said.push(`${name} begins`);
      await nextTurn();
      said.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
    const outcomes = await Promise.allSettled([inTurn(work('first')), inTurn(work('second', true)), inTurn(work('third'))]);
    expect(said).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual(['first', 'Error: second', 'third']);
  });
});
