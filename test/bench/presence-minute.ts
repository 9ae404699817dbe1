import { monitorEventLoopDelay } from 'node:perf_hooks';
import { noAudit } from '../../src/core/audit.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../src/freebusy/free-busy.ts';
import type { Channel } from '../../src/presence/calendar-reader.ts';
import { PresenceDesk } from '../../src/presence/desk.ts';
import type { DeskSetup } from '../../src/presence/desk.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../src/presence/mapping.ts';
import type { OptInState } from '../../src/presence/presence-service.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { delayOf, placeOf } from '../../src/presence/spread.ts';
import { percentile } from './statistics.ts';
import { goal, table } from './table.ts';
import { usedBytes } from './used-bytes.ts';

const USERS = 15_000;
/** Ten meetings a working day for a week, and one that begins in the minute that counts. */
const MEETINGS = 50;
const LAG_GOAL_MS = 2_000;
const BYTES_GOAL = 2_048;

/** Figure 9: 15,000 people whose meetings begin in the same minute, from the calendar read to the publisher called; real time, nothing on the wire. */
export async function presenceMinute(): Promise<string> {
  const rows: (readonly string[])[] = [];
  const goals: string[] = [];
  for (const spread of [59, 50, 0]) {
    const { lags, missing, bytes, loopMs } = await oneMinute(spread);
    rows.push([`${spread} s`, String(lags.length), percentile(lags, 0.5).toFixed(1), percentile(lags, 0.99).toFixed(1), Math.max(...lags).toFixed(1), loopMs.toFixed(1), bytes.toFixed(0)]);
    goals.push(goal(`spread ${spread} s: p99 ≤ ${LAG_GOAL_MS} ms behind the planned instant, none lost`, `${percentile(lags, 0.99).toFixed(1)} ms, ${missing} lost`, percentile(lags, 0.99) <= LAG_GOAL_MS && missing === 0));
    if (spread === 59) goals.push(goal(`memory of one person ≤ ${BYTES_GOAL} bytes`, `${bytes.toFixed(0)} bytes`, bytes <= BYTES_GOAL));
  }
  return [
    `9. Presence: ${USERS.toLocaleString('en')} people whose meetings begin in the same minute, ${MEETINGS} more meetings each in the week; planned is the boundary and the person's own delay`,
    table([['calendarSpread', 'shown', 'lag p50 ms', 'p99', 'max', 'loop delay max ms', 'bytes a person'], ...rows]),
    ...goals,
  ].join('\n');
}

async function oneMinute(spread: number): Promise<{ readonly lags: readonly number[]; readonly missing: number; readonly bytes: number; readonly loopMs: number }> {
  const people = Array.from({ length: USERS }, (_, index) => `firstname.lastname${index}@corp.example` as MailboxAddress);
  // Time to read them all, then the next whole second: waiting for a minute to begin measures nothing else.
  const boundary = Math.ceil((Date.now() + 8_000) / 1000) * 1000;
  const lags: number[] = [];
  const before = usedBytes();
  let isOver = (): void => undefined;
  const over = new Promise<void>((resolve) => (isOver = resolve));
  const publisher: DeskSetup['publishers'][number] = {
    label: 'null',
    pace: { concurrency: 64, perSecond: 100_000 },
    start: () => undefined,
    publish: async (mailbox, { state }) => {
      if (state !== 'in-a-meeting') return;
      lags.push(Date.now() - boundary - delayOf(placeOf(mailbox), spread));
      if (lags.length === USERS) isOver();
    },
    withdraw: async () => undefined,
    observe: async () => undefined,
    probe: async () => [],
    close: async () => undefined,
  };
  const optedIn = new Set(people);
  const stateOf = (mailbox: MailboxAddress): OptInState => ({ mailbox, isOptedIn: optedIn.has(mailbox), by: undefined, at: undefined, language: undefined });
  const setup: DeskSetup = {
    mapping: DEFAULT_PRESENCE_MAPPING,
    precedence: ['do-not-disturb', 'manual-since', 'phone', 'out-of-office', 'meeting', 'manual', 'idle'],
    calendarSpread: spread,
    textFor: () => ({ text: '', language: 'en' }),
    resolve: (mailbox) => mailbox,
    channelOf: () => channel,
    obstacleOf: () => undefined,
    publishers: [publisher],
    gateways: [],
    labelOf: () => 'null',
    pending: () => [],
    idle: undefined,
  };
  const channel: Channel = {
    name: 'memory',
    watch: undefined,
    mailboxesPerRequest: 100,
    requests: 8,
    timeoutMs: 20_000,
    queue: USERS,
    source: { freeBusy: async ({ mailboxes, window }) => mailboxes.map((mailbox) => ({ mailbox, freeBusy: freeBusyFrom(mailbox, window, { busy: meetings(boundary) }), asOf: Date.now() })) },
  };
  const desk = new PresenceDesk({ optIns: { of: stateOf, all: () => people.map(stateOf), switch: async () => false, setLanguage: async () => undefined }, shown: memoryTexts(), own: Object.assign(new Map<string, string>(), { store: async () => undefined }), audit: noAudit, publishedBy: () => memoryTexts(), clock: systemClock, logger: silentLogger, metrics: noMetrics }, { ...setup, publishers: [] });
  await desk.apply(setup);
  while (desk.status().readsWaiting > 0 || desk.status().publishers[0]!.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const bytes = (usedBytes() - before) / USERS;
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const timer = setTimeout(() => isOver(), boundary + MINUTE_MS + 10_000 - Date.now());
  await over;
  clearTimeout(timer);
  loop.disable();
  await desk.close(0);
  return { lags, missing: USERS - lags.length, bytes, loopMs: loop.max / 1e6 };
}

function meetings(boundary: number): readonly BusyInterval[] {
  const others = Array.from({ length: MEETINGS }, (_, index): BusyInterval => {
    const start = boundary + Math.floor(index / 10) * DAY_MS + (1 + (index % 10)) * HOUR_MS;
    return { start, end: start + HOUR_MS / 2, busyType: index % 7 === 0 ? 'tentative' : 'busy' };
  });
  return [{ start: boundary, end: boundary + HOUR_MS / 2, busyType: 'busy' }, ...others];
}
