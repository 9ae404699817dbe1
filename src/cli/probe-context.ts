import { randomUUID } from 'node:crypto';
import type { RequestContext } from '../core/request-context.ts';
import { deadlineSignal } from '../platform/http-server/request-scope.ts';

/** A check may wait longer than a lookup: it looks for what is slow, too. */
export const PROBE_DEADLINE_MS = 15_000;

/** In whose name `check` asks; the question ends with `gone` where that is given. */
export function probeContext(gone?: AbortSignal): RequestContext {
  const deadline = Date.now() + PROBE_DEADLINE_MS;
  const requester = { name: 'check', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  const late = deadlineSignal(deadline);
  return { requestId: randomUUID(), requester, hops: 0, deadline, signal: gone === undefined ? late : AbortSignal.any([late, gone]) };
}
