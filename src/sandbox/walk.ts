import { HOUR_MS, SECOND_MS } from '../core/clock.ts';
import type { CalendarStore } from './calendar-store.ts';
import { drawHours, drawLegend, drawRow, halfHours } from './day-picture.ts';
import type { Drawing } from './day-picture.ts';
import { askAsExchangeUser, exchangeUserTarget } from './exchange-user.ts';
import { midnight, PRESENT_PERSON } from './people.ts';
import type { Sandbox, SandboxClients } from './sandbox.ts';
import { ENTRY_STATUS } from './status-row.ts';
import type { Status } from './status-row.ts';
import { askExchangeAbout, freeBusyTarget } from './zimbra-client.ts';
import type { ShownMailbox, Window } from './zimbra-client.ts';

/** One question of the walk. What must come out is read from the stand-ins' calendars, never from the bridge. */
interface Step {
  readonly title: string;
  readonly asks: 'zimbra' | 'exchange';
  readonly addresses: readonly string[];
  /** Addresses of which the answer must be "no data" from end to end. */
  readonly unknown?: readonly string[];
  /** The whole answer must be there by then. */
  readonly withinMs?: number;
  readonly before?: (sandbox: Sandbox) => Promise<void>;
  readonly remark: string;
}

/** Loose enough for a machine under load, far below what a user would call hanging. */
const DEADLINE_AND_A_BIT_MS = 4 * SECOND_MS;

export const STEPS: readonly Step[] = [
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
    before: (sandbox) => sandbox.exchangeEws.setMode('silent'),
    remark: 'no data for her within the deadline, and the others are not made to suffer',
  },
  {
    title: 'It is back',
    asks: 'zimbra',
    addresses: ['clara@corp.example'],
    before: (sandbox) => sandbox.exchangeEws.setMode('up'),
    remark: 'nothing had to be restarted',
  },
];

/**
 * Shows on a terminal what the bridge does between the stand-ins, and checks it: every row is compared with the calendar it
 * comes from. Takes about the bridge's deadline. True when everything came out as it must.
 *
 * @param print gets one line at a time, without its end
 * @param drawing default: blocks on a terminal, plain ASCII elsewhere
 */
export async function guidedWalk(
  sandbox: Sandbox,
  bridgeUrl: string,
  credentials: SandboxClients,
  print: (line: string) => void,
  drawing: Drawing = process.stdout.isTTY ? 'unicode' : 'ascii',
): Promise<boolean> {
  const today = midnight(sandbox.clock.now());
  const window: Window = { start: today + 7 * HOUR_MS, end: today + 19 * HOUR_MS };
  print(`A guided walk: ${new Date(today).toISOString().slice(0, 10)}, 07:00 to 19:00 UTC`);
  print(drawLegend(drawing));
  let isGood = true;
  try {
    for (const [index, step] of STEPS.entries()) {
      print('');
      print(`${index + 1}. ${step.title}`);
      const mistakes = await walkStep(sandbox, bridgeUrl, credentials, window, step, drawing, print);
      for (const mistake of mistakes) print(`   NOT AS IT MUST BE: ${mistake}`);
      isGood &&= mistakes.length === 0;
    }
  } finally {
    // A walk that breaks off must not leave a stand-in dead for whoever plays on.
    await sandbox.exchangeEws.setMode('up');
  }
  print('');
  for (const line of whatNext(bridgeUrl, credentials, window)) print(line);
  return isGood;
}

async function walkStep(
  sandbox: Sandbox,
  bridgeUrl: string,
  credentials: SandboxClients,
  window: Window,
  step: Step,
  drawing: Drawing,
  print: (line: string) => void,
): Promise<readonly string[]> {
  await step.before?.(sandbox);
  const target = step.asks === 'zimbra' ? freeBusyTarget(step.addresses, window.start, window.end, 15) : exchangeUserTarget(step.addresses, window);
  print(`   GET ${target}`);
  const began = performance.now();
  let shown: readonly ShownMailbox[];
  try {
    shown = step.asks === 'zimbra' ? await askExchangeAbout(bridgeUrl, step.addresses, window, credentials.zimbra) : await askAsExchangeUser(bridgeUrl, step.addresses, window, credentials.exchange);
  } catch (error) {
    return [error instanceof Error ? error.message : 'no answer'];
  }
  const tookMs = Math.round(performance.now() - began);
  const width = Math.max(...step.addresses.map((one) => one.length));
  print(`   ${' '.repeat(width)}  ${drawHours(window.start, window.end)}`);
  const mistakes = shown.flatMap(({ address, slots }) => {
    const row = halfHours(slots, window.start, window.end);
    print(`   ${address.padEnd(width)}  ${drawRow(row, drawing)}`);
    const expected = expectedRow(sandbox, address, window, step.unknown?.includes(address) ?? false);
    return expected.join() === row.join() ? [] : [`${address} should read ${drawRow(expected, drawing)}`];
  });
  print(`   ${tookMs} ms: ${step.remark}`);
  if (step.withinMs !== undefined && tookMs > step.withinMs) return [...mistakes, `it took ${tookMs} ms`];
  return mistakes;
}

function expectedRow(sandbox: Sandbox, address: string, window: Window, isUnknown: boolean): readonly Status[] {
  if (isUnknown) return halfHours([{ ...window, status: 'no-data' }], window.start, window.end);
  const { exchange2003, exchangeEws, zimbra } = sandbox.calendars;
  const stores: readonly CalendarStore[] = [exchange2003, exchangeEws, zimbra];
  const entries = stores.flatMap((one) => one.touching(address, window.start, window.end));
  return halfHours(entries.map((one) => ({ start: one.start, end: one.end, status: ENTRY_STATUS[one.type] })), window.start, window.end);
}

function whatNext(bridgeUrl: string, credentials: SandboxClients, window: Window): readonly string[] {
  const base = bridgeUrl.replace(/\/+$/, '');
  const curl = `curl -s -u ${credentials.curl.username}:${credentials.curl.password}`;
  const zimbra = `curl -s -u ${credentials.zimbra.username}:${credentials.zimbra.password}`;
  const [from, to] = [window.start, window.end].map((at) => new Date(at).toISOString().replace(/\.\d+/, ''));
  return [
    'Try it yourself:',
    `  ${curl} '${base}/api/v1/freebusy?mailbox=anna@legacy.example&mailbox=clara@corp.example&mailbox=kim@zimbra.example&start=${from}&end=${to}'`,
    `  ${curl} '${base}/api/v1/presence/${PRESENT_PERSON}'`,
    `  ${zimbra} '${base}${freeBusyTarget(['anna@legacy.example'], window.start, window.end, 30)}'`,
    'Change a calendar, in another terminal, and ask again:',
    `  node dist/main.js sandbox add anna@legacy.example --from ${from} --to ${to} --type oof --subject 'Away'`,
    'The bridge carries free/busy only: invitations, answers and cancellations travel by mail and are no business of the bridge.',
  ];
}
