import { Router } from 'express';
import { BridgeError } from '../../core/errors.ts';
import { isOwnHost } from '../../platform/http-server/own-host.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { presenceOperations } from './admin-presence.ts';
import type { AdminPresence } from './admin-presence.ts';
import { queueOperations } from './admin-queue.ts';
import type { AdminQueue } from './admin-queue.ts';

export interface AdminServices {
  /** Of the configuration in force; undefined where nothing is replicated. */
  readonly queue: () => AdminQueue | undefined;
  /** The same of presence; absent: there is none. */
  readonly presence?: () => AdminPresence | undefined;
  /** The body of `presence check --json`; absent: that is not offered. */
  readonly checkPresence?: () => Promise<unknown>;
  /** Host names under which the admin listener is reached, beside addresses and localhost; lower case. */
  readonly hosts: readonly string[];
}

/**
 * `/api/v1/admin/…` on the admin listener: `queue` GET the report, POST `queue/retry` and `queue/drop` with `{"mailboxes": ["kim@zimbra.example"]}` or
 * `{"mailboxes": "all"}` → `{"count": 1}`; GET `presence` and `presence/mailboxes`, POST `presence/resync` with the same bodies, `presence/opt-in` with `optIn` beside them.
 *
 * Whoever reaches that listener is an administrator, as with the control socket; but a web page in an administrator's browser is not:
 * changes want `Content-Type: application/json`, which no page may send elsewhere, and every request a Host that a page cannot bring along.
 */
export function adminEndpoint({ queue, presence, checkPresence, hosts }: AdminServices): Router {
  const router = Router({ caseSensitive: true });
  for (const [name, { method, run }] of Object.entries({ ...queueOperations(queue), ...presenceOperations(presence ?? (() => undefined), checkPresence) })) {
    router.all(`/api/v1/admin/${name}`, async (request, response) => {
      noteForLog(request, { face: 'admin', operation: name });
      try {
        if (!isOwnHost(request, hosts)) throw new BridgeError('ACCESS_DENIED', 'this host name is not that of the admin listener');
        response.setHeader('Cache-Control', 'no-store');
        if (request.method === method || (method === 'GET' && request.method === 'HEAD')) response.json(await run(request));
        else response.status(405).set('Allow', method).json({ error: encodeError(new BridgeError('UNSUPPORTED', `only ${method} is answered here`)) });
      } catch (thrown) {
        refuseJson(request, response, thrown);
      }
    });
  }
  return router;
}
