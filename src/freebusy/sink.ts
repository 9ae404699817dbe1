import type { RequestContext } from '../core/request-context.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { FreeBusy } from './free-busy.ts';
import type { Interval } from './interval.ts';

/** Whom a published message is about, as its home system knows it. */
export interface Addressee {
  readonly mailbox: MailboxAddress;
  /** Zimbra's zimbraForeignPrincipal `ad:…` without the prefix: the last cn of the legacyExchangeDN, or all of it where it begins with `/`. Absent: the sink's template decides. */
  readonly foreignPrincipal?: string | undefined;
}

/** What `publish` would do, for a dry run. */
export interface PublicationPreview {
  /** The URL, or folder and subject, that would be written. */
  readonly where: string;
  /** The document that would be sent, as `freebusy-bridge decode` reads it. */
  readonly document: string;
}

/**
 * PORT. A place that keeps a replica of somebody's free/busy: Exchange's public folder.
 *
 * What is written is named by its *identity*, the legacyExchangeDN: two mailboxes with the same one would share a message, and
 * a mailbox whose identity changes leaves one behind. The caller keeps track of both.
 *
 * Failures are BridgeErrors: `temporary` ones are worth another try; BACKEND_AUTH, BACKEND_TLS, BACKEND_REDIRECT and CONFIGURATION
 * are about the server as a whole; everything else is about this message.
 */
export interface FreeBusySink {
  /** The legacyExchangeDN under which the mailbox's message lies; pure. @throws BridgeError NO_DATA where it can have none */
  identityOf(addressee: Addressee): string;
  /**
   * Creates or replaces the message. `freeBusy` holds no `no-data`: its window is what the message speaks about. Idempotent.
   *
   * @returns the window really written, only after every property was accepted
   */
  publish(identity: string, freeBusy: FreeBusy, ctx: RequestContext): Promise<Interval>;
  /** Takes the message away, so that the mailbox is unknown rather than free. Idempotent: one that is not there is no failure. */
  remove(identity: string, ctx: RequestContext): Promise<void>;
  /** What `publish` would write, without any I/O. @throws BridgeError as `publish` before its first request */
  preview(identity: string, freeBusy: FreeBusy): PublicationPreview;
}

/** PORT. A sink as configured; one for every system that is replicated into. */
export interface SinkSystem extends FreeBusySink {
  /** Folder there, right to write, server version; never throws, every failure is a finding. */
  probe(ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Safe to call twice. */
  close(): Promise<void>;
}
