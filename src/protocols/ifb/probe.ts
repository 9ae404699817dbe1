import { DAY_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { IfbFetched } from './answer.ts';

interface IfbProbe {
  readonly clock: Clock;
  readonly mailbox: MailboxAddress | undefined;
  /** Whether it signs in. */
  readonly hasAccount: boolean;
  readonly get: (mailbox: MailboxAddress, window: Interval) => Promise<IfbFetched>;
}

/** No server has it: a 404 for it shows that the server answers and lets us in. */
const NOBODY = 'freebusy-bridge-check@invalid' as MailboxAddress;

/** Asks about one mailbox for the coming day and says what came of it. */
export async function probeIfb({ clock, mailbox, hasAccount, get }: IfbProbe): Promise<readonly ProbeFinding[]> {
  const now = clock.now();
  try {
    const { reply, date } = await get(mailbox ?? NOBODY, { start: now, end: now + DAY_MS });
    const covers = `${new Date(reply.window.start).toISOString()} to ${new Date(reply.window.end).toISOString()}`;
    const read: ProbeFinding = { step: 'right to read', outcome: 'ok', text: `a whole VFREEBUSY about ${covers}` };
    return [read, ...clockFinding(date, now)];
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (mailbox === undefined && error.code === 'MAILBOX_REFUSED') {
      return [{ step: 'right to read', outcome: 'warn', text: 'it forbids to read a made-up mailbox (403)', advice: `list a real one under \`mailboxes\`, which tells whether it shows those${hasAccount ? '' : '; or does it want username and password?'}` }];
    }
    if (mailbox === undefined && error.code === 'MAILBOX_UNKNOWN') {
      return [{ step: 'connection', outcome: 'ok', text: 'it answers; no mailbox was named to read' }];
    }
    const advice = (error.code === 'BACKEND_AUTH' ? signInAdvice(hasAccount, String(error.details['offers'] ?? '')) : ADVICE[error.code]) ?? 'see what the URL answers with curl';
    const seen = error.details['target'] ?? error.details['status'];
    const text = `${error.code}: ${error.publicMessage}${seen === undefined ? '' : ` (${String(seen)})`}`;
    return [{ step: error.code === 'BACKEND_AUTH' ? 'sign-in' : 'right to read', outcome: 'fail', text, advice }];
  }
}

function signInAdvice(hasAccount: boolean, offers: string): string {
  if (!/^$|^nothing$|\bbasic\b/i.test(offers)) return `it offers ${offers}, and the bridge signs in to a URL by Basic only: switch Basic on for it`;
  return hasAccount ? 'check username and password' : 'it wants a sign-in: set username and password';
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  MAILBOX_UNKNOWN: 'check the template in `url` against a URL that works in a browser',
  MAILBOX_REFUSED: 'the server shows this mailbox to others than us: see its rights, or whether it wants username and password',
  NO_DATA: 'the URL must answer 200 with a VFREEBUSY that has DTSTART and DTEND',
  BACKEND_UNREACHABLE: 'check the host name, the port and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_BUSY: 'it says that it is busy, or its service is stopped: look at its load, and try again later',
  DEADLINE: 'it accepts and stays silent: look at its load, or at a firewall in between',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
};
