import { Router } from 'express';
import type { PrivacyService } from '../../freebusy/privacy.ts';
import { adminHandler } from './admin-handler.ts';
import type { AdminMethods } from './admin-handler.ts';
import { presenceOperations } from './admin-presence.ts';
import type { AdminPresence } from './admin-presence.ts';
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
