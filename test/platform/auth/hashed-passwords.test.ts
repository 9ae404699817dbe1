import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import type { ScryptHash } from '../../../src/core/scrypt-hash.ts';
import type { ClientAccount } from '../../../src/platform/auth/client-sign-in.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { HashedPasswords } from '../../../src/platform/auth/hashed-passwords.ts';
import { hashPassword } from '../../../src/platform/auth/scrypt.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { createHmac } from 'node:crypto';
import { basic, from, MovableClock, requester, TOKEN_KEY } from './signing-in.ts';

/** A pause that earlier failures cost takes a turn and no time. */
vi.mock('node:timers/promises', async (original) => ({ ...(await original<Record<string, unknown>>()), setTimeout: async () => new Promise((resolve) => setImmediate(resolve)) }));

/** A hash whose password is this, as the work below sees it. */
const fake = (password: string, cost = 17): ScryptHash => ({ cost, blockSize: 8, parallelism: 1, salt: Buffer.alloc(16, cost), hash: digestOf(password) });
const digestOf = (password: string): Buffer => createHmac('sha256', 'test').update(password).digest();

/** Work that ends when the test says. */
function bench() {
  const begun: { readonly password: string; readonly cost: number; readonly end: () => void }[] = [];
  let isQuick = true;
  const hashes = new HashedPasswords(async (password, { cost }) => {
    await new Promise<void>((resolve) => {
      begun.push({ password, cost, end: resolve });
      if (isQuick) resolve();
    });
    return digestOf(password);
  });
  return { hashes, begun, slow: () => (isQuick = false) };
}
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const code = async (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => (error as { code: string }).code);

describe('hashed passwords', () => {
  it('cost a verification once, and each time where they are wrong', async () => {
    const { hashes, begun } = bench();
    for (let n = 0; n < 3; n++) expect(await hashes.isRight(fake('right'), 'right', 'a')).toBe(true);
    expect(begun).toHaveLength(1);
    for (let n = 0; n < 3; n++) expect(await hashes.isRight(fake('right'), 'wrong', 'a')).toBe(false);
    expect(begun).toHaveLength(4);
    expect([hashes.isKnown(fake('right'), 'right'), hashes.isKnown(fake('right'), 'wrong'), hashes.isKnown(fake('right', 16), 'right')]).toEqual([true, false, false]);
  });

  it('are looked at once for however many requests bring the same one at once', async () => {
    const { hashes, begun } = bench();
    expect(await Promise.all(Array.from({ length: 40 }, () => hashes.isRight(fake('right'), 'right', 'a')))).toEqual(Array.from({ length: 40 }, () => true));
    expect(begun).toHaveLength(1);
  });

  it('are looked at two at a time; some wait in their order, an address cannot take all places, and the rest is told to come back', async () => {
    const { hashes, begun, slow } = bench();
    slow();
    const ask = (n: number, address: string) => code(hashes.isRight(fake('x'), `guess-${n}`, address));
    const places = LIMITS.scryptAtOnce + LIMITS.scryptWaitingPerAddress;
    const first = Array.from({ length: places }, (_, n) => ask(n, 'a'));
    expect(await ask(1_000, 'a')).toBe('TOO_MANY_ATTEMPTS');
    const others = Array.from({ length: LIMITS.scryptWaiting - LIMITS.scryptWaitingPerAddress }, (_, n) => ask(2_000 + n, `b${n}`));
    expect(await ask(3_000, 'c')).toBe('TOO_MANY_ATTEMPTS');
    for (let done = 0; done < places + others.length; done++) {
      await turn();
      expect(begun.length - done).toBeLessThanOrEqual(LIMITS.scryptAtOnce);
      begun[done]!.end();
    }
    expect(new Set(await Promise.all([...first, ...others]))).toEqual(new Set([false]));
    expect(begun.slice(0, places).map(({ password }) => password)).toEqual(Array.from({ length: places }, (_, n) => `guess-${n}`));
    // All places are free again.
    slow();
    const last = ask(4_000, 'a');
    await turn();
    begun.at(-1)!.end();
    expect(await last).toBe(false);
  });

  it('give their place back where the work itself fails', async () => {
    const hashes = new HashedPasswords(async () => Promise.reject(new Error('no memory')));
    for (let n = 0; n < 10; n++) await expect(hashes.isRight(fake('x'), `${n}`, 'a')).rejects.toThrow('no memory');
  });
});

describe('signing in against a hash', () => {
  const hashed = (name: string, password: string, cost = 17): ClientAccount => ({ requester: requester(name), credentials: { username: name, passwordHash: fake(password, cost) } });
  const plain: ClientAccount = { requester: requester('plain'), credentials: { username: 'plain', password: 'pw-plain' } };

  function signingIn(accounts: readonly ClientAccount[], hashes: HashedPasswords) {
    const clock = new MovableClock();
    const signIn = new ClientSignIn({ accounts, failures: new FailureMemory(clock), tokenKey: TOKEN_KEY, clock, metrics: noMetrics, hashes });
    return { signIn, as: async (username: string, password: string, address = '10.0.0.1') => signIn.fromRequest(from(address, basic(username, password))).then(({ name }) => name, (error: unknown) => (error as { code: string }).code) };
  }

  it('takes the right password everywhere where it is sent itself', async () => {
    const { hashes } = bench();
    const { signIn, as } = signingIn([hashed('desk', 'pw-desk')], hashes);
    expect(await as('desk', 'pw-desk')).toBe('desk');
    expect(await as('CORP\\Desk', 'pw-desk')).toBe('desk');
    expect(await as('desk', 'pw-desk ')).toBe('AUTH_FAILED');
    expect(await as('desk', '')).toBe('AUTH_FAILED');
    expect((await signIn.withPassword('desk', 'pw-desk', from('10.0.0.1'))).name).toBe('desk');
    expect((await signIn.withPasswordFrom('desk', 'pw-desk', '10.0.0.1', () => undefined)).name).toBe('desk');
  });

  it('remembers a right one over a reload, and not where the hash has become another', async () => {
    const { hashes, begun } = bench();
    await signingIn([hashed('desk', 'pw')], hashes).as('desk', 'pw');
    expect(await signingIn([hashed('desk', 'pw')], hashes).as('desk', 'pw')).toBe('desk');
    expect(begun).toHaveLength(1);
    expect(await signingIn([hashed('desk', 'new')], hashes).as('desk', 'pw')).toBe('AUTH_FAILED');
  });

  it('costs a wrong password a verification whoever it is for, at a price that some client has; nothing where no client has a hash', async () => {
    const { hashes, begun } = bench();
    const { as } = signingIn([hashed('desk', 'pw', 17), hashed('other', 'pw', 15), plain], hashes);
    const names = ['desk', 'plain', ...Array.from({ length: 20 }, (_, n) => `nobody-${n}`)];
    for (const name of names) expect([name, await as(name, 'wrong')]).toEqual([name, 'AUTH_FAILED']);
    expect(begun).toHaveLength(names.length);
    const prices = begun.map(({ cost }) => cost);
    expect(prices[0]).toBe(17);
    expect(new Set(prices)).toEqual(new Set([15, 17]));
    // The same again, name by name: one that changed would be nobody's.
    for (const name of names) await as(name, 'wronger');
    expect(begun.slice(names.length).map(({ cost }) => cost)).toEqual(prices);
    // The right plain one waits for nobody.
    expect(await as('plain', 'pw-plain')).toBe('plain');
    expect(begun).toHaveLength(2 * names.length);
    const none = bench();
    expect(await signingIn([plain], none.hashes).as('nobody', 'wrong')).toBe('AUTH_FAILED');
    expect(none.begun).toHaveLength(0);
  });

  it('knows nobody by what a decoy was made of', async () => {
    const hashes = new HashedPasswords(async (_password, _hash, length) => Buffer.alloc(length));
    const { as } = signingIn([hashed('desk', 'pw')], hashes);
    expect(await as('nobody', '')).toBe('AUTH_FAILED');
  });

  it('looks at hundreds of guesses at once no faster than at as many in a row', async () => {
    const { hashes, begun } = bench();
    const { as } = signingIn([hashed('desk', 'pw')], hashes);
    const outcomes = await Promise.all(Array.from({ length: 500 }, (_, n) => as('desk', `guess-${n}`)));
    expect(outcomes.filter((one) => one === 'AUTH_FAILED').length).toBeLessThanOrEqual(LIMITS.freeFailures + LIMITS.heldAnswersPerPair + 1);
    expect(outcomes).not.toContain('desk');
    expect(begun.length).toBeLessThanOrEqual(LIMITS.freeFailures + LIMITS.heldAnswersPerPair + 1);
  });

  it('lets a client in that begins with a hundred questions at once', async () => {
    const { hashes, begun } = bench();
    const { as } = signingIn([hashed('desk', 'pw')], hashes);
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => as('desk', 'pw'))))).toEqual(new Set(['desk']));
    expect(begun).toHaveLength(1);
  });

  it('binds tokens to the hash', async () => {
    const { hashes } = bench();
    const { signIn } = signingIn([hashed('desk', 'pw')], hashes);
    const token = signIn.issueToken(requester('desk'), 'owa-cookie', 1_000);
    const under = async (accounts: readonly ClientAccount[]) => code(signingIn(accounts, hashes).signIn.fromToken(token, 'owa-cookie', from('10.0.0.1')).then(({ name }) => name));
    expect(await under([hashed('desk', 'pw')])).toBe('desk');
    expect(await under([hashed('desk', 'other')])).toBe('AUTH_FAILED');
    expect(await under([{ requester: requester('desk'), credentials: { username: 'desk', password: 'pw' } }])).toBe('AUTH_FAILED');
    expect(await under([{ requester: requester('desk'), credentials: { username: 'desk', password: '' } }])).toBe('AUTH_FAILED');
  });

  it('is not for preauth: a portal would have to sign with the password, and neither the hash nor nothing is one', async () => {
    const { hashes } = bench();
    const { signIn } = signingIn([hashed('desk', 'pw')], hashes);
    const now = String(new MovableClock().at);
    for (const key of ['pw', '', 'undefined']) {
      const digest = createHmac('sha1', key).update(`desk|name|0|${now}`).digest('hex');
      expect(await code(signIn.withPreauth({ account: 'desk', by: 'name', timestamp: now, expires: '0', digest }, from('10.0.0.1')))).toBe('AUTH_FAILED');
    }
  });

  it('works with real scrypt', async () => {
    const account: ClientAccount = { requester: requester('desk'), credentials: { username: 'desk', passwordHash: await hashPassword('pw:ä', 14) } };
    const { as } = signingIn([account], new HashedPasswords());
    expect([await as('desk', 'pw:ä'), await as('desk', 'pw:a'), await as('desk', 'pw:ä')]).toEqual(['desk', 'AUTH_FAILED', 'desk']);
  });
});
