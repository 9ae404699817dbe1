import { BridgeError } from '../../core/errors.ts';
import { retryAfterMs } from '../../platform/http-client/answer-headers.ts';
import { isHtml, isLogonPage, problemOf, willPass } from './answer-problem.ts';
import type { AnswerHead } from './answer-problem.ts';
import { FAILED_DEPENDENCY } from './proppatch-response.ts';
import type { PropertyRefusal } from './proppatch-response.ts';

/**
 * Why a free/busy message could not be written or removed, by the status of the answer; undefined where it went well.
 *
 * 401 (but for `isLetIn`), 440, the logon page, redirects and 429 are about the server as a whole, as for every other request (problemOf). All others
 * are about this message: BACKEND_AUTH with `details.status` 403 is its folder's right, not the account's password; `details.said` is what the server said instead.
 *
 * @param accepted statuses that mean success, or that the body has to be read
 * @param folder `EX:/o=…/ou=…`, for the hint
 */
export function messageProblem(answer: AnswerHead, accepted: readonly number[], folder: string): BridgeError | undefined {
  const { status, headers, url } = answer;
  const isAboutServer = isLogonPage(answer) || (status === 401 && answer.isLetIn !== true) || status === 440 || status === 429 || (status >= 300 && status < 400);
  if (isAboutServer || (status === 207 && accepted.includes(207))) return problemOf(answer, 207);
  if (accepted.includes(status)) {
    // A portal's page with status 200 has removed nothing.
    return isHtml(answer) && status < 400 ? new BridgeError('BACKEND_MALFORMED', 'the calendar system answers with a web page', { details: { status } }) : undefined;
  }
  if (status < 400) return problemOf(answer, 207);
  return statusProblem(status, folder, { retryAfterMs: retryAfterMs(headers), isPlainHttp: url.protocol === 'http:' });
}

/** Why a message was refused in the 207: the first cause that another try would not take away, else the first; undefined where nothing was refused. */
export function refusalProblem(refusals: readonly PropertyRefusal[], folder: string): BridgeError | undefined {
  // Others failed only because of these; where nothing else is named, they are all there is.
  const causes = refusals.filter((one) => one.status !== FAILED_DEPENDENCY);
  const problems = (causes.length > 0 ? causes : refusals).map(({ status, property }) => statusProblem(status, folder, { property }));
  return problems.find((one) => !one.temporary) ?? problems[0];
}

interface Circumstances {
  readonly property?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly isPlainHttp?: boolean;
}

function statusProblem(status: number, folder: string, { property, retryAfterMs: pause, isPlainHttp = false }: Circumstances): BridgeError {
  const details = { status, ...(property === undefined ? {} : { property }) };
  switch (status) {
    case 401:
    case 403: {
      const hint = `${isPlainHttp && status === 403 ? 'over http 403.4 means that it wants https; else ' : ''}${rightHint(folder)}`;
      return new BridgeError('BACKEND_AUTH', 'the account may not write the free/busy message', { details: { ...details, status: 403, ...(status === 401 ? { said: 401 } : {}), hint } });
    }
    case 423:
      return new BridgeError('BACKEND_BUSY', 'the free/busy message is locked', { temporary: true, details });
    case 429:
    case 503:
      return new BridgeError('BACKEND_BUSY', 'the calendar system is busy', { temporary: true, retryAfterMs: pause, details });
    case 507:
      return new BridgeError('BACKEND_BUSY', 'the public folder store is full', { temporary: true, retryAfterMs: pause, details: { ...details, hint: `raise the limit of ${folder} or of its store` } });
    case 405:
    case 501:
      if (property === undefined) {
        return new BridgeError('BACKEND_FAULT', 'the server takes no WebDAV there', { details: { ...details, hint: 'is WebDAV switched off? Exchange 2010 and later have none: use exchange-ews' } });
      }
      break;
    case 404:
    case 410:
      if (property === undefined) return new BridgeError('BACKEND_FAULT', 'the folder of the free/busy message is not there', { details: { ...details, hint: folderHint(folder) } });
      break;
    case 409:
      return new BridgeError('BACKEND_FAULT', property === undefined ? 'the folder of the free/busy message is not there' : REFUSED, { details: { ...details, hint: folderHint(folder) } });
  }
  if ((status >= 500 && status !== 501) || willPass(status)) return new BridgeError('BACKEND_FAULT', 'the calendar system failed', { temporary: true, retryAfterMs: pause, details });
  return new BridgeError('BACKEND_FAULT', property === undefined ? 'the server refuses the free/busy message' : REFUSED, { details });
}

const REFUSED = 'the server refuses a property of the free/busy message';

/** The right that is needed, in the words of Exchange's own command. */
export function rightHint(folder: string): string {
  return `give the account Owner: Add-PublicFolderClientPermission "\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\${folder}" -AccessRights Owner -User …; rights are cached for hours`;
}

function folderHint(folder: string): string {
  return `is ${folder} below SCHEDULE+ FREE BUSY, with a replica on this server? compare it with the legacyExchangeDN of the contact; IIS says 404 also for %2B (404.11)`;
}
