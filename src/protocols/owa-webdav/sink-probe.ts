import { DAY_MS, HOUR_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { BridgeError } from '../../core/errors.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import { floorTo } from '../../freebusy/interval.ts';
import type { Addressee, FreeBusySink } from '../../freebusy/sink.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { checkIdentityBeside } from '../schedule-plus/check-identity.ts';
import { locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { folderUrl, freeBusyRootUrl } from '../schedule-plus/message-url.ts';
import type { OwaAnswer, OwaExchange } from './client-connection.ts';
import { messageProblem, rightHint } from './message-problem.ts';
import { nativeProviderFinding } from './native-provider-finding.ts';
import { NOBODY } from './names.ts';
import { attempt, failed, isConnection } from './probe-attempt.ts';
import { encodeMessagePropfind } from './propfind-message.ts';
import { versionFinding } from './version-finding.ts';

export interface OwaSinkProbe {
  readonly root: URL;
  /** The template. */
  readonly legacyExchangeDn: string;
  /** Gives somebody who is replicated; undefined: the folder is the template's, and nobody's message is looked at. */
  readonly probeAddressee: (() => Promise<Addressee | undefined>) | undefined;
  readonly clock: Clock;
  readonly sink: FreeBusySink;
  readonly ctx: RequestContext;
  readonly exchange: (request: OwaSinkRequest) => Promise<OwaAnswer>;
}

export type OwaSinkRequest = Omit<OwaExchange, 'ctx' | 'budget'>;

/** Tries what publishing needs, in the order in which it would fail: the folder, writing and deleting in it, who else writes there. */
export async function probeOwaSink(probe: OwaSinkProbe): Promise<readonly ProbeFinding[]> {
  const asked = await attempt(async () => probe.probeAddressee?.());
  if ('answer' in asked) return probeFor(probe, asked.answer);
  return [{ ...failed('mailbox', asked.error), outcome: 'warn', advice: 'name a mailbox that is replicated; what needs one was not looked at' }, ...(await probeFor(probe, undefined))];
}

async function probeFor(probe: OwaSinkProbe, addressee: Addressee | undefined): Promise<readonly ProbeFinding[]> {
  const { legacyExchangeDn: template, sink } = probe;
  if (addressee === undefined && /^(?:(?!\/cn=).)*\{/i.test(template)) {
    return [{ step: 'folder', outcome: 'warn', text: 'the folder depends on the mailbox, and none was named', advice: 'name one under `mailboxes` of a system that is replicated here' }];
  }
  const who = addressee === undefined ? '' : `, for ${addressee.mailbox}`;
  const named = await attempt(async () => sink.identityOf(addressee ?? { mailbox: NOBODY }));
  if ('error' in named) return [about(who, failed('template', named.error))];
  const identity = named.answer;
  const location = locateMessage(identity);

  const folder = await attempt(() => propfind(probe, folderUrl(probe.root, location)));
  if ('error' in folder) return [failed(isConnection(folder.error.code) ? 'connection' : 'sign-in', folder.error)];
  const problem = messageProblem(folder.answer, [207], location.folder);
  if (problem !== undefined) return [about(who, await folderFinding(probe, location, problem))];
  const there: ProbeFinding = { step: 'folder', outcome: 'ok', text: `${location.folder} is there${who}` };
  const server = [...versionFinding(folder.answer), ...clockFinding(folder.answer.headers['date'], probe.clock.now())];
  const native = addressee === undefined ? [] : await nativeProviderFinding(addressee.mailbox, location, (url) => propfind(probe, url), probe.root);
  return [there, ...server, await rightFinding(probe, checkIdentityBeside(identity)), ...native];
}

function about(who: string, finding: ProbeFinding): ProbeFinding {
  return { ...finding, text: `${finding.text}${who}` };
}

async function folderFinding(probe: OwaSinkProbe, location: MessageLocation, problem: BridgeError): Promise<ProbeFinding> {
  const { status } = problem.details;
  if (problem.code === 'BACKEND_AUTH' && status !== 403) return failed('sign-in', problem);
  if (problem.code === 'BACKEND_AUTH') return { ...failed('folder', problem), text: `${location.folder} may not be read` };
  if (status !== 404) return failed('folder', problem);
  const parent = await attempt(() => propfind(probe, freeBusyRootUrl(probe.root)));
  const hasParent = !('error' in parent) && messageProblem(parent.answer, [207], location.folder) === undefined;
  return hasParent
    ? { step: 'folder', outcome: 'fail', text: `${location.folder} is not there`, advice: "compare legacyExchangeDn with the legacyExchangeDN of the contacts; Exchange 2007 and later never create the folder of an administrative group that they did not find" }
    : { ...failed('folder', problem), text: 'SCHEDULE+ FREE BUSY is not there (404)' };
}

/** Writes a message of nobody, free for an hour, and deletes it again. */
async function rightFinding(probe: OwaSinkProbe, identity: string): Promise<ProbeFinding> {
  const { sink, clock, ctx } = probe;
  const { folder, subject } = locateMessage(identity);
  const start = floorTo(clock.now(), DAY_MS);
  const written = await attempt(() => sink.publish(identity, freeBusyFrom(NOBODY, { start, end: start + HOUR_MS }, {}), ctx));
  // Also after a failure: some of it may have been written.
  const removed = await attempt(() => sink.remove(identity, ctx));
  const step = 'right to write';
  if ('error' in written) return failed(step, written.error);
  if (!('error' in removed)) return { step, outcome: 'ok', text: `wrote ${subject} in ${folder} and deleted it` };
  return { step, outcome: 'fail', text: `wrote ${subject} in ${folder} and could not delete it: ${removed.error.publicMessage}`, advice: `delete it by hand; ${rightHint(folder)}` };
}

function propfind(probe: OwaSinkProbe, url: URL): Promise<HttpAnswer> {
  return probe.exchange(propfindOf(url));
}

/** Opens a folder or a message. */
export function propfindOf(url: URL): OwaSinkRequest {
  const headers = { depth: '0', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };
  return { method: 'PROPFIND', url, headers, body: encodeMessagePropfind() };
}
