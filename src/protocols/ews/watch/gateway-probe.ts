import { OVER } from '../../../core/over.ts';
import { toBridgeError } from '../../../core/errors.ts';
import type { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import { pause } from '../../../core/pause.ts';
import type { ProbeFinding } from '../../../core/probe-finding.ts';
import type { RequestContext } from '../../../core/request-context.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { HttpClient } from '../../../platform/http-client/http-client.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import type { ExchangeEwsSystem } from '../client.ts';
import { cannotAsk, described, noting } from '../probe.ts';
import type { Seen } from '../probe.ts';
import { decodeServerVersion } from '../server-version.ts';
import type { EwsLane } from '../servers/knowledge.ts';
import { decodeCalendarFolder, encodeGetCalendarFolder } from './calendar-folder.ts';
import { asOwnerOf } from './impersonation.ts';
import { decodeSendNotification, encodeSendNotificationResult } from './send-notification.ts';
import { decodeSubscribe, encodeSubscribe, encodeUnsubscribe } from './subscribe.ts';
import type { WayName } from './way.ts';
import type { WatchWire } from './wire.ts';

export interface GatewayProbe {
  readonly callBack: NotificationPort | undefined;
  /** Whether Exchange can reach it, by what is configured. */
  readonly isReachable: boolean;
  /** What is tried, in order; none: calendars are polled. */
  readonly ways: readonly WayName[];
  readonly notifications: string;
  /** Asks about the sample where there is one. */
  readonly system: ExchangeEwsSystem;
  readonly wire: WatchWire;
  readonly sample: MailboxAddress | undefined;
  /** How long we wait to be called; tests choose a shorter time. */
  readonly callMs?: number;
}

/** Tries what presence needs of an Exchange, one step after the other; what cannot be tried after a failure is left out. Never throws. Name, port and certificate are the caller's to look at: gateways have rules of their own for these. */
export async function probeGateway(probe: GatewayProbe, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
  const findings: ProbeFinding[] = [...(await probe.system.probe(ctx))];
  // Not let in at all, or nobody there: the rest would fail in the same words.
  if (findings.some(({ step, outcome }) => outcome === 'fail' && step !== RIGHT_TO_READ)) return findings;
  const { sample } = probe;
  if (sample === undefined) {
    findings.push({ step: 'impersonation', outcome: 'warn', text: 'not tried: no mailbox is named', advice: 'name a mailbox that has opted in' });
  } else {
    findings.push(...(await probeImpersonation(probe, sample, ctx.signal)));
    if (!hasFailed(findings.filter(({ step }) => step === 'impersonation'))) findings.push(...(await probeSubscribing(probe, sample, ctx.signal)));
  }
  findings.push(...(await probeCallBack(probe, ctx.signal, hasFailed(findings))));
  return findings;
}

const RIGHT_TO_READ = 'right to read';

function hasFailed(findings: readonly ProbeFinding[]): boolean {
  return findings.some(({ outcome }) => outcome === 'fail');
}

/** Whether the account may act for the owner (A22), and how the folder is called there (A47: no name matters to us). */
async function probeImpersonation({ wire, ways }: GatewayProbe, sample: MailboxAddress, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const seen: Seen = {};
  try {
    const name = decodeCalendarFolder(await wire.call('GetFolder', encodeGetCalendarFolder(), asOwnerOf(sample), signal, noting(seen)));
    const called = name === undefined ? 'the calendar' : `the calendar, called "${name}" there,`;
    return [{ step: 'impersonation', outcome: 'ok', text: `${called} of ${sample} was opened in its owner's name` }, ...versionAgainst(seen, ways)];
  } catch (thrown) {
    const error = toBridgeError(thrown);
    return [cannotImpersonate(error) ?? notUnderstood(error) ?? unreachable('impersonation', error)];
  }
}

function cannotImpersonate(error: BridgeError): ProbeFinding | undefined {
  const code = error.details['responseCode'];
  const advice = typeof code === 'string' ? IMPERSONATION_ADVICE[code] : undefined;
  if (advice === undefined) return undefined;
  const text = code === 'ErrorImpersonateUserDenied' || code === 'ErrorImpersonationDenied' ? `the account may not act for this mailbox (${code})` : described(error);
  return { step: 'impersonation', outcome: 'fail', text, advice };
}

/** A server (or what stands before it) that answers questions about free/busy and knows no folders says nothing about impersonation. */
function notUnderstood(error: BridgeError): ProbeFinding | undefined {
  const { responseCode } = error.details;
  if (error.code !== 'BACKEND_FAULT' || (responseCode !== undefined && !NOT_UNDERSTOOD.has(String(responseCode)))) return undefined;
  return { step: 'impersonation', outcome: 'warn', text: `not tried: the server does not take the question for a folder: ${described(error)}`, advice: 'subscribing says whether it works; look into the log of the server for the code' };
}

const NOT_UNDERSTOOD: ReadonlySet<string> = new Set(['ErrorInvalidRequest', 'ErrorInvalidOperation', 'ErrorSchemaValidation', 'ErrorInvalidServerVersion']);

const GIVE_THE_ROLE = 'give the account the role: New-ManagementRoleAssignment -Role ApplicationImpersonation -User ACCOUNT (2007: the extended rights ms-Exch-EPI-Impersonation and ms-Exch-EPI-May-Impersonate); it may take a quarter of an hour';
const IMPERSONATION_ADVICE: Readonly<Record<string, string>> = {
  ErrorImpersonateUserDenied: GIVE_THE_ROLE,
  ErrorImpersonationDenied: GIVE_THE_ROLE,
  ErrorImpersonationFailed: 'sign in with an account of the directory: user@domain or DOMAIN\\user',
  ErrorInvalidExchangeImpersonationHeaderData: 'check the address: it must be the primary one of a mailbox',
  ErrorNonExistentMailbox: 'check the address: Exchange has no mailbox with this primary address',
  ErrorMailboxStoreUnavailable: 'the database of the mailbox is not mounted, or it is being moved: try again later',
};

/** A server that is older than what it is asked for (A04). */
function versionAgainst(seen: Seen, ways: readonly WayName[]): readonly ProbeFinding[] {
  const version = decodeServerVersion(seen.header);
  if (version === undefined || !ways.every((way) => way === 'streaming') || ways.length === 0 || version.major >= FIRST_WITH_STREAMING) return [];
  return [{ step: 'version', outcome: 'warn', text: `${version.generation} has no streaming subscriptions`, advice: 'set notifications to auto, push or pull' }];
}

/** Exchange 2010 (SP1). */
const FIRST_WITH_STREAMING = 14;

/** Makes a subscription and ends it. */
async function probeSubscribing({ wire, ways }: GatewayProbe, sample: MailboxAddress, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  if (ways.length === 0) return [];
  const step = 'subscribe';
  try {
    const asked: { at?: EwsLane } = {};
    const asking = (lane: EwsLane): void => void (asked.at = lane);
    const { id } = decodeSubscribe(await wire.call('Subscribe', encodeSubscribe({ way: 'pull', watermark: undefined, minutes: 1 }), asOwnerOf(sample), signal, { asking }));
    await wire.call('Unsubscribe', encodeUnsubscribe(id), asOwnerOf(sample, undefined, asked.at), signal);
    return [{ step, outcome: 'ok', text: 'a subscription was made and ended' }];
  } catch (thrown) {
    const error = toBridgeError(thrown);
    const isFull = error.details['responseCode'] === 'ErrorExceededSubscriptionCount';
    const advice = isFull ? 'raise EwsMaxSubscriptions of the throttling policy; calendars beyond it are polled' : 'without subscriptions calendars are polled; look into the log of the server for the code';
    return [{ step, outcome: 'warn', text: described(error), advice }];
  }
}

/** Whether our listener is there, whether its URL leads to it, and whether Exchange calls. */
async function probeCallBack(probe: GatewayProbe, signal: AbortSignal, isHopeless: boolean): Promise<readonly ProbeFinding[]> {
  const { callBack, isReachable, ways, notifications, sample } = probe;
  const step = 'call-back';
  if (notifications === 'auto' && isReachable && callBack === undefined) return [{ step, outcome: 'warn', text: 'nothing listens on the notification port, so streaming is used', advice: 'see that notificationPort is free on this machine' }];
  if (!ways.includes('push')) return notifications === 'auto' ? [{ step, outcome: 'ok', text: 'not used: Exchange cannot reach the bridge by what is configured, so streaming is used' }] : [];
  if (callBack === undefined) return [{ step, outcome: 'fail', text: 'notifications: push, but nothing listens', advice: 'set notificationPort and notificationHost, or notifications to auto' }];
  const own = await callOurselves(callBack, signal);
  if (isHopeless || sample === undefined || own.outcome === 'fail') return [own];
  return [own, await waitForCall(probe, callBack, sample, signal)];
}

/** From here; from Exchange it may look different, both ways. */
async function callOurselves(callBack: NotificationPort, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'call-back';
  let path: ReturnType<NotificationPort['open']> | undefined;
  const http = new HttpClient();
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(OVER), LIMITS.ewsProbeCallMs);
  try {
    let isCalled = false;
    path = callBack.open(() => {
      isCalled = true;
      return encodeSendNotificationResult('Unsubscribe');
    });
    const url = new URL(path.url);
    await http.request({ method: 'POST', url, body: 'check', headers: { 'content-type': 'text/xml' }, signal: AbortSignal.any([signal, over.signal]), budget: new RequestBudget(), redirect: 'manual' });
    if (isCalled) return { step, outcome: 'ok', text: `${url.origin} leads to our listener` };
    return { step, outcome: 'warn', text: `${url.origin} leads to something else`, advice: 'correct notificationHost and notificationPort, or what forwards to us' };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (path === undefined) return { step, outcome: 'fail', text: described(error), advice: 'see that notificationPort is free on this machine' };
    return { step, outcome: 'warn', text: `${new URL(path.url).origin} cannot be reached from here: ${described(error)}`, advice: 'correct notificationHost; a firewall or NAT may hide it from here only' };
  } finally {
    clearTimeout(timer);
    path?.close();
    await http.close();
  }
}

async function waitForCall({ wire, callMs }: GatewayProbe, callBack: NotificationPort, sample: MailboxAddress, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'call-back';
  const called = new AbortController();
  let path: ReturnType<NotificationPort['open']> | undefined;
  try {
    path = callBack.open((text) => {
      try {
        decodeSendNotification(text);
      } catch {
        return undefined;
      }
      called.abort(OVER);
      return encodeSendNotificationResult('Unsubscribe');
    });
    decodeSubscribe(await wire.call('Subscribe', encodeSubscribe({ way: 'push', watermark: undefined, statusFrequency: 1, url: path.url }), asOwnerOf(sample), signal));
    await pause(callMs ?? LIMITS.ewsProbeCallMs, AbortSignal.any([called.signal, signal]));
    if (called.signal.aborted) return { step, outcome: 'ok', text: 'Exchange called us' };
    const advice = 'it may take a minute; else see whether Exchange resolves notificationHost and gets through to the port (Test-NetConnection from the server)';
    return { step, outcome: 'warn', text: `Exchange did not call within ${(callMs ?? LIMITS.ewsProbeCallMs) / 1000} s`, advice };
  } catch (thrown) {
    return { step, outcome: 'warn', text: `no push subscription: ${described(toBridgeError(thrown))}`, advice: 'set notifications to auto or streaming' };
  } finally {
    path?.close();
  }
}

function unreachable(step: string, error: BridgeError): ProbeFinding {
  const known = cannotAsk(error);
  return { step, outcome: 'fail', text: described(error), advice: known?.advice ?? 'look into the log of the server for the code' };
}
