import { DAY_MS, MINUTE_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import { below } from '../../platform/http-client/below.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import type { OwaRequest } from './client-connection.ts';
import { decodeFreeBusyResponse, encodeFreeBusyQuery } from './free-busy-query.ts';
import { NOBODY } from './names.ts';
import { attempt, failed, isConnection } from './probe-attempt.ts';
import { encodeMessagePropfind } from './propfind-message.ts';
import { readAnswer } from './read-answer.ts';
import { versionFinding } from './version-finding.ts';

export interface OwaProbe {
  readonly root: URL;
  readonly lookup: 'query' | 'public-folder';
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly clock: Clock;
  readonly mailbox: MailboxAddress | undefined;
  readonly send: (request: Omit<OwaRequest, 'ctx' | 'budget'>) => Promise<HttpAnswer>;
}

/** The tree and, beside it, the folder whose name has the `+` that IIS 7 takes for an attack (404.11). */
const TREE = '/public/NON_IPM_SUBTREE/';
const FREE_BUSY_FOLDER = `${TREE}SCHEDULE%2B%20FREE%20BUSY/`;

/** Tries what a lookup needs, in the order in which it would fail; what has no sense after a failure is left out. */
export async function probeOwa(probe: OwaProbe): Promise<readonly ProbeFinding[]> {
  const first = await attempt(() => probe.send({ method: 'GET', url: queryUrl(probe, probe.mailbox === undefined ? [NOBODY] : [probe.mailbox, NOBODY]), expected: 200 }));
  if ('error' in first) {
    if (first.error.code === 'BACKEND_AUTH') return [failed('sign-in', first.error)];
    if (isConnection(first.error.code)) return [failed('connection', first.error)];
    const command = failed('right to read', first.error);
    // Public folders can be read where the command is missing.
    if (probe.lookup === 'query') return [command];
    return [{ ...command, outcome: 'warn' }, ...(await folderFindings(probe))];
  }
  const signIn: ProbeFinding = { step: 'sign-in', outcome: 'ok', text: `signed in (${probe.auth})` };
  const read = [...(await readFindings(probe, first.answer)), ...versionFinding(first.answer), ...clockFinding(first.answer.headers['date'], probe.clock.now())];
  return [signIn, ...read, await queryLengthFinding(probe), ...(await folderFindings(probe))];
}

async function readFindings(probe: OwaProbe, answer: HttpAnswer): Promise<readonly ProbeFinding[]> {
  const { mailbox } = probe;
  const read = await attempt(async () => decodeFreeBusyResponse(await readAnswer(answer), new Set(mailbox === undefined ? [NOBODY] : [mailbox, NOBODY])));
  if ('error' in read) return [failed('right to read', read.error)];
  const nobody = read.answer.get(NOBODY);
  if (nobody !== undefined && 'fbdata' in nobody) return [TELLS_NOBODY_FREE];
  const digits = mailbox === undefined ? undefined : read.answer.get(mailbox);
  if (digits !== undefined && 'fbdata' in digits) return [{ step: 'right to read', outcome: 'ok', text: 'cmd=freebusy gives digits for the mailbox' }];
  if (mailbox === undefined) return [{ step: 'right to read', outcome: 'ok', text: 'cmd=freebusy answers; no mailbox was named to read' }];
  return [{ step: 'right to read', outcome: 'warn', text: 'cmd=freebusy knows nothing of the mailbox', advice: 'it may never have published; open its calendar once, or name another under `mailboxes`' }];
}

/** Exchange says 4 of whom it does not know. A server that says 0 says nothing by it of anybody else either. */
const TELLS_NOBODY_FREE: ProbeFinding = {
  step: 'right to read',
  outcome: 'warn',
  text: 'cmd=freebusy gives digits for an address that nobody has: "free" may mean "unknown" there',
  advice: 'set lookup: public-folder, which tells the two apart; or look which server or proxy answers',
};

/** A query as long as lookups make them: IIS's request filtering refuses 2,048 characters and more by default, sites may allow less. */
async function queryLengthFinding(probe: OwaProbe): Promise<ProbeFinding> {
  const users: MailboxAddress[] = [];
  for (let url = queryUrl(probe, users); url.search.length < LIMITS.owaQueryCharacters - 60; url = queryUrl(probe, users)) {
    users.push(`freebusy-bridge-check-${users.length}@bridge.invalid` as MailboxAddress);
  }
  const sent = await attempt(() => probe.send({ method: 'GET', url: queryUrl(probe, users), expected: 200 }));
  const step = 'query length';
  if (!('error' in sent)) return { step, outcome: 'ok', text: `a query of ${LIMITS.owaQueryCharacters} characters passes` };
  const is404 = sent.error.details['status'] === 404;
  return is404
    ? { step, outcome: 'fail', text: 'long queries are answered 404 (IIS: 404.15)', advice: 'raise maxQueryString of request filtering for /public to 2048' }
    : { ...failed(step, sent.error), advice: 'large lookups will fail as this one did' };
}

async function folderFindings(probe: OwaProbe): Promise<readonly ProbeFinding[]> {
  const matters = probe.lookup === 'public-folder' ? 'fail' : 'warn';
  const step = 'public folder';
  const folder = await attempt(() => propfind(probe, FREE_BUSY_FOLDER));
  if (!('error' in folder)) return [{ step, outcome: 'ok', text: 'SCHEDULE+ FREE BUSY can be reached' }];
  const status = folder.error.details['status'];
  if (status === 403 || status === 401) {
    return [{ step, outcome: matters, text: 'SCHEDULE+ FREE BUSY may not be read', advice: 'give the account Reviewer on the EX: folder (Add-PublicFolderClientPermission); rights are cached for hours' }];
  }
  if (status !== 404) return [{ ...failed(step, folder.error), outcome: matters }];
  const tree = await attempt(() => propfind(probe, TREE));
  // Without a tree the other lookup works all the same.
  if ('error' in tree && probe.lookup === 'query') return [{ step, outcome: 'ok', text: 'no public folder tree, and cmd=freebusy needs none' }];
  return 'error' in tree
    ? [{ step, outcome: matters, text: 'there is no public folder tree', advice: 'is there a public folder database? Exchange 2013 and later have no such folder: use exchange-ews' }]
    : [{ step, outcome: matters, text: 'the + of SCHEDULE+ FREE BUSY is refused (IIS: 404.11)', advice: 'set allowDoubleEscaping="true" in request filtering for /public' }];
}

function propfind(probe: OwaProbe, path: string): Promise<HttpAnswer> {
  const headers = { depth: '0', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };
  return probe.send({ method: 'PROPFIND', url: below(probe.root, path), expected: 207, headers, body: encodeMessagePropfind() });
}

function queryUrl(probe: OwaProbe, addresses: readonly MailboxAddress[]): URL {
  const now = probe.clock.now();
  const url = below(probe.root, '/public/');
  url.search = encodeFreeBusyQuery({ window: alignOutward({ start: now, end: now + DAY_MS }, 30 * MINUTE_MS), intervalMinutes: 30, addresses });
  return url;
}
