import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Addressee } from './sink.ts';

/** One mailbox of a system, with what replication needs to know of it. */
export interface Resident extends Addressee {
  /** A system account (spam training, quarantine, GAL synchronisation): never replicated. */
  readonly isSystem: boolean;
}

export interface FindOptions {
  /** What was heard a short while ago is not good enough: somebody has just changed it. */
  readonly fresh?: boolean;
}

/** PORT. Who lives in a calendar system. */
export interface Roster {
  /** All of them, page by page, in no order. @throws BridgeError where a page cannot be read: an incomplete list must not look like a complete one */
  all(signal: AbortSignal): AsyncIterable<readonly Resident[]>;
  /** One of them; undefined where the system says that there is no such mailbox. @throws BridgeError where it cannot be asked */
  find(mailbox: MailboxAddress, signal: AbortSignal, options?: FindOptions): Promise<Resident | undefined>;
}
