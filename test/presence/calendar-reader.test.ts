import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MINUTE_MS } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyResult, FreeBusySource } from '../../src/freebusy/source.ts';
import { CalendarReader } from '../../src/presence/calendar-reader.ts';
import { presenceContext } from '../../src/presence/the-bridge.ts';
import { MemoryWatch, START, away, busy } from './desk-world.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;

/** A server that answers when a test lets it, with the calendar as it was when it was asked. */
class SlowCalendars implements FreeBusySource {
  isBusy = false;
  isSlow = false;
  failure: BridgeError | undefined;
  /** Of this one only the server says that it is away. */
  broken: MailboxAddress | undefined;
  readonly waiting: (() => void)[] = [];
  asked = 0;

  async freeBusy({ mailboxes, window }: Parameters<FreeBusySource['freeBusy']>[0]): Promise<readonly FreeBusyResult[]> {
    this.asked += 1;
    const { isBusy, failure } = this;
    if (this.isSlow) await new Promise<void>((resolve) => void this.waiting.push(resolve));
    if (failure !== undefined) throw failure;
    return mailboxes.map((mailbox) => mailbox === this.broken ? { mailbox, error: away() } : ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: isBusy ? [busy(-600, 600)] : [] }), asOf: Date.now() }));
  }
}

let source: SlowCalendars;
let watch: MemoryWatch;
let reader: CalendarReader;
/** What was shown, in order. */
let shown: ('busy' | 'free')[];
/** Who is not to be believed any more. */
let lost: MailboxAddress[];

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  source = new SlowCalendars();
  watch = new MemoryWatch();
  shown = [];
  lost = [];
  reader = new CalendarReader({
    channel: { name: 'Head office', source, watch, mailboxesPerRequest: 100, requests: 8, timeoutMs: 20_000, queue: 1_000 },
    clock: { now: () => Date.now() },
    logger: silentLogger,
    onRead: (_mailbox, { busy: found }) => void shown.push(found.length > 0 ? 'busy' : 'free'),
    onLost: (mailbox) => void lost.push(mailbox),
  });
});

afterEach(() => {
  reader.stop();
  vi.useRealTimers();
});

async function follow(...mailboxes: MailboxAddress[]): Promise<void> {
  reader.follow(new Set(mailboxes));
  await vi.advanceTimersByTimeAsync(10);
}

function ask(): Promise<void> {
  return reader.readNow(ANNA, presenceContext(Date.now() + 15_000, new AbortController().signal));
}

describe('a reading that began before a change', () => {
  it('for somebody who waits does not use up the notification', async () => {
    await follow(ANNA);
    source.isSlow = true;
    const asked = ask();
    source.isBusy = true;
    reader.changed([ANNA]);
    source.waiting.shift()!();
    await asked;
    source.isSlow = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown).toEqual(['free', 'free', 'busy']);
  });

  it('does not win over one that began after it, though it comes in later', async () => {
    await follow(ANNA);
    source.isSlow = true;
    const asked = ask();
    source.isSlow = false;
    source.isBusy = true;
    reader.changed([ANNA]);
    await vi.advanceTimersByTimeAsync(1_000);
    source.waiting.shift()!();
    await asked;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown).toEqual(['free', 'busy']);
  });

  it('is not shared with whoever asks after it', async () => {
    await follow(ANNA);
    source.isSlow = true;
    const first = ask();
    source.isSlow = false;
    source.isBusy = true;
    reader.changed([ANNA]);
    await ask();
    expect(shown).toEqual(['free', 'busy']);
    source.waiting.shift()!();
    await first;
    expect(shown).toEqual(['free', 'busy']);
  });

  it('in the background does not win over one for somebody who waits', async () => {
    await follow(ANNA);
    source.isSlow = true;
    reader.changed([ANNA]);
    await vi.advanceTimersByTimeAsync(1_000);
    source.isSlow = false;
    source.isBusy = true;
    await ask();
    source.waiting.shift()!();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown).toEqual(['free', 'busy']);
  });
});

describe('refused credentials', () => {
  it('are not tried again for whoever asks either: accounts get locked', async () => {
    watch.mode = 'polled';
    await follow(ANNA);
    source.failure = new BridgeError('BACKEND_AUTH', 'wrong password');
    for (let time = 0; time < 10; time++) await expect(ask()).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(source.asked).toBe(2);
    source.failure = undefined;
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
    await ask();
  });

  it('make unknown whoever is due, though few of them are asked', async () => {
    watch.mode = 'polled';
    const many = Array.from({ length: 3_000 }, (_, index) => `user${index}@corp.example` as MailboxAddress);
    await follow(...many);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(shown).toHaveLength(3_000);
    const { asked } = source;
    source.failure = new BridgeError('BACKEND_AUTH', 'wrong password');
    await vi.advanceTimersByTimeAsync(16 * MINUTE_MS);
    expect(new Set(lost).size).toBe(3_000);
    expect(source.asked - asked).toBeLessThanOrEqual(4 * 8);
    source.failure = undefined;
    await vi.advanceTimersByTimeAsync(6 * MINUTE_MS);
    expect(shown.slice(-3_000).every((one) => one === 'free')).toBe(true);
  });
});

describe('a server that fails as a whole', () => {
  it('is no proof of what nobody tells of: whoever was not due is unknown ten minutes later', async () => {
    watch.mode = 'hinted';
    const many = Array.from({ length: 30 }, (_, index) => `user${index}@corp.example` as MailboxAddress);
    await follow(...many);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    source.failure = away();
    reader.changed(many.slice(0, 1));
    await vi.advanceTimersByTimeAsync(12 * MINUTE_MS);
    expect(new Set(lost).size).toBe(30);
    source.failure = undefined;
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
    expect(shown.slice(-30).every((one) => one === 'free')).toBe(true);
  });

  it('is believed about whom its notifications provably come, and one broken mailbox is not the server', async () => {
    watch.mode = 'hinted';
    const many = Array.from({ length: 30 }, (_, index) => `user${index}@corp.example` as MailboxAddress);
    await follow(...many);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    source.broken = many[0];
    reader.changed(many.slice(0, 1));
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect(new Set(lost)).toEqual(new Set([many[0]]));
    watch.mode = 'live';
    source.failure = away();
    await vi.advanceTimersByTimeAsync(12 * MINUTE_MS);
    expect(new Set(lost)).toEqual(new Set([many[0]]));
  });
});
