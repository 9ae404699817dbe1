import type { Request, Response, Router } from 'express';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { RequestContext, Requester } from '../../core/request-context.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { leaveGate } from '../../platform/http-server/load-gate.ts';
import { noteRefusal } from '../../platform/http-server/note-refusal.ts';
import { firstRaw, rawParameters, rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { encodeError } from '../../platform/http-server/refuse-json.ts';
import { scopeOf } from '../../platform/http-server/request-scope.ts';
import type { ShownPresence } from '../../presence/presence.ts';
import { OWN_SOURCES } from '../../presence/presence-service.ts';
import type { Actor, OwnSource, PresenceService } from '../../presence/presence-service.ts';
import { encodeDetailedPresence, encodePresence } from './get-presence.ts';
import { decodeEventsQuestion } from './presence-events.ts';
import { encodeOptIn, readOptIn, readOwnState } from './presence-requests.ts';
import type { PresenceStreams } from './presence-streams.ts';
import type { signedIn } from './signed-in-endpoint.ts';

export interface PresenceApiServices {
  readonly presence: PresenceService;
  /** The watchers of this configuration. */
  readonly streams: PresenceStreams;
  /** The system that a mailbox lives in, by whatever address; undefined: in none. */
  readonly homeOf: (mailbox: MailboxAddress) => string | undefined;
  /** `application/pidf+xml` (RFC 3863) of what is shown. */
  readonly encodePidf: (mailbox: MailboxAddress, shown: ShownPresence) => string;
}

const PIDF = 'application/pidf+xml';

/** `/api/v1/presence/…`: seeing (right `presence: read`), watching, and switching for the mailboxes of the client's own system (right `presence: opt-in`). */
export function addPresence(router: Router, operation: ReturnType<typeof signedIn>, services: PresenceApiServices): void {
  router.all('/api/v1/presence/events', operation('presence/events', async (request, requester, _ctx, response) => watch(services, request, requester, response)));
  router.all('/api/v1/presence/:address', operation('presence', async (request, requester, ctx, response) => show(services, request, requester, ctx, response)));
  router.all(
    '/api/v1/presence/:address/opt-in',
    operation('presence/opt-in', {
      GET: async (request, requester) => encodeOptIn(addressOf(request), services.presence.optInOf(ownMailbox(services, request, requester))),
      PUT: async (request, requester, _ctx, response) => {
        const mailbox = ownMailbox(services, request, requester);
        const { isOptedIn, language } = await readOptIn(request);
        return changing(request, response, async () => {
          // Whoever cannot be switched on is told so before anything else of him changes.
          if (isOptedIn !== undefined) await services.presence.switch(mailbox, isOptedIn, actorOf(requester));
          if (language !== undefined) await services.presence.setLanguage(mailbox, language ?? undefined, actorOf(requester));
          return encodeOptIn(addressOf(request), services.presence.optInOf(mailbox));
        });
      },
      DELETE: async (request, requester, _ctx, response) => {
        const mailbox = ownMailbox(services, request, requester);
        return changing(request, response, async () => {
          await services.presence.switch(mailbox, false, actorOf(requester));
          return encodeOptIn(addressOf(request), services.presence.optInOf(mailbox));
        });
      },
    }),
  );
  for (const source of OWN_SOURCES) {
    router.all(
      `/api/v1/presence/:address/${source}`,
      operation(`presence/${source}`, {
        PUT: async (request, requester, _ctx, response) => setOwn(services, source, request, requester, response),
        DELETE: async (request, requester, _ctx, response) => setOwn(services, source, request, requester, response),
      }),
    );
  }
}

async function show({ presence, encodePidf }: PresenceApiServices, request: Request, requester: Requester, ctx: RequestContext, response: Response): Promise<unknown> {
  mustSee(requester);
  response.vary('Accept');
  const type = request.accepts(['application/json', PIDF]);
  if (type === false) return notAcceptable(request, response, `application/json or ${PIDF}`);
  const mailbox = parseMailboxAddress(addressOf(request));
  const shown = mailbox === undefined ? undefined : await presence.presenceOf(mailbox, ctx);
  if (mailbox === undefined || shown === undefined) throw nobody();
  if (type === PIDF) {
    response.type(PIDF).send(encodePidf(mailbox, shown));
    return undefined;
  }
  const wantsDetails = firstRaw(rawParameters(rawQueryOf(request.originalUrl)), 'details') === 'true';
  return wantsDetails ? encodeDetailedPresence(addressOf(request), shown) : encodePresence(addressOf(request), shown);
}

async function watch({ presence, streams }: PresenceApiServices, request: Request, requester: Requester, response: Response): Promise<undefined> {
  mustSee(requester);
  if (request.accepts(['text/event-stream']) === false) return notAcceptable(request, response, 'text/event-stream');
  const question = decodeEventsQuestion(rawParameters(rawQueryOf(request.originalUrl)), request.get('Last-Event-ID'));
  if (request.method === 'HEAD') {
    response.type('text/event-stream').end();
    return undefined;
  }
  const { signedInUntil } = scopeOf(request);
  streams.open(presence, response, question, requester.name, signedInUntil === undefined ? undefined : Math.max(0, signedInUntil - Date.now()));
  leaveGate(request);
  return undefined;
}

async function setOwn(services: PresenceApiServices, source: OwnSource, request: Request, requester: Requester, response: Response): Promise<unknown> {
  const mailbox = ownMailbox(services, request, requester);
  const { state, until } = request.method === 'PUT' ? await readOwnState(request, source) : { state: undefined, until: null };
  return changing(request, response, async () => {
    await services.presence.setOwn(mailbox, source, state, until, actorOf(requester));
    return { address: addressOf(request), state: state ?? null, until: until === null ? null : new Date(until).toISOString() };
  });
}

/** A refusal that is about how the bridge is set up (no gateway for this system) is a conflict with that, and no mistake of ours. */
async function changing(request: Request, response: Response, work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (thrown) {
    const error = toBridgeError(thrown);
    // Whether somebody is unknown or has not opted in is told to nobody.
    if (error.code === 'NOT_FOUND') throw nobody();
    if (error.code === 'STORE_UNAVAILABLE' && error.retryAfterMs === undefined) response.setHeader('Retry-After', '5');
    if (error.code !== 'CONFIGURATION') throw thrown;
    noteRefusal(request, response, error);
    response.status(409).json({ error: encodeError(error) });
    return undefined;
  }
}

function notAcceptable(request: Request, response: Response, types: string): undefined {
  const error = new BridgeError('UNSUPPORTED', `this is given as ${types} only`);
  noteRefusal(request, response, error);
  response.status(406).json({ error: encodeError(error) });
  return undefined;
}

/** @throws BridgeError ACCESS_DENIED, before the question is read: so that a client without the right learns the same from every one */
function mustSee({ presence }: Requester): void {
  if (presence === 'none') throw new BridgeError('ACCESS_DENIED', 'this client may not see presence');
}

/** The mailbox of a path, where the client may switch for it. @throws BridgeError ACCESS_DENIED without the right; NOT_FOUND, the same, for mailboxes of other systems and of none */
function ownMailbox({ homeOf }: PresenceApiServices, request: Request, requester: Requester): MailboxAddress {
  if (requester.presence !== 'opt-in') throw new BridgeError('ACCESS_DENIED', 'this client may not switch presence');
  const mailbox = parseMailboxAddress(addressOf(request));
  if (mailbox === undefined || homeOf(mailbox) !== requester.from) throw nobody();
  return mailbox;
}

function nobody(): BridgeError {
  return new BridgeError('NOT_FOUND', 'no presence for this address');
}

function addressOf(request: Request): string {
  return String(request.params['address']);
}

function actorOf({ name }: Requester): Actor {
  return { by: `client ${name}`, via: 'api' };
}
