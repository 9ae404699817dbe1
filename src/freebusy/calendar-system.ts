import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { RequestContext } from '../core/request-context.ts';
import type { TlsVersion } from '../core/tls-version.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusySource } from './source.ts';

/** What the client of every calendar system is made with; each room adds its own. */
export interface CalendarSystemOptions {
  /** The system's name in bridge.yaml. */
  readonly name: string;
  /** PEM certificates of the authorities to trust in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  /** The oldest TLS that is spoken with it; absent: 1.2. */
  readonly minTlsVersion?: TlsVersion | undefined;
  /** Further hosts to which a redirect may lead. */
  readonly hosts: readonly string[];
  /** Whom `check` asks about. */
  readonly probeMailbox?: MailboxAddress | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** PORT. A calendar system as configured: asked for free/busy by the lookup, and examined by `check`. */
export interface CalendarSystem extends FreeBusySource {
  /** Tries sign-in, the right to read, version and clock; never throws, every failure is a finding. */
  probe(ctx: RequestContext): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Safe to call twice. */
  close(): Promise<void>;
}
