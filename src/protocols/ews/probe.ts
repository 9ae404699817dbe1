import type { Instant } from '../../core/clock.ts';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { ISSUER } from '../../platform/http-client/authentication.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { EwsConnection, Exchange } from './connection.ts';
import { versionFor } from './request-version.ts';
import { decodeServerVersion } from './server-version.ts';
import type { EwsLane } from './servers/knowledge.ts';
import { verdictOf } from './servers/verdict.ts';

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

export interface ServersProbe {
  readonly connection: EwsConnection;
  /** Asks exactly there about one mailbox. @returns why there is no answer; undefined where there is one */
  readonly ask: (at: EwsLane, seen: Seen) => Promise<BridgeError | undefined>;
  readonly signal: AbortSignal;
  readonly lookup: 'query' | 'public-folder';
  readonly impersonate: MailboxAddress | undefined;
  /** Nobody was named, so an unknown mailbox is what should come. */
  readonly isMadeUp: boolean;
  readonly now: () => Instant;
}

interface Outcome {
  readonly lane: EwsLane;
  readonly error: BridgeError | undefined;
  readonly seen: Seen;
}

/** Asks every server with the first account that it lets in, and every account at the first server that answers; what `check` prints, with advice. Never throws. */
export async function probeServers(probe: ServersProbe): Promise<readonly ProbeFinding[]> {
  let lanes: readonly EwsLane[];
  try {
    lanes = await probe.connection.lanes(probe.signal);
  } catch (thrown) {
    return [{ step: 'discovery', outcome: 'fail', text: described(toBridgeError(thrown)), advice: adviceFor(toBridgeError(thrown)) ?? 'name the servers in url' }];
  }
  const outcomes = await askAll(probe, lanes);
  const answering = outcomes.filter(({ error }) => cannotAsk(error) === undefined);
  const servers = [...new Set(lanes.map((one) => one.server))];
  const accounts = [...new Set(lanes.map((one) => one.account))];
  const best = answering[0] ?? outcomes[0];
  if (best === undefined) return [];
  const several = [...(servers.length > 1 ? serverFindings(outcomes) : []), ...(accounts.length > 1 ? accountFindings(outcomes) : [])];
  return [...access(probe, best, accounts.length), ...several, ...version(best.seen.header, best.lane, probe.connection), ...clockFinding(best.seen.date, probe.now())];
}

/** One after the other, as a lookup would: refused accounts are not tried at every server. */
async function askAll(probe: ServersProbe, lanes: readonly EwsLane[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const isDone = (lane: EwsLane): boolean => {
    const hasAccount = outcomes.some((one) => one.lane.account === lane.account && !isServers(one));
    const hasServer = outcomes.some((one) => one.lane.server === lane.server && (isServers(one) || cannotAsk(one.error)?.step !== 'sign-in'));
    return hasAccount && hasServer;
  };
  for (const lane of lanes) {
    if (isDone(lane) || outcomes.some((one) => one.lane.server === lane.server && isServers(one))) continue;
    if (outcomes.some((one) => one.lane.account === lane.account && one.error?.code === 'BACKEND_AUTH')) continue;
    const seen: Seen = {};
    const error = await probe.ask(lane, seen).catch(toBridgeError);
    outcomes.push({ lane, error, seen });
  }
  return outcomes;
}

/** It is the server that failed, so nothing is known of the account. */
function isServers({ error }: Outcome): boolean {
  return error !== undefined && (error.code === 'DEADLINE' || ['server', 'unavailable'].includes(verdictOf(error, false)));
}

function serverFindings(outcomes: readonly Outcome[]): readonly ProbeFinding[] {
  const step = 'server';
  const servers = [...new Set(outcomes.map((one) => one.lane.server))];
  return servers.map((server) => {
    const own = outcomes.filter((one) => one.lane.server === server);
    const failed = own.every(isServers) ? own[0]?.error : undefined;
    if (failed === undefined) return { step, outcome: 'ok', text: `${server.url.host} answers${own[0]?.seen.header === undefined ? '' : `: ${versionText(own[0].seen.header) ?? 'without a version'}`}` };
    // The others answer for it, so lookups go on.
    return { step, outcome: 'warn', text: `${server.url.host} does not answer: ${described(failed)}`, advice: adviceFor(failed) ?? 'look into the log of the server' };
  });
}

function accountFindings(outcomes: readonly Outcome[]): readonly ProbeFinding[] {
  const step = 'account';
  const accounts = [...new Set(outcomes.map((one) => one.lane.account))];
  return accounts.map((account) => {
    const own = outcomes.filter((one) => one.lane.account === account && !isServers(one));
    const failed = own.every((one) => cannotAsk(one.error) !== undefined) ? own[0]?.error : undefined;
    if (own.length === 0) return { step, outcome: 'warn', text: `${account.name} could not be tried`, advice: 'no server answered' };
    if (failed === undefined) return { step, outcome: 'ok', text: `${account.name} is let in` };
    return { step, outcome: 'fail', text: `${account.name}: ${described(failed)}`, advice: adviceFor(failed) ?? 'look into the log of the server' };
  });
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

/** The error's own advice, where it has one, comes first: it has seen more. */
function adviceFor(error: BridgeError): string | undefined {
  const general = ADVICE[error.code];
  const { hint } = error.details;
  return general !== undefined && typeof hint === 'string' ? hint : general;
}

function access(probe: ServersProbe, { error }: Outcome, accounts: number): readonly ProbeFinding[] {
  const failed = cannotAsk(error);
  if (failed !== undefined) return [failed];
  const who = accounts > 1 ? 'an account is let in' : 'the account is let in';
  const asWhom = probe.impersonate === undefined ? '' : `, and may act for ${probe.impersonate}`;
  return [{ step: 'sign-in', outcome: 'ok', text: `${who}${asWhom}` }, rightToRead(probe, error)];
}

/** The finding where the server could not be asked at all; undefined for errors that speak of one mailbox or folder. */
export function cannotAsk(error: BridgeError | undefined): ProbeFinding | undefined {
  const advice = error === undefined ? undefined : adviceFor(error);
  if (error === undefined || advice === undefined) return undefined;
  return { step: error.code === 'BACKEND_AUTH' || error.details['by'] === ISSUER ? 'sign-in' : 'question', outcome: 'fail', text: described(error), advice };
}

function rightToRead({ lookup, isMadeUp }: ServersProbe, error: BridgeError | undefined): ProbeFinding {
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

/** What the server says it is, and how it is asked therefore; nothing where it says nothing. */
export function version(header: XmlElement | undefined, lane?: EwsLane, connection?: EwsConnection): readonly ProbeFinding[] {
  const seen = versionText(header);
  if (seen === undefined) return [];
  const how = lane === undefined || connection === undefined ? '' : `; asked as ${versionFor('GetUserAvailability', lane.server.version, lane.server.highestVersion)}, ${connection.concurrencyOf(lane)} requests at the same time`;
  return [{ step: 'version', outcome: 'ok', text: `${seen}${how}` }];
}

function versionText(header: XmlElement | undefined): string | undefined {
  const seen = decodeServerVersion(header);
  return seen === undefined ? undefined : `${seen.build}, as ${seen.generation}`;
}
