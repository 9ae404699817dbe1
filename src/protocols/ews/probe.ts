import type { Instant } from '../../core/clock.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../freebusy/calendar-system.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { attribute, child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** What the server told besides the data. */
export interface Seen {
  /** Date header of the last answer. */
  date?: string | undefined;
  /** SOAP header of the last answer that was SOAP. */
  header?: XmlElement | undefined;
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
  const { error } = outcome;
  const advice = error === undefined ? undefined : ADVICE[error.code];
  if (error !== undefined && advice !== undefined) {
    const step = error.code === 'BACKEND_AUTH' ? 'sign-in' : 'question';
    return [{ step, outcome: 'fail', text: described(error), advice }];
  }
  return [{ step: 'sign-in', outcome: 'ok', text: 'the account is let in' }, rightToRead(outcome)];
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

function described(error: BridgeError): string {
  const details = ['status', 'responseCode', 'reason', 'target', 'looksLike', 'folder'].flatMap((key) => {
    const value = error.details[key];
    return value === undefined ? [] : [String(value)];
  });
  return details.length === 0 ? error.publicMessage : `${error.publicMessage} (${details.join(', ')})`;
}

const GENERATIONS: Readonly<Record<string, string>> = {
  '8': 'Exchange 2007',
  '14': 'Exchange 2010',
  '15.0': 'Exchange 2013',
  '15.1': 'Exchange 2016',
  '15.2': 'Exchange 2019 or SE',
  '15.20': 'Exchange Online',
};

function version(header: XmlElement | undefined): readonly ProbeFinding[] {
  const info = child(header, 'ServerVersionInfo');
  const numbers = ['MajorVersion', 'MinorVersion', 'MajorBuildNumber', 'MinorBuildNumber'].map((name) => attribute(info, name) ?? '');
  if (info === undefined || !numbers.every((one) => /^\d{1,6}$/.test(one))) return [];
  const [major, minor] = numbers as [string, string];
  const generation = GENERATIONS[`${major}.${minor}`] ?? GENERATIONS[major] ?? 'an unknown Exchange';
  // Servers that are almost Exchange borrow a number (grommunio: 15.0.847.4040).
  return [{ step: 'version', outcome: 'ok', text: `${numbers.join('.')}, as ${generation}` }];
}
