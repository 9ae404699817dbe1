import type { ProbeFinding } from '../core/probe-finding.ts';
import type { EntryDetails, EntryKind } from './entry.ts';
import type { MailboxAddress } from './smtp-address.ts';

/** What one directory says of one of its entries. What has no address is no entry. */
export interface SourceEntry extends EntryDetails {
  /** Unique within its source, and the same after a rename or a move: entryUUID, objectGUID, zimbraId; the address where there is nothing better. */
  readonly id: string;
  readonly address: MailboxAddress;
  /** Display name; absent where the directory has none. */
  readonly name?: string;
  /** `contact` and `isMailbox` exclude each other. */
  readonly kind: EntryKind;
  /** The mailbox (room, list) itself lives in the source's home; false for what stands for somebody elsewhere: a mail contact, a mail user, a remote mailbox. */
  readonly isMailbox: boolean;
  /** In no answer of any face; where its mailbox lives counts all the same. */
  readonly isHidden?: true;
  /** Proxy addresses, without `address`. */
  readonly aliases?: readonly MailboxAddress[];
  /** Where mail for it goes on to (targetAddress): the address of the mailbox that a contact stands for. */
  readonly targetAddress?: MailboxAddress;
  /** As the directory spells it. */
  readonly legacyExchangeDn?: string;
  /** Former ones (`X500:` proxies). */
  readonly formerDns?: readonly string[];
  /** Zimbra's `ad:…` without the prefix: the last cn of the contact's legacyExchangeDN, or all of it where it begins with `/`. */
  readonly foreignPrincipal?: string;
  /** By which the groups of the same source name it: its DN, lower case. */
  readonly ref?: string;
  /** Of a group: addresses, and `ref`s of the same source; in the directory's order. */
  readonly members?: readonly string[];
}

/** A part of what a source reads; everything in it is about distinct ids. */
export interface SourceBatch {
  /** New or changed, or seen again as they were. */
  readonly entries?: readonly SourceEntry[];
  /** Gone, or no entry any more (without an address, of another class). */
  readonly removed?: readonly string[];
  /** There, and not changed: ids only. */
  readonly present?: readonly string[];
}

/** How a reading ended. */
export interface SourceRead {
  /** Where the next one may go on; undefined: only from the beginning. Survives restarts. */
  readonly cursor: string | undefined;
  /** All that the source holds was in `entries` and `present`: whatever else came from it is gone. */
  readonly isWhole: boolean;
}

/**
 * PORT. A directory that is read into the address book: LDAP, a system's own, a file.
 *
 * - `read` without a cursor, or with one that the source no longer knows, reads everything (`isWhole`). With one it reads what changed since; what was deleted it
 *   tells by `removed`, or by being whole in ids (`present`).
 * - What was handed over before a failure holds; what was not is kept as it was. A reading that ends without the end of the source throws: an incomplete list must
 *   not look like a complete one.
 * - `take` is awaited before more is read.
 */
export interface EntrySource {
  /** How logs, `check` and `gal status` call it. */
  readonly label: string;
  /** Between the end of one reading and the next. */
  readonly pauseMs: number;
  /** So often it is read from the beginning, whatever it tells of changes. */
  readonly wholeEveryMs: number;
  /** @throws BridgeError what went wrong; `temporary` ones too */
  read(cursor: string | undefined, take: (batch: SourceBatch) => Promise<void>, signal: AbortSignal): Promise<SourceRead>;
  /** Tries name, sign-in, right to read, one page; never throws. */
  probe(signal: AbortSignal): Promise<readonly ProbeFinding[]>;
  /** Ends its connections. Safe to call twice. */
  close(): Promise<void>;
}
