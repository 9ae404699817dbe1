import type { Instant } from '../../core/clock.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { Exchange } from './connection.ts';
import { decodeServerVersion } from './server-version.ts';

/** What the server told besides the data. */
export interface Seen {
  /** Date header of the last answer. */
  date?: string | undefined;
  /** SOAP header of the last answer that was SOAP. */
  header?: XmlElement | undefined;
}

/** What a connection calls so that `seen` is filled. */
export function noting(seen: Seen): Pick<Exchange, 'dated' | 'inspect'> {
  return {
    dated: (date) => {
      seen.date = date;
    },
    inspect: ({ header }) => {
      seen.header = header;
    },
  };
}

export interface ProbeOutcome {
  /** Why the question about one mailbox has no answer; undefined where it has. */
  readonly error: BridgeError | undefined;
  readonly seen: Seen;
  readonly lookup: 'query' | 'public-folder';
  /** Nobody was named, so an unknown mailbox is what should come. */
  readonly isMadeUp: boolean;
  readonly now: Instant;
}

/** Turns one question and its answer into what `check` prints, with advice. */
export function probeFindings(outcome: ProbeOutcome): readonly ProbeFinding[] {
  const { seen, now } = outcome;
  return [...access(outcome), ...version(seen.header), ...clockFinding(seen.date, now)];
}

/** What to do when the server could not be asked at all; the other codes speak of one mailbox and mean that it could. */
const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  BACKEND_UNREACHABLE: 'check the host and port in url, and that the server accepts connections from here',
  BACKEND_TLS: 'name the authority of its certificate in tls.ca, and use the host name that the certificate has',
  BACKEND_AUTH:
    'check username and password, that Basic is enabled on the EWS virtual directory, and that EwsApplicationAccessPolicy lets us in',
  BACKEND_REDIRECT: 'put the right endpoint into url, or list the host under hosts if it is one of yours',
  BACKEND_BUSY: 'try again later; raise the throttling policy of the account if it stays so',
  BACKEND_MALFORMED: 'check that url ends in /EWS/Exchange.asmx and that no logon page or proxy answers there',
  BACKEND_TOO_LARGE: 'check that url ends in /EWS/Exchange.asmx and that it is an Exchange that answers there',
  BACKEND_FAULT: 'check that url ends in /EWS/Exchange.asmx, and look into the log of the server for the code',
  DEADLINE: 'the server accepts the question and stays silent: look at its load, or at a firewall in between',
  CONFIGURATION: 'complete the settings of this system',
};

function access(outcome: ProbeOutcome): readonly ProbeFinding[] {
  const failed = cannotAsk(outcome.error);
  if (failed !== undefined) return [failed];
  return [{ step: 'sign-in', outcome: 'ok', text: 'the account is let in' }, rightToRead(outcome)];
}

/** The finding where the server could not be asked at all; undefined for errors that speak of one mailbox or folder. */
export function cannotAsk(error: BridgeError | undefined): ProbeFinding | undefined {
  const advice = error === undefined ? undefined : ADVICE[error.code];
  if (error === undefined || advice === undefined) return undefined;
  return { step: error.code === 'BACKEND_AUTH' ? 'sign-in' : 'question', outcome: 'fail', text: described(error), advice };
}

function rightToRead({ error, lookup, isMadeUp }: ProbeOutcome): ProbeFinding {
  const step = 'right to read';
  if (error === undefined) {
    return { step, outcome: 'ok', text: lookup === 'query' ? 'free/busy of a mailbox was read' : 'a free/busy message was read' };
  }
  if (error.code === 'MAILBOX_REFUSED') {
    const advice =
      lookup === 'query'
        ? 'Set-MailboxFolderPermission user:\\Calendar -User Default -AccessRights AvailabilityOnly'
        : 'give the account the right to read the EX:/o=…/ou=… folder below SCHEDULE+ FREE BUSY';
    return { step, outcome: 'fail', text: described(error), advice };
  }
  if (error.code === 'MAILBOX_UNKNOWN' && isMadeUp) {
    const text =
      lookup === 'query'
        ? 'questions are answered: a made-up mailbox is unknown'
        : 'the free/busy folder is read: a made-up mailbox has no message there';
    return { step, outcome: 'ok', text };
  }
  const advice = isMadeUp
    ? 'ask about a real mailbox with `freebusy-bridge lookup ADDRESS --explain`'
    : 'check the address, and that its mailbox lives on this server';
  return { step, outcome: isMadeUp ? 'warn' : 'fail', text: described(error), advice };
}

/** An error as one line, with the details that help and are no secret. */
export function described(error: BridgeError): string {
  const details = ['status', 'responseCode', 'reason', 'target', 'looksLike', 'folder'].flatMap((key) => {
    const value = error.details[key];
    return value === undefined ? [] : [String(value)];
  });
  return details.length === 0 ? error.publicMessage : `${error.publicMessage} (${details.join(', ')})`;
}

/** What the server says it is; nothing where it says nothing. */
export function version(header: XmlElement | undefined): readonly ProbeFinding[] {
  const seen = decodeServerVersion(header);
  return seen === undefined ? [] : [{ step: 'version', outcome: 'ok', text: `${seen.build}, as ${seen.generation}` }];
}
