import type { Instant } from './clock.ts';

/** How much a client may see of a mailbox it may ask about; ordered from nothing to everything. */
export const DETAIL_LEVELS = ['none', 'free-busy', 'busy-type', 'details'] as const;
export type DetailLevel = (typeof DETAIL_LEVELS)[number];

/** What a client may take out of the address book: nothing, answers to searches, or all of it. */
export const GAL_RIGHTS = ['none', 'search', 'sync'] as const;
export type GalRight = (typeof GAL_RIGHTS)[number];

/** What a client may do with presence: nothing, see it, or also switch it on and off for mailboxes of its own system. */
export const PRESENCE_RIGHTS = ['none', 'read', 'opt-in'] as const;
export type PresenceRight = (typeof PRESENCE_RIGHTS)[number];

/** Who asks, and what that gives: resolved once by authentication, read at the single exit (lookup/). */
export interface Requester {
  readonly name: string;
  /** With which it signs in, as configured; absent for an anonymous one. */
  readonly username?: string | undefined;
  /** The system it speaks for; never asked on its behalf (loop guard). `outside` speaks for none. */
  readonly from: string;
  /** Names of the systems it may ask about, or `all` for the bridge's own questions. */
  readonly mayAsk: ReadonlySet<string> | 'all';
  readonly detail: DetailLevel;
  readonly anonymous: boolean;
  readonly presence: PresenceRight;
  /** Absent: none. */
  readonly gal?: GalRight | undefined;
  /** Its own deadline for a lookup, where it has one. */
  readonly deadlineMs?: number | undefined;
  /** It sees those who are excluded or have opted out, too: presence, in which everybody has opted in by himself. */
  readonly seesHidden?: true;
}

/** Through what a question came, as the audit log has it. */
export const FACES = ['ews', 'owa', 'zimbra-soap', 'zimbra-rest', 'ifb', 'caldav', 'json', 'command'] as const;
export type Face = (typeof FACES)[number];

/** One line for `lookup --explain`: what was asked upstream or came back, already free of secrets. */
export interface ExplainNote {
  readonly system: string;
  readonly kind: 'route' | 'request' | 'answer' | 'no-data';
  readonly text: string;
}

/** What travels with one question from the face to the back end and back. */
export interface RequestContext {
  readonly requestId: string;
  readonly requester: Requester;
  /** Bridges (and Zimbra servers) that this question has already passed. 0: asked by a client. */
  readonly hops: number;
  /** The question carries the hop count of Zimbra's external provider: a Zimbra asks, so no Zimbra is asked. */
  readonly viaZimbra?: boolean;
  /** The answer must be on its way by then. */
  readonly deadline: Instant;
  /** Fires when nobody waits for the answer any more: the deadline has passed or the client has gone. */
  readonly signal: AbortSignal;
  /** The face tells how old an answer is, so it may be given one that is no longer fresh where a system does not answer. */
  readonly saysAge?: true;
  /** Only what is so now will do: no answer that is kept or already on its way. For the bridge's own questions. */
  readonly fresh?: true;
  readonly explain?: ((note: ExplainNote) => void) | undefined;
  /** Through what it came; absent: the bridge asks for itself, which is in no audit log. */
  readonly face?: Face;
  /** The address from which the client asks; absent: no client does. */
  readonly address?: string;
  /** Who it is, for the audit log, where that is not `client {requester.name}`. */
  readonly actor?: string;
}
