import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { isOwnHost } from '../../platform/http-server/own-host.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';

/** The queue as an administrator's programs see it. */
export interface AdminQueue {
  /** The body of `queue --json`. */
  report(): Promise<unknown>;
  /** How many were there to be tried again at once. */
  retry(which: readonly MailboxAddress[] | 'all'): Promise<number>;
  /** How many were there and have been forgotten. */
  drop(which: readonly MailboxAddress[] | 'all'): Promise<number>;
}

export interface AdminServices {
  /** Of the configuration in force; undefined where nothing is replicated. */
  readonly queue: () => AdminQueue | undefined;
  /** Host names under which the admin listener is reached, beside addresses and localhost; lower case. */
  readonly hosts: readonly string[];
}

type Operation = (queue: AdminQueue, request: Request) => Promise<unknown>;

/**
 * `/api/v1/admin/queue` on the admin listener: GET the report, POST `retry` and `drop` with `{"mailboxes": ["kim@zimbra.example"]}` or
 * `{"mailboxes": "all"}` → `{"count": 1}`.
 *
 * Whoever reaches that listener is an administrator, as with the control socket; but a web page in an administrator's browser is not:
 * changes want `Content-Type: application/json`, which no page may send elsewhere, and every request a Host that a page cannot bring along.
 */
export function adminEndpoint({ queue, hosts }: AdminServices): Router {
  const router = Router({ caseSensitive: true });
  const operation =
    (name: string, method: 'GET' | 'POST', run: Operation): RequestHandler =>
    async (request, response) => {
      noteForLog(request, { face: 'admin', operation: name });
      try {
        if (!isOwnHost(request, hosts)) throw new BridgeError('ACCESS_DENIED', 'this host name is not that of the admin listener');
        response.setHeader('Cache-Control', 'no-store');
        if (request.method !== method && !(method === 'GET' && request.method === 'HEAD')) {
          response.status(405).set('Allow', method).json({ error: encodeError(new BridgeError('UNSUPPORTED', `only ${method} is answered here`)) });
          return;
        }
        const found = queue();
        if (found === undefined) throw new BridgeError('NOT_FOUND', 'this configuration replicates nothing: it has no `replication:`');
        response.json(await run(found, request));
      } catch (thrown) {
        refuseJson(request, response, thrown);
      }
    };
  router.all('/api/v1/admin/queue', operation('queue', 'GET', async (found) => found.report()));
  router.all('/api/v1/admin/queue/retry', operation('queue/retry', 'POST', async (found, request) => ({ count: await found.retry(await namedIn(request)) })));
  router.all('/api/v1/admin/queue/drop', operation('queue/drop', 'POST', async (found, request) => ({ count: await found.drop(await namedIn(request)) })));
  return router;
}

/** @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
async function namedIn(request: Request): Promise<readonly MailboxAddress[] | 'all'> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) throw new BridgeError('INVALID_REQUEST', 'the body should be application/json');
  const mailboxes = mailboxesOf(await readBody(request, LIMITS.controlBodyBytes));
  if (mailboxes === 'all') return mailboxes;
  if (!Array.isArray(mailboxes) || mailboxes.length === 0) throw new BridgeError('INVALID_REQUEST', 'the body should be {"mailboxes": ["kim@zimbra.example"]}, or {"mailboxes": "all"}');
  return (mailboxes as readonly unknown[]).map((one, index) => {
    const mailbox = typeof one === 'string' ? parseMailboxAddress(one) : undefined;
    if (mailbox === undefined) throw new BridgeError('INVALID_REQUEST', `mailboxes[${index}] is no mail address`);
    return mailbox;
  });
}

function mailboxesOf(body: Buffer): unknown {
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return typeof json === 'object' && json !== null ? (json as { readonly mailboxes?: unknown }).mailboxes : undefined;
  } catch (error) {
    // The parser's own words quote the body.
    throw new BridgeError('INVALID_REQUEST', 'the body is no JSON', { cause: error });
  }
}
