import type { BridgeError } from '../../core/errors.ts';

/**
 * What a failed poll says about the WaitSet (zimbra.md §5.2, and WaitSetMgr and AllAccountsWaitSet of zm-mailbox):
 *
 * - `lost`: it cannot be taken up again, so something may have been missed;
 * - `doubtful`: a fault that a set may be the reason of (not ours any more, an internal failure) and a passing trouble as well;
 * - `passing`: about the server or the way to it.
 */
export function judgeWaitSet(error: BridgeError): 'lost' | 'doubtful' | 'passing' {
  const fault = error.details['fault'];
  if (fault === 'admin.NO_SUCH_WAITSET' || fault === 'mail.NO_SUCH_WAITSET') return 'lost';
  if (error.details['lostPlace'] === true) return 'lost';
  // The same batch comes again until it is acknowledged: it would never fit.
  if (error.code === 'BACKEND_TOO_LARGE') return 'lost';
  return typeof fault === 'string' && DOUBTFUL.has(fault) ? 'doubtful' : 'passing';
}

const DOUBTFUL: ReadonlySet<string> = new Set(['service.FAILURE', 'service.INVALID_REQUEST', 'service.PARSE_ERROR', 'service.PERM_DENIED', 'unreadable']);
