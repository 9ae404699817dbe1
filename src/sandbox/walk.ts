import { HOUR_MS, SECOND_MS } from '../core/clock.ts';
import { drawLegend } from './day-picture.ts';
import type { Drawing } from './day-picture.ts';
import { exchangeUserTarget } from './exchange-user.ts';
import { midnight, PRESENT_PERSON } from './people.ts';
import type { Sandbox, SandboxClients } from './sandbox.ts';
import { walkAddressBook } from './walk-address-book.ts';
import { walkPresence } from './walk-presence.ts';
import { walkFirstPass, walkReplication } from './walk-replication.ts';
import { LOOKUP_STEPS, OTHER_WAY_STEP, OUTLOOK_STEP, walkStep } from './walk-steps.ts';
import type { Step, Walk } from './walk-steps.ts';
import { freeBusyTarget } from './zimbra-client.ts';
import type { Window } from './zimbra-client.ts';

export interface WalkOptions {
  /** Default: blocks on a terminal, plain ASCII elsewhere. */
  readonly drawing?: Drawing;
  /** Whether the bridge replicates, as the sandbox's configuration tells it to; default false. */
  readonly replication?: boolean;
  /** Whether the bridge keeps an address book, as the sandbox's configuration tells it to; default false. */
  readonly addressBook?: boolean;
  /** Whether the bridge hears of changes for presence, as the sandbox's configuration tells it to; default false. */
  readonly presence?: boolean;
  /** How long a change may take to reach the other side; default 10 s. */
  readonly patienceMs?: number;
}

/**
 * Shows on a terminal what the bridge does between the stand-ins, and checks it: every row and every message is compared with
 * the calendar it comes from. Takes about the bridge's deadline. True when everything came out as it must.
 *
 * @param print gets one line at a time, without its end
 */
export async function guidedWalk(
  sandbox: Sandbox,
  bridgeUrl: string,
  credentials: SandboxClients,
  print: (line: string) => void,
  options: WalkOptions = {},
): Promise<boolean> {
  const today = midnight(sandbox.clock.now());
  const window: Window = { start: today + 7 * HOUR_MS, end: today + 19 * HOUR_MS };
  const drawing = options.drawing ?? (process.stdout.isTTY ? 'unicode' : 'ascii');
  const walk: Walk = { sandbox, bridgeUrl, credentials, window, drawing, print, patienceMs: options.patienceMs ?? 10 * SECOND_MS };
  const replicates = options.replication === true;
  const asking = (step: Step): Stage => ({ title: step.title, go: () => walkStep(walk, step) });
  const stages: readonly Stage[] = [
    ...(replicates ? [{ title: 'At its start the bridge writes about every Zimbra user that Exchange knows', go: () => walkFirstPass(walk) }] : []),
    // Before one of the steps below makes Exchange fall silent.
    ...(options.presence === true ? [{ title: 'Somebody enters an absence in Outlook, and whoever watches sees it', go: () => walkPresence(walk) }] : []),
    ...LOOKUP_STEPS.map(asking),
    ...(replicates ? [{ title: 'A Zimbra user adds an appointment, and both Exchanges are told', go: () => walkReplication(walk) }, asking(OUTLOOK_STEP)] : []),
    asking(OTHER_WAY_STEP),
    ...(options.addressBook === true ? [{ title: 'Somebody writes a mail, and begins a name that only the other side knows', go: () => walkAddressBook(walk) }] : []),
  ];
  print(`A guided walk: ${new Date(today).toISOString().slice(0, 10)}, 07:00 to 19:00 UTC`);
  print(drawLegend(drawing));
  let isGood = true;
  try {
    for (const [index, stage] of stages.entries()) {
      print('');
      print(`${index + 1}. ${stage.title}`);
      const mistakes = await stage.go();
      for (const mistake of mistakes) print(`   NOT AS IT MUST BE: ${mistake}`);
      isGood &&= mistakes.length === 0;
    }
  } finally {
    // A walk that breaks off must not leave a stand-in dead for whoever plays on.
    await sandbox.exchangeEws.setMode('up');
  }
  print('');
  for (const line of whatNext(walk, replicates, options.addressBook === true)) print(line);
  return isGood;
}

interface Stage {
  readonly title: string;
  /** What is wrong, in words. */
  readonly go: () => Promise<readonly string[]>;
}

function whatNext({ sandbox, bridgeUrl, credentials, window }: Walk, replicates: boolean, addressBook: boolean): readonly string[] {
  const base = bridgeUrl.replace(/\/+$/, '');
  const curl = `curl -s -u ${credentials.curl.username}:${credentials.curl.password}`;
  const zimbra = `curl -s -u ${credentials.zimbra.username}:${credentials.zimbra.password}`;
  const { exchange2003 } = sandbox.accounts;
  const [from, to] = [window.start, window.end].map((at) => new Date(at).toISOString().replace(/\.\d+/, ''));
  const replication = [
    'Change a calendar of Zimbra: its WaitSet tells the bridge, which writes into both Exchanges within a second. Then ask Exchange 2003 itself:',
    `  node dist/main.js sandbox add kim@zimbra.example --from ${from} --to ${to} --type oof --subject 'Away'`,
    `  curl -s -A MSIE -u ${exchange2003.username}:${exchange2003.password} '${sandbox.exchange2003.url}${exchangeUserTarget(['kim@zimbra.example'], window)}'`,
  ];
  return [
    'Try it yourself:',
    `  ${curl} '${base}/api/v1/freebusy?mailbox=anna@legacy.example&mailbox=clara@corp.example&mailbox=kim@zimbra.example&start=${from}&end=${to}'`,
    `  ${curl} '${base}/api/v1/presence/${PRESENT_PERSON}'`,
    `  ${curl} -N '${base}/api/v1/presence/events?snapshot=true'`,
    `  ${curl} '${base}/freebusy/kim@zimbra.example.ifb'`,
    ...(addressBook ? [`  ${curl} '${base}/api/v1/directory?q=an'`] : []),
    `  ${zimbra} '${base}${freeBusyTarget(['anna@legacy.example'], window.start, window.end, 30)}'`,
    'Change a calendar, in another terminal, and ask again:',
    `  node dist/main.js sandbox add anna@legacy.example --from ${from} --to ${to} --type oof --subject 'Away'`,
    ...(replicates ? replication : []),
    'The bridge carries free/busy only: invitations, answers and cancellations travel by mail and are no business of the bridge.',
  ];
}
