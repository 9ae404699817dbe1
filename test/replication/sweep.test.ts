import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { Sweep } from '../../src/replication/sweep.ts';
import type { SweepOptions } from '../../src/replication/sweep.ts';

const people = (count: number): MailboxAddress[] => Array.from({ length: count }, (_, index) => `p${index}@zimbra.example` as MailboxAddress);

/** Runs a sweep until `enough` says so. */
async function sweep(options: Partial<SweepOptions>, enough: (added: readonly MailboxAddress[], sweep: Sweep) => boolean): Promise<readonly MailboxAddress[]> {
  const ended = new AbortController();
  const added: MailboxAddress[] = [];
  const one: Sweep = new Sweep({
    system: 'zimbra',
    everyone: async function* () {
      yield people(3);
    },
    waiting: async () => 0,
    add: async (mailboxes) => {
      added.push(...mailboxes);
      if (enough(added, one)) ended.abort();
    },
    sweepMs: 60_000,
    clock: { now: () => Date.now() },
    logger: silentLogger,
    ...options,
  });
  await one.run(ended.signal);
  return added;
}

describe('a pass over all mailboxes', () => {
  it('begins at once and hands everybody to the queue, each once however often the list has them', async () => {
    const everyone = async function* (): AsyncIterable<readonly MailboxAddress[]> {
      yield people(20);
      yield people(30);
    };
    expect(await sweep({ everyone }, (added) => added.length === 30)).toEqual(people(30));
  });

  it('waits while much waits, so that no change stands behind it', async () => {
    let waiting = 100;
    let asked = 0;
    const added = await sweep(
      {
        waiting: async () => {
          asked += 1;
          if (asked === 3) waiting = 0;
          return waiting;
        },
      },
      () => {
        expect(asked).toBe(3);
        return true;
      },
    );
    expect(added).toHaveLength(3);
  });

  it('is taken up again when the list broke off half-way: an incomplete one is none, and nobody is read twice for it', async () => {
    let tries = 0;
    const everyone = async function* (): AsyncIterable<readonly MailboxAddress[]> {
      tries += 1;
      yield people(1);
      if (tries === 1) throw new BridgeError('BACKEND_UNREACHABLE', 'gone', { temporary: true });
      yield people(2);
    };
    const added = await sweep({ everyone }, (all) => all.length === 2);
    expect(added).toEqual(people(2));
  });

  it('reads everybody again when their time has come, though the list never becomes whole', async () => {
    let now = Date.parse('2026-03-05T12:00:00Z');
    const everyone = async function* (): AsyncIterable<readonly MailboxAddress[]> {
      yield people(1);
      now += 90_000;
      throw new BridgeError('BACKEND_AUTH', 'the second domain is refused');
    };
    const added = await sweep({ everyone, sweepMs: 60_000, clock: { now: () => now } }, (all) => all.length === 2);
    expect(added).toEqual([...people(1), ...people(1)]);
  });

  it('is begun again when the queue could not store', async () => {
    let calls = 0;
    const stored: MailboxAddress[] = [];
    const ended = new AbortController();
    const one = new Sweep({
      system: 'zimbra',
      everyone: async function* () {
        yield people(2);
      },
      waiting: async () => 0,
      add: async (mailboxes) => {
        calls += 1;
        if (calls === 1) throw new BridgeError('STORE_UNAVAILABLE', 'away', { temporary: true });
        stored.push(...mailboxes);
        ended.abort();
      },
      sweepMs: 60_000,
      clock: { now: () => Date.now() },
      logger: silentLogger,
    });
    await one.run(ended.signal);
    expect(stored).toEqual(people(2));
  });

  it('asked for during a pass, another follows: what the first has passed may have changed since', async () => {
    let passes = 0;
    await sweep({}, (_added, one) => {
      passes += 1;
      if (passes === 1) one.now();
      return passes === 2;
    });
    expect(passes).toBe(2);
  });

  it('comes again after a while by itself', async () => {
    let passes = 0;
    await sweep({ sweepMs: 10 }, () => ++passes === 3);
    expect(passes).toBe(3);
  });

  it('comes after midnight UTC, however long the while', async () => {
    // Two milliseconds before midnight; the pass after it is spread over five minutes, so time is made short.
    let passes = 0;
    const almost = Date.parse('2026-03-05T23:59:59.998Z');
    const random = Math.random;
    Math.random = () => 0;
    try {
      await sweep({ sweepMs: 3_600_000, clock: { now: () => almost } }, () => ++passes === 2);
    } finally {
      Math.random = random;
    }
    expect(passes).toBe(2);
  });
});
