import { describe, expect, it } from 'vitest';
import { KeyedLock } from '../../src/replication/keyed-lock.ts';

/** Work that writes down when it begins and ends, and ends when told. */
function work(log: string[], name: string) {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    end,
    run: async (): Promise<string> => {
      log.push(`${name} begins`);
      await ended;
      log.push(`${name} ends`);
      return name;
    },
  };
}

const settled = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('a keyed lock', () => {
  it('lets one work at a time for a key, in the order of asking, and others meanwhile', async () => {
    const lock = new KeyedLock();
    const log: string[] = [];
    const [a, b, other] = [work(log, 'a'), work(log, 'b'), work(log, 'other')];
    const all = Promise.all([lock.run(['x'], a.run), lock.run(['x'], b.run), lock.run(['y'], other.run)]);
    await settled();
    expect(log).toEqual(['a begins', 'other begins']);
    other.end();
    a.end();
    await settled();
    b.end();
    expect(await all).toEqual(['a', 'b', 'other']);
    expect(log.indexOf('a ends')).toBeLessThan(log.indexOf('b begins'));
  });

  it('takes several keys in one step: two pieces of work with the same keys the other way round never wait for each other', async () => {
    const lock = new KeyedLock();
    const done: string[] = [];
    await Promise.all([
      lock.run(['x', 'y'], async () => done.push('one')),
      lock.run(['y', 'x'], async () => done.push('two')),
      lock.run(['x'], async () => done.push('three')),
    ]);
    expect(done).toEqual(['one', 'two', 'three']);
  });

  it('goes on after work that failed, and tells whose failure it was', async () => {
    const lock = new KeyedLock();
    const failing = lock.run(['x'], async () => Promise.reject(new Error('first')));
    const next = lock.run(['x'], async () => 'second');
    await expect(failing).rejects.toThrow('first');
    expect(await next).toBe('second');
  });
});
