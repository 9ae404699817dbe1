import { describe, expect, it } from 'vitest';
import { printPasswordHash } from '../../src/cli/hash-password.ts';
import { decodeScryptHash } from '../../src/core/scrypt-hash.ts';
import { derive } from '../../src/platform/auth/scrypt.ts';
import { capturedTerminal } from './captured-terminal.ts';
import { run } from './running.ts';

async function hash(answers: readonly (string | undefined)[], isTerminal: boolean, cost = '14') {
  const terminal = capturedTerminal();
  const asked: string[] = [];
  const exit = await printPasswordHash({ cost }, terminal, { isTerminal, read: async (prompt) => (asked.push(prompt), answers[asked.length - 1]) });
  return { exit, asked, ...terminal };
}

describe('hash-password', () => {
  it('prints the hash of what comes in one line, and nothing else', async () => {
    const { exit, asked, printed, complained } = await hash(['pä:ß 1'], false);
    expect([exit, asked.length, printed.length, complained]).toEqual([0, 1, 1, []]);
    const words = decodeScryptHash(printed[0]!);
    if (typeof words === 'string') throw new Error(words);
    expect(words.cost).toBe(14);
    expect((await derive('pä:ß 1', words, words.hash.length)).equals(words.hash)).toBe(true);
  });

  it('has it typed twice on a terminal', async () => {
    const right = await hash(['pw', 'pw'], true);
    expect([right.exit, right.asked, right.printed.length]).toEqual([0, ['Password: ', 'Again: '], 1]);
    const mistyped = await hash(['pw', 'pv'], true);
    expect([mistyped.exit, mistyped.printed, mistyped.complained]).toEqual([2, [], ['the two are not the same']]);
  });

  it.each<[string | undefined, string]>([
    ['', 'the password is empty'],
    [undefined, 'interrupted'],
    ['a\nb', 'there is more than one line; the password is the only one'],
    ['a\u0000b', 'the password has a control character in it'],
    ['a\uFFFDb', 'the password is no UTF-8'],
    ['ä'.repeat(2_049), 'the password is longer than 4096 bytes'],
  ])('refuses %j', async (password, complaint) => {
    for (const isTerminal of [true, false]) {
      const { exit, printed, complained } = await hash([password, password], isTerminal);
      expect([exit, printed, complained]).toEqual([2, [], [complaint]]);
    }
  });

  it.each(['13', '19', '20', '-1', '17.5', 'x', ''])('refuses the cost %j before it asks', async (cost) => {
    const { exit, asked, printed, complained } = await hash(['pw', 'pw'], true, cost);
    expect([exit, asked, printed, complained]).toEqual([2, [], [], ['--cost is a number from 14 to 18']]);
  });

  it('takes no password as an argument', async () => {
    expect((await run(['hash-password', 'swordfish'])).exit).toBe(2);
  });
});
