import { Router } from 'express';
import type { RequestHandler } from 'express';
import { BridgeError } from '../../core/errors.ts';
import type { PrivacyService } from '../../freebusy/privacy.ts';
import { isOwnHost } from '../../platform/http-server/own-host.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { presenceOperations } from './admin-presence.ts';
import type { AdminPresence } from './admin-presence.ts';
import type { AdminMethods } from './admin-operation.ts';
import { privacyOperations } from './admin-privacy.ts';
import { queueOperations } from './admin-queue.ts';
import type { AdminQueue } from './admin-queue.ts';

export interface AdminServices {
  /** Of the configuration in force; undefined where nothing is replicated. */
  readonly queue: () => AdminQueue | undefined;
  /** The same of presence; absent: there is none. */
  readonly presence?: () => AdminPresence | undefined;
  /** The body of `presence check --json`; absent: that is not offered. */
  readonly checkPresence?: () => Promise<unknown>;
  /** Who is hidden; absent: not offered. */
  readonly privacy?: () => PrivacyService | undefined;
  /** Host names under which the admin listener is reached, beside addresses and localhost; lower case. */
  readonly hosts: readonly string[];
}

/**
 * `/api/v1/admin/…` on the admin listener: `queue` GET the report, POST `queue/retry` and `queue/drop` with `{"mailboxes": ["kim@zimbra.example"]}` or
 * `{"mailboxes": "all"}` → `{"count": 1}`; GET `presence` and `presence/mailboxes`, POST `presence/resync` with the same bodies, `presence/opt-in` with `optIn` beside them;
 * GET `privacy`, and GET, PUT, DELETE `privacy/{address}` (admin-privacy.ts).
 *
 * Whoever reaches that listener is an administrator, as with the control socket; but a web page in an administrator's browser is not:
 * changes want `Content-Type: application/json`, which no page may send elsewhere, and every request a Host that a page cannot bring along.
 */
export function adminEndpoint({ queue, presence, checkPresence, privacy, hosts }: AdminServices): Router {
  const router = Router({ caseSensitive: true });
  const several = { ...queueOperations(queue), ...presenceOperations(presence ?? (() => undefined), checkPresence) };
  const operations: Readonly<Record<string, AdminMethods>> = {
    ...Object.fromEntries(Object.entries(several).map(([name, { method, run }]) => [name, { [method]: run }])),
    ...(privacy === undefined ? {} : privacyOperations(privacy)),
  };
  for (const [name, methods] of Object.entries(operations)) router.all(`/api/v1/admin/${name}`, adminHandler(name, methods, hosts));
  return router;
}

/** Looks at the Host first. What an operation throws is refused as JSON. */
function adminHandler(name: string, methods: AdminMethods, hosts: readonly string[]): RequestHandler {
  const allowed = Object.keys(methods);
  return async (request, response) => {
    noteForLog(request, { face: 'admin', operation: name });
    try {
      if (!isOwnHost(request, hosts)) throw new BridgeError('ACCESS_DENIED', 'this host name is not that of the admin listener');
      response.setHeader('Cache-Control', 'no-store');
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const run = Object.hasOwn(methods, method) ? methods[method as keyof AdminMethods] : undefined;
      const { address = '' } = request.params;
      if (run !== undefined) response.json(await run(request, String(address)));
      else response.status(405).set('Allow', allowed.join(', ')).json({ error: encodeError(new BridgeError('UNSUPPORTED', `only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} answered here`)) });
    } catch (thrown) {
      refuseJson(request, response, thrown);
    }
  };
}
