import { DAY_MS } from '../../../core/clock.ts';
import type { Clock } from '../../../core/clock.ts';
import type { BridgeError } from '../../../core/errors.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import type { ProbeFinding } from '../../../core/probe-finding.ts';
import type { RequestContext } from '../../../core/request-context.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { clockFinding } from '../../../freebusy/clock-finding.ts';
import { reachHttpu } from '../../../platform/call-back/reach-httpu.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import { isForbidden, isGone, problemOf } from '../answer-problem.ts';
import type { OwaAnswer } from '../client-connection.ts';
import type { OwaServers } from '../client-servers.ts';
import { attempt, failed, isConnection } from '../probe-attempt.ts';
import { NOBODY } from '../names.ts';
import { readAnswer } from '../read-answer.ts';
import { versionFinding } from '../version-finding.ts';
import { encodeFolderPropfind, readablePath } from './calendar-folder.ts';
import type { CalendarFolders } from './calendar-folders.ts';
import { decodeCalendarSearch, encodeCalendarSearch } from './calendar-search.ts';
import { SEARCH_HEADERS, isSearchRefused } from './calendar-source.ts';
import type { SubscriptionRequests } from './subscription-requests.ts';

export interface PresenceProbe {
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly username: string;
  readonly servers: OwaServers;
  readonly folders: CalendarFolders;
  readonly requests: SubscriptionRequests;
  readonly callBack: NotificationPort | undefined;
  readonly clock: Clock;
}

/** Tries what presence needs, in the order in which it would fail; what has no sense after a failure is left out. Never throws. */
export async function probePresence(probe: PresenceProbe, sample: MailboxAddress | undefined, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
  const headers = { depth: '0', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };
  const first = await attempt(() =>
    probe.servers.ask(
      ctx,
      (server, asking) => server.exchange({ method: 'PROPFIND', url: probe.folders.rootOf(sample ?? NOBODY, server), headers, body: encodeFolderPropfind(), ctx: asking, budget: new RequestBudget() }),
      { isElsewhere: isGone },
    ),
  );
  const callBack = await callBackFinding(probe, ctx);
  if ('error' in first) return [isConnection(first.error.code) ? failed('connection', first.error) : notSignedIn(probe, first.error), callBack];
  const { answer } = first;
  const tooNew = versionContradiction(answer);
  if (tooNew !== undefined) return [tooNew, callBack];
  const problem = isGone(answer) || isForbidden(answer) ? undefined : problemOf(answer, 207);
  if (problem?.code === 'BACKEND_AUTH') return [notSignedIn(probe, problem), callBack];
  const server = [...versionFinding(answer), ...clockFinding(answer.headers['date'], probe.clock.now())];
  if (sample === undefined) {
    const nobody: ProbeFinding = { step: 'right to read', outcome: 'warn', text: 'nobody is named whose calendar could be tried', advice: 'opt somebody in, or name a mailbox' };
    return [problem === undefined ? signedIn(probe) : failed('connection', problem), ...server, nobody, callBack];
  }
  const right = rightFinding(probe, sample, answer.url, answer);
  if (right.outcome === 'fail') return [signedIn(probe), ...server, right, callBack];
  return [signedIn(probe), ...server, right, ...(await calendarFindings(probe, sample, ctx)), callBack];
}

const DOMAIN_ADVICE = 'the account is given without its domain: DOMAIN\\user works where Exchange has no default domain';

function isBare(username: string): boolean {
  return !/[\\@]/.test(username);
}

function notSignedIn(probe: PresenceProbe, error: BridgeError): ProbeFinding {
  const finding = failed('sign-in', error);
  return isBare(probe.username) ? { ...finding, advice: `${finding.advice ?? ''}; ${DOMAIN_ADVICE}` } : finding;
}

function signedIn({ auth }: PresenceProbe): ProbeFinding {
  return { step: 'sign-in', outcome: 'ok', text: `signed in (${auth})` };
}

/** Exchange 2010 and later have no WebDAV; their OWA says who they are all the same. */
function versionContradiction({ headers }: OwaAnswer): ProbeFinding | undefined {
  const owa = headers['x-owa-version']?.trim() ?? '';
  const major = Number(/^(\d{1,3})\./.exec(owa)?.[1] ?? 0);
  if (major < FIRST_WITHOUT_WEBDAV) return undefined;
  return { step: 'version', outcome: 'fail', text: `OWA ${owa.replace(/[^\d.]/g, '').slice(0, 40)}: Exchange 2010 and later have no WebDAV`, advice: 'make it a gateway of type ews' };
}

const FIRST_WITHOUT_WEBDAV = 14;

function rightFinding(probe: PresenceProbe, sample: MailboxAddress, root: URL, answer: OwaAnswer): ProbeFinding {
  const step = 'right to read';
  if (isForbidden(answer)) {
    return { step, outcome: 'fail', text: `no-receive-as: the account may not open the mailbox of ${sample}`, advice: 'give it Receive-As on the mailbox store; Exchange keeps rights for hours, restart its information store to see it sooner' };
  }
  if (isGone(answer)) {
    const advice = `is it on this server, and is its domain an SMTP domain of the virtual directory?${isBare(probe.username) ? ` Else ${DOMAIN_ADVICE}` : ''}`;
    return { step, outcome: 'fail', text: `there is nothing at ${readablePath(root)} (404)`, advice };
  }
  const problem = problemOf(answer, 207);
  return problem === undefined ? { step, outcome: 'ok', text: `the account may open the mailbox of ${sample} (Receive-As)` } : failed(step, problem);
}

async function calendarFindings(probe: PresenceProbe, sample: MailboxAddress, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
  const found = await attempt(() => probe.folders.discover(sample, ctx));
  if ('error' in found) return [failed('calendar folder', found.error)];
  const folder: ProbeFinding = { step: 'calendar folder', outcome: 'ok', text: `the calendar is ${readablePath(found.answer)}` };
  return [folder, await searchFinding(probe, found.answer, ctx), ...(await subscriptionFindings(probe, sample, ctx))];
}

async function searchFinding(probe: PresenceProbe, folder: URL, ctx: RequestContext): Promise<ProbeFinding> {
  const step = 'read calendar';
  const now = probe.clock.now();
  const searched = await attempt(async () => {
    const body = encodeCalendarSearch({ start: now, end: now + DAY_MS });
    const answer = await probe.servers.exchange({ method: 'SEARCH', url: folder, headers: SEARCH_HEADERS, body, ctx, budget: new RequestBudget() });
    if (isSearchRefused(answer)) return answer.status;
    const problem = problemOf(answer, 207);
    if (problem !== undefined) throw problem;
    return decodeCalendarSearch(await readAnswer(answer));
  });
  if ('error' in searched) return failed(step, searched.error);
  if (typeof searched.answer === 'number') {
    return { step, outcome: 'warn', text: `SEARCH is refused (${searched.answer}): cmd=freebusy is asked instead, in slots of minutes`, advice: 'give the account the right to read the calendar' };
  }
  const { events, unreadable } = searched.answer;
  if (unreadable.length > 0) return { step, outcome: 'warn', text: `SEARCH works; ${unreadable.length} of ${events.length + unreadable.length} items cannot be read`, advice: 'their time is unknown; look for items without start, end or kind' };
  return { step, outcome: 'ok', text: `SEARCH works: ${events.length} events about now` };
}

/** One is made, polled and ended. */
async function subscriptionFindings(probe: PresenceProbe, sample: MailboxAddress, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
  const step = 'subscription';
  const path = probe.callBack?.open(() => undefined);
  try {
    const made = await attempt(() => probe.requests.subscribe(sample, path?.url, ctx));
    if ('error' in made) return [{ ...failed(step, made.error), outcome: 'warn', advice: 'changes are seen when calendars are read again only' }];
    const { id, folder, lifetimeMs } = made.answer;
    const polled = await attempt(() => probe.requests.poll(folder, [id], ctx));
    const ended = await attempt(() => probe.requests.unsubscribe(folder, [id], ctx));
    const isPolled = 'answer' in polled && typeof polled.answer === 'object';
    const isEnded = 'answer' in ended && ended.answer;
    const text = `SUBSCRIBE works, for ${Math.round(lifetimeMs / 60_000)} minutes${isPolled ? '' : '; POLL does not'}${isEnded ? '' : '; UNSUBSCRIBE does not'}`;
    return isPolled && isEnded ? [{ step, outcome: 'ok', text }] : [{ step, outcome: 'warn', text, advice: 'notifications are believed as they come; what is not ended runs out by itself' }];
  } finally {
    path?.close();
  }
}

async function callBackFinding({ callBack }: PresenceProbe, ctx: RequestContext): Promise<ProbeFinding> {
  const step = 'call-back';
  if (callBack === undefined) return { step, outcome: 'warn', text: 'no notification port is open: subscriptions are polled', advice: 'set notificationHost and notificationPort where Exchange can reach this machine by UDP' };
  const failure = await reachHttpu(callBack, ctx.signal);
  if (failure === undefined) return { step, outcome: 'ok', text: 'the notification port is reached under its own address, from here' };
  return { step, outcome: 'fail', text: failure, advice: 'look at notificationHost, at the firewall and at what forwards UDP to this machine' };
}
