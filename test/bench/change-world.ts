import { DAY_MS, MINUTE_MS, systemClock } from '../../src/core/clock.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchange2003 } from '../../src/sandbox/exchange-2003.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import { ORGANISATION, STAND_IN_PASSWORD, ZIMBRA_DOMAIN } from './change-work.ts';
import type { ChangeResult, ChangeWork } from './change-work.ts';
import { answerMessages } from './child-process.ts';

/** How long after the last change the last message may come. */
const PATIENCE_MS = 15_000;

const clock = systemClock;
const calendars = createCalendarStore();
const zimbra = createZimbra({ username: `bridge@${ZIMBRA_DOMAIN}`, password: STAND_IN_PASSWORD, admin: { username: `admin@${ZIMBRA_DOMAIN}`, password: STAND_IN_PASSWORD }, calendars, clock });
const contactOf = (address: string): string => `${ORGANISATION}/cn=Recipients/cn=${address.split('@')[0]!}`;
const exchange = createExchange2003({ username: 'bridge', password: STAND_IN_PASSWORD, domain: 'LEGACY', calendars: createCalendarStore(), clock, auth: 'basic', contacts: contactOf });
let writes = 0;
exchange.onPublished(() => writes++);

function addressOf(index: number): string {
  return `user${index}@${ZIMBRA_DOMAIN}`;
}

async function change(perSecond: number, durationMs: number): Promise<ChangeResult> {
  const count = calendars.mailboxes().length;
  const delays: number[] = [];
  const awaited = new Map<string, { readonly start: number; readonly since: number }[]>();
  const before = writes;
  const stop = exchange.onPublished(({ legacyExchangeDn, message }) => {
    const key = legacyExchangeDn.toLowerCase();
    const starts = new Set((message?.intervals.busy ?? []).map((one) => one.start));
    const missing = awaited.get(key)?.filter((one) => {
      if (!starts.has(one.start)) return true;
      delays.push(performance.now() - one.since);
      return false;
    });
    if (missing !== undefined) awaited.set(key, missing);
  });
  const tomorrow = Math.floor(clock.now() / DAY_MS) * DAY_MS + DAY_MS;
  const added = new Map<string, number>();
  const began = performance.now();
  for (let sent = 0; performance.now() - began < durationMs; sent++) {
    const address = addressOf(Math.floor(Math.random() * count));
    // Every appointment stands alone, two minutes after the last one of its mailbox.
    const start = tomorrow + 2 * MINUTE_MS * (added.get(address) ?? 0);
    added.set(address, (added.get(address) ?? 0) + 1);
    const key = contactOf(address).toLowerCase();
    awaited.set(key, [...(awaited.get(key) ?? []), { start, since: performance.now() }]);
    calendars.add(address, { start, end: start + MINUTE_MS, type: 'busy' });
    await pauseUntil(began + ((sent + 1) * 1_000) / perSecond);
  }
  const left = (): number => [...awaited.values()].reduce((sum, one) => sum + one.length, 0);
  for (const until = performance.now() + PATIENCE_MS; left() > 0 && performance.now() < until; ) await pauseUntil(performance.now() + 20);
  stop();
  for (let missing = left(); missing > 0; missing--) delays.push(Number.MAX_SAFE_INTEGER);
  return { delays, writes: writes - before };
}

async function pauseUntil(at: number): Promise<void> {
  const ms = at - performance.now();
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

answerMessages<ChangeWork>(async (work) => {
  switch (work.kind) {
    case 'listen':
      for (let index = 0; index < work.mailboxes; index++) {
        calendars.addMailbox({ address: addressOf(index), displayName: `User ${index}` });
      }
      await Promise.all([zimbra.listen(), exchange.listen()]);
      return { zimbra: zimbra.url, exchange: exchange.url };
    case 'written':
      return { writes };
    case 'change':
      return change(work.perSecond, work.durationMs);
  }
});
