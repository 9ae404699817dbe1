import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/core/group-commit.ts';

/** Saves that end when the test says so. */
function saves(): { readonly begun: ((error?: Error) => void)[]; readonly save: () => Promise<void> } {
  const begun: ((error?: Error) => void)[] = [];
  const save = (): Promise<void> => new Promise((resolve, reject) => begun.push((error) => (error === undefined ? resolve() : reject(error))));
  return { begun, save };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('a group commit', () => {
  it('gives all callers of one moment one save', async () => {
    const { begun, save } = saves();
    const group = new GroupCommit(save);
    const waiting = Promise.all([group.commit(), group.commit(), group.commit()]);
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]!();
    await waiting;
    await turn();
    expect(begun).toHaveLength(1);
  });

  it('never lets a caller share a save that began before the call, and runs one save at a time', async () => {
    const { begun, save } = saves();
    const group = new GroupCommit(save);
    const first = group.commit();
    await turn();
    let isStored = false;
    const late = Promise.all([group.commit(), group.commit()]).then(() => (isStored = true));
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]!();
    await first;
    await turn();
    expect([begun.length, isStored]).toEqual([2, false]);
    begun[1]!();
    await late;
    expect(begun).toHaveLength(2);
  });

  it('tells a failure to those who shared it, and to nobody after', async () => {
    const { begun, save } = saves();
    const group = new GroupCommit(save);
    const failing = Promise.allSettled([group.commit(), group.commit()]);
    await turn();
    const next = group.commit();
    begun[0]!(new Error('disk full'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await turn();
    begun[1]!();
    await expect(next).resolves.toBeUndefined();
  });
});
