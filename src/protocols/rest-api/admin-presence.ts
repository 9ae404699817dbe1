import type { IncomingMessage } from 'node:http';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Actor, FollowedMailbox, PresenceService, PresenceStatus } from '../../presence/presence-service.ts';
import { encodeDetailedPresence } from './get-presence.ts';
import { mailboxesOf, readAdminBody, readMailboxes } from './admin-requests.ts';

/** What an administrator's programs do with presence. */
export type AdminPresence = Pick<PresenceService, 'status' | 'followed' | 'resync' | 'switch' | 'optIns'>;

/** What became of one mailbox in a list. */
export interface SwitchOutcome {
  readonly mailbox: MailboxAddress;
  /** Absent: it was refused. */
  readonly changed?: boolean;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

const ACTOR: Actor = { by: 'administrator', via: 'api' };

/** By path below `/api/v1/admin/`. `check` is `presence check --json`; absent: not offered. */
export function presenceOperations(presence: () => AdminPresence | undefined, check?: () => Promise<unknown>): Readonly<Record<string, { readonly method: 'GET' | 'POST'; readonly run: (request: IncomingMessage) => Promise<unknown> }>> {
  const found = (): AdminPresence => {
    const one = presence();
    if (one === undefined) throw new BridgeError('NOT_FOUND', 'this bridge has no presence');
    return one;
  };
  return {
    presence: { method: 'GET', run: async () => encodePresenceStatus(found().status()) },
    'presence/mailboxes': { method: 'GET', run: async () => ({ mailboxes: [...found().followed()].map(encodeFollowed) }) },
    'presence/resync': { method: 'POST', run: async (request) => ({ count: found().resync(await readMailboxes(request)) }) },
    'presence/opt-in': { method: 'POST', run: async (request) => switchSeveral(found(), await readAdminBody(request)) },
    ...(check === undefined ? {} : { 'presence/check': { method: 'POST', run: async (request: IncomingMessage) => (await readAdminBody(request), check()) } }),
  };
}

/**
 * `{"mailboxes": ["anna@corp.example"], "optIn": true}` → `{"count": 1, "outcomes": […]}`. Whoever is switched on is named; to switch everybody off wants
 * `{"mailboxes": "all", "optIn": false, "confirm": true}` (presence.md A31, A37).
 */
async function switchSeveral(presence: AdminPresence, body: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { optIn, confirm } = body;
  if (typeof optIn !== 'boolean') throw new BridgeError('INVALID_REQUEST', 'optIn should be true or false');
  const named = mailboxesOf(body);
  if (named === 'all' && optIn) throw new BridgeError('INVALID_REQUEST', 'name whom to switch on: everybody at once is for `presence opt-in --all`, which shows them first');
  if (named === 'all' && confirm !== true) throw new BridgeError('INVALID_REQUEST', 'to switch everybody off add "confirm": true');
  if (named !== 'all' && named.length > LIMITS.presenceSwitches) throw new BridgeError('TOO_MANY_MAILBOXES', `${named.length} mailboxes; at most ${LIMITS.presenceSwitches} go into one request`);
  const mailboxes = named === 'all' ? presence.optIns().flatMap(({ mailbox, isOptedIn }) => (isOptedIn ? [mailbox] : [])) : named;
  const outcomes = await switchEach(presence, mailboxes, optIn, ACTOR);
  return { count: outcomes.filter(({ changed }) => changed === true).length, outcomes };
}

/** Switches everybody named, stored together, LIMITS.presenceSwitches at a time; what is refused is that mailbox's outcome. In the order named. */
export async function switchEach(presence: Pick<PresenceService, 'switch'>, mailboxes: readonly MailboxAddress[], isOn: boolean, actor: Actor): Promise<readonly SwitchOutcome[]> {
  const outcomes: SwitchOutcome[] = [];
  for (let at = 0; at < mailboxes.length; at += LIMITS.presenceSwitches) {
    const part = mailboxes.slice(at, at + LIMITS.presenceSwitches).map(async (mailbox): Promise<SwitchOutcome> => {
      try {
        return { mailbox, changed: await presence.switch(mailbox, isOn, actor) };
      } catch (thrown) {
        const { code, publicMessage: message } = toBridgeError(thrown);
        return { mailbox, error: { code, message } };
      }
    });
    outcomes.push(...(await Promise.all(part)));
  }
  return outcomes;
}

/** The body of GET /api/v1/admin/presence and of `presence status --json`. */
export function encodePresenceStatus({ gateways, publishers, appliedAt, lagMs, idle, ...rest }: PresenceStatus): unknown {
  return {
    ...rest,
    gateways: gateways.map(({ watch: { heardAt, trouble, ...watch }, ...gateway }) => ({ ...gateway, watch: { ...watch, heardAt: timeOf(heardAt), trouble: trouble ?? null } })),
    publishers: publishers.map(({ publishedAt, trouble, ...publisher }) => ({ ...publisher, publishedAt: timeOf(publishedAt), trouble: trouble ?? null })),
    lagMs: lagMs ?? null,
    appliedAt: timeOf(appliedAt),
    idle: idle ?? null,
  };
}

/** One of GET /api/v1/admin/presence/mailboxes and of `presence list --json`. */
export function encodeFollowed({ mailbox, shown, through, mode, readAt, trouble }: FollowedMailbox): unknown {
  return { ...encodeDetailedPresence(mailbox, shown), through: through ?? null, mode, readAt: timeOf(readAt), trouble: trouble ?? null };
}

function timeOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
