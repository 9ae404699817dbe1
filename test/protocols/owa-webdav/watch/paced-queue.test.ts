import { describe, expect, it } from 'vitest';
import { PacedQueue } from '../../../../src/protocols/owa-webdav/watch/paced-queue.ts';
import { Happenings } from './happenings.ts';

const PAUSES = { firstMs: 10, longestMs: 20 };

/** A queue whose turns end when the test says so. */
function start(concurrency: number, perSecond = 1_000) {
  const begun = new Happenings<string>();
  const ends = new Map<string, () => void>();
  const queue = new PacedQueue<string>({
    concurrency,
    perSecond,
    pauses: PAUSES,
    run: (one) =>
      new Promise((resolve) => {
        ends.set(one, resolve);
        begun.add(one);
      }),
  });
  return { queue, begun, end: (one: string) => ends.get(one)!() };
}

describe('turns', () => {
  it('so many at a time, each once, the urgent ones first', async () => {
    const { queue, begun, end } = start(2);
    for (const one of ['a', 'b', 'c', 'd', 'c']) queue.push(one, false);
    queue.push('e', true);
    // The first begins at once, the second at the pace: by then there is an urgent one.
    await begun.times(2, () => true);
    expect([queue.isRunning('a'), queue.isRunning('b')]).toEqual([true, false]);
    end('a');
    await begun.next((one) => one === 'b');
    end('e');
    await begun.next((one) => one === 'c');
    end('b');
    end('c');
    await begun.next((one) => one === 'd');
    expect(begun.all).toEqual(['a', 'e', 'b', 'c', 'd']);
    end('d');
    await queue.close();
  });

  it('whoever comes again while his turn is under way has another one', async () => {
    const { queue, begun, end } = start(2);
    queue.push('a', false);
    await begun.times(1, () => true);
    queue.push('a', false);
    end('a');
    await begun.times(2, (one) => one === 'a');
    end('a');
    await queue.close();
  });

  it('after a failure one at a time, until one gets through', async () => {
    const { queue, begun, end } = start(3, Infinity);
    queue.push('a', false);
    await begun.times(1, () => true);
    expect(queue.failed()).toBeGreaterThan(0);
    for (const one of ['b', 'c', 'd']) queue.push(one, false);
    end('a');
    await begun.next((one) => one === 'b');
    queue.push('e', true);
    expect(begun.all).toEqual(['a', 'b']);
    queue.succeeded();
    end('b');
    await begun.times(5, () => true);
    expect(begun.all.slice(2).sort()).toEqual(['c', 'd', 'e']);
    for (const one of ['c', 'd', 'e']) end(one);
    await queue.close();
  });

  it('closed, it forgets who waits and waits for who is under way', async () => {
    const { queue, begun, end } = start(1);
    queue.push('a', false);
    queue.push('b', false);
    await begun.times(1, () => true);
    const closed = queue.close();
    end('a');
    await closed;
    queue.push('c', true);
    expect(begun.all).toEqual(['a']);
  });
});
