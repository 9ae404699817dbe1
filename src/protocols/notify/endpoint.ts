import { setTimeout as pause } from 'node:timers/promises';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { Clock } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { FailureMemory } from '../../platform/auth/failure-memory.ts';
import type { Pair } from '../../platform/auth/failure-memory.ts';
import { decodeSignature, isFresh, isSigned } from '../../platform/auth/hmac-signature.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { encodeError, refuseJson } from '../../platform/http-server/refuse-json.ts';
import { noteForLog, scopeOf } from '../../platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../platform/http-server/status-of.ts';
import { decodeNotifyRequest } from './notify-request.ts';

/** Where what was heard goes. */
export interface NotifyFeed {
  /** The system the mailbox lives in; undefined where none. */
  homeOf(mailbox: MailboxAddress): string | undefined;
  /** Resolves when stored. @throws BridgeError STORE_UNAVAILABLE */
  changed(system: string, mailboxes: readonly MailboxAddress[]): Promise<void>;
}

export interface NotifyServices {
  readonly signIn: SignIn;
  /** Absent: no signature is taken. */
  readonly secret?: string | undefined;
  readonly clock: Clock;
  readonly feed: NotifyFeed;
  /** That of SignIn, which outlives a reload; absent: one of its own. */
  readonly failures?: FailureMemory | undefined;
}

/** Who tells. */
interface Teller {
  /** The only system it may speak about; absent for who has the secret. */
  readonly from?: string;
  /** There where it had to be read to know the teller. */
  readonly body?: Buffer;
}

/** `POST /notify`: whose calendars have changed. 202 means that it is stored. Mount it at the root. */
export function notifyEndpoint(services: NotifyServices): Router {
  const router = Router({ caseSensitive: true });
  const failures = services.failures ?? new FailureMemory(services.clock);
  router.all('/notify', async (request, response) => {
    noteForLog(request, { face: 'notify', operation: 'changed' });
    try {
      const signature = request.headers['x-signature'];
      // A signature that was sent must be good, whatever else was sent with it.
      const teller = signature === undefined ? await client(services, request) : await signer(services, failures, String(signature), request);
      if (request.method === 'POST') await take(services.feed, teller, request, response);
      else response.status(405).set('Allow', 'POST').json({ error: encodeError(new BridgeError('UNSUPPORTED', 'only POST is answered here')) });
    } catch (thrown) {
      refuse(request, response, thrown);
    }
  });
  return router;
}

async function client({ signIn }: NotifyServices, request: Request): Promise<Teller> {
  const { name, from } = await signIn.fromRequest(request);
  noteForLog(request, { client: name });
  return { from };
}

/** What can be refused unread is refused unread; failures slow down their own address, as those of a client do. */
async function signer({ secret, clock }: NotifyServices, failures: FailureMemory, header: string, request: Request): Promise<Teller> {
  const pair: Pair = { name: SIGNER, isKnown: true, address: scopeOf(request).address };
  const holdMs = failures.hold(pair);
  if (holdMs === undefined) throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many failed attempts, try again later', { retryAfterMs: LIMITS.failureDelayMs });
  try {
    if (holdMs > 0) await pause(holdMs);
  } finally {
    if (holdMs > 0) failures.release(pair);
  }
  const wrong = (reason: string, message = 'the signature is wrong'): BridgeError => {
    failures.failed(pair);
    noteForLog(request, { reason });
    return new BridgeError('AUTH_FAILED', message);
  };
  if (secret === undefined) throw wrong('a signature, and no notify.secret');
  const signature = decodeSignature(header);
  if (signature === undefined) throw wrong('malformed signature', 'X-Signature should be t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">');
  if (!isFresh(signature, clock.now())) throw wrong('stale signature', 'the time of the signature (unix seconds) is more than five minutes from ours');
  const body = await readBody(request, LIMITS.notifyBodyBytes);
  if (!isSigned(signature, body, secret)) throw wrong('wrong signature');
  failures.succeeded(pair);
  noteForLog(request, { client: SIGNER.trim() });
  return { body };
}

/** Names of clients begin with no blank, so none is this one. */
const SIGNER = ' notify.secret';

async function take(feed: NotifyFeed, teller: Teller, request: Request, response: Response): Promise<void> {
  const mailboxes = decodeNotifyRequest(teller.body ?? (await readBody(request, LIMITS.notifyBodyBytes)));
  noteForLog(request, { mailboxes: mailboxes.size });
  const homes = new Map<string, MailboxAddress[]>();
  for (const [mailbox, place] of mailboxes) {
    const home = feed.homeOf(mailbox);
    if (home === undefined || (teller.from !== undefined && home !== teller.from)) {
      throw new BridgeError('ACCESS_DENIED', `mailboxes[${place}] is of ${teller.from === undefined ? 'no system' : 'another system, or of none'}; nothing was stored`);
    }
    const ofHome = homes.get(home);
    if (ofHome === undefined) homes.set(home, [mailbox]);
    else ofHome.push(mailbox);
  }
  await Promise.all([...homes].map(([system, ofHome]) => feed.changed(system, ofHome)));
  response.status(202).set('Cache-Control', 'no-store').json({ accepted: mailboxes.size });
}

function refuse(request: Request, response: Response, thrown: unknown): void {
  const error = toBridgeError(thrown);
  if (STATUS_OF[error.code] === 503 && error.retryAfterMs === undefined) response.setHeader('Retry-After', '5');
  refuseJson(request, response, error);
}
