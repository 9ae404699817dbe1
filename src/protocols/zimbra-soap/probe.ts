import { DAY_MS, HOUR_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { floorTo } from '../../freebusy/interval.ts';
import { childText } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { encodeGetFreeBusyRequest } from './get-free-busy-request.ts';
import { ZIMBRA_ACCOUNT_NS } from './names.ts';
import { decodeGetFreeBusyResponse } from './read-get-free-busy-response.ts';
import type { ZimbraExchange } from './upstream-answer.ts';

interface ZimbraProbe {
  readonly clock: Clock;
  readonly username: string;
  readonly mailbox: MailboxAddress | undefined;
  readonly signIn: () => Promise<void>;
  readonly call: (request: XmlNode) => Promise<ZimbraExchange>;
}

/** Signs in, asks about one mailbox for the coming day, and for the server's version. */
export async function probeZimbra(probe: ZimbraProbe): Promise<readonly ProbeFinding[]> {
  try {
    await probe.signIn();
  } catch (thrown) {
    return [probeFailure('sign-in', toBridgeError(thrown))];
  }
  const signedIn: ProbeFinding = { step: 'sign-in', outcome: 'ok', text: 'the account got a token' };
  return [signedIn, ...(await readFindings(probe)), await versionFinding(probe)];
}

async function readFindings({ clock, username, mailbox, call }: ZimbraProbe): Promise<readonly ProbeFinding[]> {
  const asked = mailbox ?? parseMailboxAddress(username);
  if (asked === undefined) {
    const advice = 'list one under `mailboxes`, or give the account by its address';
    return [{ step: 'right to read', outcome: 'warn', text: 'not tried: no mailbox was named', advice }];
  }
  const start = floorTo(clock.now(), HOUR_MS);
  const window = { start, end: start + DAY_MS };
  try {
    const { response, date } = await call(encodeGetFreeBusyRequest([asked], window));
    const now = clock.now();
    const [result] = decodeGetFreeBusyResponse(response, { mailboxes: [asked], window, details: false, now });
    const read: ProbeFinding =
      result === undefined || 'error' in result
        ? {
            step: 'right to read',
            outcome: 'warn',
            text: `no data about ${asked}: ${result?.error.publicMessage ?? 'no answer'}`,
            advice: 'the mailbox does not exist there, or its owner took viewFreeBusy away',
          }
        : { step: 'right to read', outcome: 'ok', text: `free/busy of ${asked} for the coming day, ${result.freeBusy.busy.length} busy stretches` };
    return [read, ...clockFinding(date, now)];
  } catch (thrown) {
    return [probeFailure('right to read', toBridgeError(thrown))];
  }
}

/** Zimbra tells its version to signed-in users unless zimbraSoapExposeVersion is off; unread so far on any wire, so silence is no failure. */
async function versionFinding({ call }: ZimbraProbe): Promise<ProbeFinding> {
  try {
    const { response } = await call(el('GetInfoRequest', { xmlns: ZIMBRA_ACCOUNT_NS, sections: 'mbox' }));
    const version = childText(response, 'version') ?? '';
    if (/^[\w. ()-]{1,80}$/.test(version)) return { step: 'version', outcome: 'ok', text: `Zimbra ${version}` };
    return { step: 'version', outcome: 'ok', text: 'the server does not tell its version' };
  } catch (thrown) {
    return { step: 'version', outcome: 'ok', text: `not told to this account${toBridgeError(thrown).code === 'BACKEND_FAULT' ? '' : ` (${toBridgeError(thrown).code})`}` };
  }
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BACKEND_AUTH: 'check username and password; the account must be active, without a second factor',
  BACKEND_UNREACHABLE: 'check the host name, the port and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
  BACKEND_MALFORMED: 'url must be the root of a Zimbra server (or its proxy), without /service/soap',
  BACKEND_FAULT: 'url must be the root of a Zimbra server (or its proxy); see its mailbox.log',
  BACKEND_BUSY: 'try again later; see zimbraHttpThrottleSafeIPs',
  DEADLINE: 'the server accepts and stays silent: check the proxy before it',
};

/** A step that failed, and what to do about it. */
export function probeFailure(step: string, error: BridgeError): ProbeFinding {
  const fault = error.details['fault'] ?? error.details['target'] ?? error.details['status'];
  const text = `${error.code}: ${error.publicMessage}${fault === undefined ? '' : ` (${String(fault)})`}`;
  return { step, outcome: 'fail', text, advice: ADVICE[error.code] ?? 'see the log of the server' };
}
