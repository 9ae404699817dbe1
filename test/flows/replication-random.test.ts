import { afterAll, beforeAll, expect, it } from 'vitest';
import { ENTRY_TYPES } from '../../src/sandbox/calendar-store.ts';
import type { Entry, NewEntry } from '../../src/sandbox/calendar-store.ts';
import type { PublishedMessage } from '../../src/sandbox/message-folder.ts';
import { until } from './bridge-process.ts';
import { DAY_MS, MINUTE_MS, Place, messageOf, openWorld, tell, today } from './replication-world.ts';
import type { World } from './replication-world.ts';

/**
 * Issue 3, "Done when": random calendars, through the whole bridge, read back by the stand-ins' own decoder and compared minute by
 * minute with the calendar. Another run: RANDOM_SEED=… of the run that failed.
 */

const SEED = Number(process.env['RANDOM_SEED'] ?? Date.now() % 1_000_000_007);
const PEOPLE = Array.from({ length: 30 }, (_, index) => `random${index}@zimbra.example`);
/** So that the end of a year is always in it. */
const AHEAD_DAYS = 400;
const PAST_DAYS = 7;

let world: World;
let place: Place;
let url: string;
beforeAll(async () => {
  process.stdout.write(`  RANDOM_SEED=${SEED}\n`);
  world = await openWorld({ mailboxes: PEOPLE });
  place = await Place.make(world.config({ replication: ['webdav', 'ews'].map((to) => ({ from: 'zimbra', to, past: `${PAST_DAYS}d`, ahead: `${AHEAD_DAYS}d` })) }), 'without-redis');
});
afterAll(async () => {
  await place.close();
  await world.close();
});

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = generator(SEED);
const upTo = (count: number): number => Math.floor(random() * count);
const oneOf = <T>(values: readonly T[]): T => values[upTo(values.length)]!;

/** Anywhere, or close to where a month, the year or the window ends; seldom on a whole minute. */
function anEntry(): NewEntry {
  const date = new Date(today());
  const monthEnd = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + upTo(15), 1);
  const yearEnd = Date.UTC(date.getUTCFullYear() + 1, 0, 1);
  const anywhere = today() - 10 * DAY_MS + upTo((AHEAD_DAYS + 15) * DAY_MS);
  const anchor = oneOf([anywhere, anywhere, monthEnd, yearEnd, today(), today() - PAST_DAYS * DAY_MS, today() + AHEAD_DAYS * DAY_MS]);
  const length = oneOf([1, 59_999, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3_600_000, 1 + upTo(5 * 3_600_000), DAY_MS, 3 * DAY_MS + upTo(DAY_MS), 40 * DAY_MS]);
  const offset = oneOf([0, 0, 1, 999, MINUTE_MS, upTo(3 * 3_600_000)]) * oneOf([1, -1]);
  const start = anchor + offset - oneOf([0, length, Math.floor(length / 2)]);
  return { start, end: start + length, type: oneOf(ENTRY_TYPES) };
}

/** 0 free, 1 tentative, 2 busy, 3 away: one a minute, the strongest that touches it. */
const STRENGTH: Readonly<Record<string, number>> = { tentative: 1, busy: 2, oof: 3 };

function minutesOfCalendar(entries: readonly Entry[], start: number, end: number): Uint8Array {
  const minutes = new Uint8Array((end - start) / MINUTE_MS);
  for (const entry of entries) {
    const strength = STRENGTH[entry.type] ?? 0;
    for (let at = Math.floor((entry.start - start) / MINUTE_MS); at * MINUTE_MS + start < entry.end; at++) {
      if (at >= 0 && at < minutes.length && minutes[at]! < strength) minutes[at] = strength;
    }
  }
  return minutes;
}

function minutesOfMessage(message: PublishedMessage): Uint8Array {
  const { publishStart, publishEnd, intervals } = message;
  const minutes = new Uint8Array((publishEnd - publishStart) / MINUTE_MS);
  for (const [name, strength] of [['tentative', 1], ['busy', 2], ['away', 3]] as const) {
    for (const span of intervals[name]) minutes.fill(strength, (span.start - publishStart) / MINUTE_MS, (span.end - publishStart) / MINUTE_MS);
  }
  return minutes;
}

/** The first minute that differs, in words; undefined where all are the same. */
function difference(address: string): string | undefined {
  for (const [name, exchange] of world.exchanges) {
    const message = messageOf(exchange, address);
    if (message === undefined) return `${name} has no message of ${address}`;
    const { publishStart, publishEnd } = message;
    const [shown, wanted] = [minutesOfMessage(message), minutesOfCalendar(world.calendars.list(address), publishStart, publishEnd)];
    if (Buffer.compare(shown, wanted) === 0) continue;
    const at = shown.findIndex((one, index) => one !== wanted[index]);
    return `${name} shows ${shown[at]} and not ${wanted[at]} for ${address} at ${new Date(publishStart + at * MINUTE_MS).toISOString()}`;
  }
  return undefined;
}

async function isAllRight(): Promise<void> {
  for (const address of PEOPLE) await until(() => (difference(address) === undefined ? true : undefined), 60_000, () => `${difference(address)} (RANDOM_SEED=${SEED})`);
  for (const [, exchange] of world.exchanges) {
    for (const { publishStart, publishEnd } of exchange.published()) {
      // Midnight may pass meanwhile.
      expect([today(), today() - DAY_MS]).toContain(publishStart + PAST_DAYS * DAY_MS);
      expect(publishEnd - publishStart).toBe((PAST_DAYS + AHEAD_DAYS) * DAY_MS);
    }
  }
}

it('shows in both Exchanges, minute by minute, what random calendars hold', async () => {
  for (const [index, address] of PEOPLE.entries()) for (let left = index === 0 ? 0 : 1 + upTo(40); left > 0; left--) world.calendars.add(address, anEntry());
  url = await place.serve();
  await isAllRight();
}, 120_000);

it('shows what they hold after much was taken away and added', async () => {
  for (const address of PEOPLE) {
    const entries = world.calendars.list(address);
    // Whole types vanish, and with them their properties.
    const gone = oneOf([...ENTRY_TYPES, 'all', 'some']);
    for (const entry of entries) if (gone === 'all' || entry.type === gone || (gone === 'some' && random() < 0.5)) world.calendars.remove(address, entry.id);
    for (let more = upTo(4); more > 0; more--) world.calendars.add(address, anEntry());
  }
  expect((await tell(url, PEOPLE)).status).toBe(202);
  await isAllRight();
}, 120_000);
