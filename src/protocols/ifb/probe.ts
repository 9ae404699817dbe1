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
  readonly get: (mailbox: MailboxAddress, window: Interval) => Promise<IfbFetched>;
}

/** No server has it: a 404 for it shows that the server answers and lets us in. */
const NOBODY = 'freebusy-bridge-check@invalid' as MailboxAddress;

/** Asks about one mailbox for the coming day and says what came of it. */
export async function probeIfb({ clock, mailbox, get }: IfbProbe): Promise<readonly ProbeFinding[]> {
  const now = clock.now();
  try {
    const { reply, date } = await get(mailbox ?? NOBODY, { start: now, end: now + DAY_MS });
    const covers = `${new Date(reply.window.start).toISOString()} to ${new Date(reply.window.end).toISOString()}`;
    const read: ProbeFinding = { step: 'right to read', outcome: 'ok', text: `a whole VFREEBUSY about ${covers}` };
    return [read, ...clockFinding(date, now)];
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (mailbox === undefined && (error.code === 'MAILBOX_UNKNOWN' || error.code === 'MAILBOX_REFUSED')) {
      return [{ step: 'connection', outcome: 'ok', text: 'it answers; no mailbox was named to read' }];
    }
    const advice = ADVICE[error.code] ?? 'see what the URL answers with curl';
    return [{ step: error.code === 'BACKEND_AUTH' ? 'sign-in' : 'right to read', outcome: 'fail', text: `${error.code}: ${error.publicMessage}`, advice }];
  }
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  MAILBOX_UNKNOWN: 'check the template in `url` against a URL that works in a browser',
  MAILBOX_REFUSED: 'the server shows this mailbox to others than us: see its rights, or whether it wants username and password',
  NO_DATA: 'the URL must answer 200 with a VFREEBUSY that has DTSTART and DTEND',
  BACKEND_AUTH: 'check username and password',
  BACKEND_UNREACHABLE: 'check the host name, the port and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
};
