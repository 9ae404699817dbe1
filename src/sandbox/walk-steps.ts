import { HOUR_MS, SECOND_MS } from '../core/clock.ts';
import type { CalendarStore } from './calendar-store.ts';
import { drawHours, drawRow, halfHours } from './day-picture.ts';
import type { Drawing } from './day-picture.ts';
import { CROSS_FOREST_TARGETS, askAcrossForests } from './exchange-cross-forest.ts';
import { askAsExchangeUser, exchangeUserTarget } from './exchange-user.ts';
import type { Sandbox, SandboxClients } from './sandbox.ts';
import { ENTRY_STATUS } from './status-row.ts';
import type { Status } from './status-row.ts';
import { askExchangeAbout, freeBusyTarget } from './zimbra-client.ts';
import type { ShownMailbox, Window } from './zimbra-client.ts';

/** What every step of a walk needs. */
export interface Walk {
  readonly sandbox: Sandbox;
  readonly bridgeUrl: string;
  readonly credentials: SandboxClients;
  /** Of the pictures: a part of today. */
  readonly window: Window;
  readonly drawing: Drawing;
  /** Gets one line at a time, without its end. */
  readonly print: (line: string) => void;
  /** How long a change may take to reach the other side. */
  readonly patienceMs: number;
}

/** One question of the walk. What must come out is read from the stand-ins' calendars, never from the bridge. */
export interface Step {
  readonly title: string;
  /** `outlook`: somebody of Exchange 2003 asks Exchange 2003 itself; the others ask the bridge, `cross-forest` as an Exchange 2013 does. */
  readonly asks: 'zimbra' | 'exchange' | 'cross-forest' | 'outlook';
  readonly addresses: readonly string[];
  /** Addresses of which the answer must be "no data" from end to end. */
  readonly unknown?: readonly string[];
  /** The whole answer must be there by then. */
  readonly withinMs?: number;
  readonly before?: (walk: Walk) => Promise<void> | void;
  readonly remark: string;
}

/** Loose enough for a machine under load, far below what a user would call hanging. */
const DEADLINE_AND_A_BIT_MS = 4 * SECOND_MS;

/** Looking up: live questions through the bridge. */
export const LOOKUP_STEPS: readonly Step[] = [
  {
    title: 'A Zimbra user looks at two Exchange 2003 users',
    asks: 'zimbra',
    addresses: ['anna@legacy.example', 'bernd@legacy.example'],
    remark: 'asked as a stock Zimbra 8.8.15 asks, answered from cmd=freebusy of Exchange 2003',
  },
  {
    title: 'A Zimbra user looks at a user of a newer Exchange (EWS)',
    asks: 'zimbra',
    addresses: ['clara@corp.example'],
    remark: 'the same question; behind it the bridge asked GetUserAvailability',
  },
  {
    title: 'An Exchange user looks at a Zimbra user',
    asks: 'exchange',
    addresses: ['kim@zimbra.example'],
    remark: 'the other way round: the OWA face, answered from GetFreeBusy of Zimbra',
  },
  {
    title: 'A user of Exchange 2013 or later looks at a Zimbra user, and Exchange asks live',
    asks: 'cross-forest',
    addresses: ['kim@zimbra.example', 'nobody@zimbra.example'],
    unknown: ['nobody@zimbra.example'],
    remark: 'Autodiscover for the domain, then GetUserAvailability where it leads, as Add-AvailabilityAddressSpace makes Exchange do',
  },
  {
    title: 'A Zimbra user looks at somebody whom nobody knows',
    asks: 'zimbra',
    addresses: ['nobody@corp.example'],
    unknown: ['nobody@corp.example'],
    remark: 'no data; never free',
  },
  {
    title: 'The newer Exchange accepts connections and says nothing more',
    asks: 'zimbra',
    addresses: ['clara@corp.example', 'anna@legacy.example'],
    unknown: ['clara@corp.example'],
    withinMs: DEADLINE_AND_A_BIT_MS,
    before: ({ sandbox }) => sandbox.exchangeEws.setMode('silent'),
    remark: 'no data for her within the deadline, and the others are not made to suffer',
  },
  {
    title: 'It is back',
    asks: 'zimbra',
    addresses: ['clara@corp.example'],
    before: ({ sandbox }) => sandbox.exchangeEws.setMode('up'),
    remark: 'nothing had to be restarted',
  },
];

/** What an old Outlook sees afterwards: the message that the bridge wrote, and nobody is asked. */
export const OUTLOOK_STEP: Step = {
  title: 'An Outlook user looks at her, at Exchange 2003 itself',
  asks: 'outlook',
  addresses: ['kim@zimbra.example', 'mia@zimbra.example'],
  unknown: ['mia@zimbra.example'],
  remark: 'read from the public folder; mia lets nobody see her calendar, so there is no message about her, and no data',
};

/** No replication is needed this way: Zimbra asks live. */
export const OTHER_WAY_STEP: Step = {
  title: 'An Exchange user adds an appointment, and a Zimbra user looks at once',
  asks: 'zimbra',
  addresses: ['anna@legacy.example'],
  before({ sandbox, window, print }) {
    const start = window.start + 6 * HOUR_MS;
    sandbox.calendars.exchange2003.add('anna@legacy.example', { start, end: start + HOUR_MS, type: 'oof', subject: 'Doctor' });
    print(`   added at Exchange 2003: anna@legacy.example, oof, ${clockTime(start)} to ${clockTime(start + HOUR_MS)}`);
  },
  remark: 'the bridge asks every time; there is nothing to wait for',
};

/** Asks, draws and compares; what is wrong, in words. */
export async function walkStep(walk: Walk, step: Step): Promise<readonly string[]> {
  const { window, drawing, print } = walk;
  await step.before?.(walk);
  for (const question of questionsOf(step, window)) print(`   ${question}`);
  const began = performance.now();
  let shown: readonly ShownMailbox[];
  try {
    shown = await asked(walk, step);
  } catch (error) {
    return [error instanceof Error ? error.message : 'no answer'];
  }
  const tookMs = Math.round(performance.now() - began);
  const width = Math.max(...step.addresses.map((one) => one.length));
  print(`   ${' '.repeat(width)}  ${drawHours(window.start, window.end)}`);
  const mistakes = shown.flatMap(({ address, slots }) => {
    const row = halfHours(slots, window.start, window.end);
    print(`   ${address.padEnd(width)}  ${drawRow(row, drawing)}`);
    const expected = expectedRow(walk.sandbox, address, window, step.unknown?.includes(address) ?? false);
    return expected.join() === row.join() ? [] : [`${address} should read ${drawRow(expected, drawing)}`];
  });
  print(`   ${tookMs} ms: ${step.remark}`);
  if (step.withinMs !== undefined && tookMs > step.withinMs) return [...mistakes, `it took ${tookMs} ms`];
  return mistakes;
}

export function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}

function questionsOf({ asks, addresses }: Step, window: Window): readonly string[] {
  if (asks === 'cross-forest') return CROSS_FOREST_TARGETS;
  return [`GET ${asks === 'zimbra' ? freeBusyTarget(addresses, window.start, window.end, 15) : exchangeUserTarget(addresses, window)}`];
}

function asked({ sandbox, bridgeUrl, credentials, window }: Walk, { asks, addresses }: Step): Promise<readonly ShownMailbox[]> {
  switch (asks) {
    case 'zimbra':
      return askExchangeAbout(bridgeUrl, addresses, window, credentials.zimbra);
    case 'exchange':
      return askAsExchangeUser(bridgeUrl, addresses, window, credentials.exchange);
    case 'cross-forest':
      return askAcrossForests(bridgeUrl, addresses, window, credentials.exchange);
    case 'outlook':
      return askAsExchangeUser(sandbox.exchange2003.url, addresses, window, sandbox.accounts.exchange2003);
  }
}

function expectedRow(sandbox: Sandbox, address: string, window: Window, isUnknown: boolean): readonly Status[] {
  if (isUnknown) return halfHours([{ ...window, status: 'no-data' }], window.start, window.end);
  const { exchange2003, exchangeEws, zimbra } = sandbox.calendars;
  const stores: readonly CalendarStore[] = [exchange2003, exchangeEws, zimbra];
  const entries = stores.flatMap((one) => one.touching(address, window.start, window.end));
  return halfHours(entries.map((one) => ({ start: one.start, end: one.end, status: ENTRY_STATUS[one.type] })), window.start, window.end);
}
