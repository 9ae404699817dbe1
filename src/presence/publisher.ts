import type { ProbeFinding } from '../core/probe-finding.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from './presence.ts';

/**
 * PORT. A server that shows availability to its users: SIP, XMPP, a chat product.
 *
 * It is told of every change, one at a time for each mailbox, newest last; whoever calls keeps the queue, the pace and the tries. What has to be
 * renewed (a SIP publication's lifetime) it renews by itself, and what it needs for that over restarts it keeps in its KeptTexts.
 *
 * Failures are BridgeErrors: `temporary` ones are worth another try (after `retryAfterMs`, where given); BACKEND_AUTH, BACKEND_TLS and CONFIGURATION are about the
 * server as a whole; everything else is about this mailbox.
 */
export interface PresencePublisher {
  /** For logs, metrics and reports: `sip im.corp.example:5060`. Unique. */
  readonly label: string;
  /** How many calls may be under way, and how many may begin in a second. */
  readonly pace: { readonly concurrency: number; readonly perSecond: number };
  /** Its documents say until when a state lasts, so that a meeting's new end is news. Absent: only states are. */
  readonly showsTimes?: boolean;
  /** It keeps no state that could be lost: what was accepted once is not told again when the process begins anew. Absent: everybody is told then. */
  readonly isOnlyTold?: boolean;
  /** Opens connections and goes on renewing. Returns at once; never throws. @param onLost the server has lost everything that it was told (it restarted, we were away): all of it is to be published again */
  start(onLost: () => void): void;
  /** Resolves when the server has accepted it. Idempotent. */
  publish(mailbox: MailboxAddress, shown: ShownPresence, signal: AbortSignal): Promise<void>;
  /** Takes away all that was published about the mailbox. Idempotent: nothing there is no failure. */
  withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void>;
  /** What somebody who watches the mailbox sees on the server itself; undefined: nothing. For the canary. @throws BridgeError UNSUPPORTED where the server cannot be asked */
  observe(mailbox: MailboxAddress, signal: AbortSignal): Promise<PresenceState | undefined>;
  /** Tries reachability, certificate, sign-in, rights; never throws, every failure is a finding. Needs no `start`. */
  probe(signal: AbortSignal): Promise<readonly ProbeFinding[]>;
  /** Ends connections and timers; nothing is withdrawn. Safe to call twice. */
  close(): Promise<void>;
}

/** PORT. Short texts by key that outlive the process: watermarks, SIP's entity tags. Held in memory; a change is on disk within a second. */
export interface KeptTexts {
  get(key: string): string | undefined;
  set(key: string, text: string): void;
  delete(key: string): void;
  keys(): Iterable<string>;
  /** Resolves when all that was set or deleted is on disk; many at once share a write. Absent: nothing is kept on disk. @throws BridgeError STORE_UNAVAILABLE, which is logged already */
  flush?(): Promise<void>;
}

/** For tests and commands: kept as long as the process. */
export function memoryTexts(): KeptTexts {
  return new Map<string, string>();
}
