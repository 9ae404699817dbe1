import { setTimeout as wait } from 'node:timers/promises';
import { vi } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { LogFields, Logger } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { ChangeNotice, FeedMemory } from '../../../src/freebusy/change-feed.ts';
import { createZimbraHome } from '../../../src/protocols/zimbra-soap/home.ts';
import type { ZimbraHome, ZimbraHomeOptions } from '../../../src/protocols/zimbra-soap/home.ts';

export class Memory implements FeedMemory {
  readonly places = new Map<string, string>();
  /** Every save, in order. */
  readonly saved: string[] = [];
  fail: Error | undefined;

  async load(key: string): Promise<string | undefined> {
    if (this.fail !== undefined) throw this.fail;
    return this.places.get(key);
  }

  async save(key: string, place: string): Promise<void> {
    if (this.fail !== undefined) throw this.fail;
    this.saved.push(place);
    this.places.set(key, place);
  }
}

export interface HomeUnderTest {
  readonly home: ZimbraHome;
  readonly memory: Memory;
  readonly clock: { at: number; now(): number };
  readonly logged: { readonly fields: LogFields; readonly message: string }[];
  /** The pauses it asked for, in milliseconds; it got `briefPause`. */
  readonly pauses: number[];
}

export function homeAgainst(url: URL, options: Partial<ZimbraHomeOptions> = {}): HomeUnderTest {
  const memory = new Memory();
  const clock = { at: 1_800_000_000_000, now: () => clock.at };
  const logged: HomeUnderTest['logged'] = [];
  const log = (fields: LogFields, message: string): void => void logged.push({ fields, message });
  const logger: Logger = { ...silentLogger, info: log, warn: log, error: log };
  const pauses: number[] = [];
  const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
    pauses.push(ms);
    await briefPause(ms, signal);
  };
  const home = createZimbraHome({
    name: 'zimbra',
    adminUrl: url,
    username: 'bridge-admin@zimbra.example',
    password: 's<3&cret',
    hosts: [],
    domains: ['zimbra.example'],
    mailboxes: [],
    memory,
    clock,
    logger,
    timing: { pause, blockMs: 2_000, patienceMs: 1_000 },
    ...options,
  });
  return { home, memory, clock, logged, pauses };
}

/** A millisecond in place of seconds; the hour between two looks at the servers stays one. */
export async function briefPause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms > 3_000_000 ? ms : Math.min(1, Math.max(0, ms)), undefined, { signal }).catch(() => undefined);
}

export interface Listening {
  readonly notices: ChangeNotice[];
  /** All mailboxes told of since the start, in order. */
  mailboxes(): readonly MailboxAddress[];
  resyncs(): readonly string[];
  stop(): Promise<void>;
}

/** Runs the feed; `onChange` may fail for as long as it wants. */
export function listen(home: ZimbraHome, onChange: (notice: ChangeNotice) => Promise<void> = async () => undefined): Listening {
  const notices: ChangeNotice[] = [];
  const stop = new AbortController();
  const done = home.feed.run(async (notice) => {
    await onChange(notice);
    notices.push(notice);
  }, stop.signal);
  return {
    notices,
    mailboxes: () => notices.flatMap((notice) => (notice.kind === 'changed' ? notice.mailboxes : [])),
    resyncs: () => notices.flatMap((notice) => (notice.kind === 'resync' ? [notice.reason] : [])),
    stop: async () => {
      stop.abort();
      await done;
    },
  };
}

/** Waits until it holds. */
export async function until(check: () => boolean, what = 'it to happen', timeout = 10_000): Promise<void> {
  await vi.waitFor(() => {
    if (!check()) throw new Error(`waited for ${what}`);
  }, { timeout, interval: 5 });
}
