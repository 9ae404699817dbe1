import type { Requester } from '../core/request-context.ts';
import type { DirectoryEntry, EntryKind } from './entry.ts';
import type { MailboxAddress } from './smtp-address.ts';

export interface DirectoryQuery {
  /** What somebody typed. Tokens between blanks, commas and semicolons; each must begin a word of the name, or an address. Case and diacritics do not count; `*` and `%` stand for themselves. Nothing in it: nobody. */
  readonly text: string;
  /** Only these; absent: all. */
  readonly kinds?: readonly EntryKind[];
  /** At least 1; the requester's own limit is stronger. */
  readonly limit: number;
  /** Of the first one, in the whole ranking; default 0. */
  readonly offset?: number;
}

/** Best first: exact before beginning of a word before address; among equals the asking side's own, then by name. */
export interface DirectoryPage {
  readonly entries: readonly DirectoryEntry[];
  /** There are others behind these. */
  readonly more: boolean;
}

/** What has changed since a token. */
export interface DirectoryChanges {
  /** For the next question; at most 100 characters of `[0-9A-Za-z.-]`. */
  readonly token: string;
  /** The token was none of ours, too old, or missing: `entries` are everybody, and whoever is not among them is gone. */
  readonly isWhole: boolean;
  /** Made while they are walked through: there may be a hundred thousand. Give others their turn. */
  readonly entries: Iterable<DirectoryEntry>;
  /** Ids; empty where `isWhole`. */
  readonly removed: readonly string[];
}

/** What a client may take out of the address book. */
export interface DirectoryAllowance {
  /** Entries in one answer; Infinity for `sync`. */
  readonly results: number;
  /** Characters that a search needs at least (of its longest token); shorter ones find nobody. */
  readonly minimumLength: number;
}

/**
 * PORT. The unified address book as a client may see it: the one exit. Hidden entries are in no answer. Every method throws BridgeError ACCESS_DENIED for a client
 * with `gal: none`, and TOO_MANY_ATTEMPTS (with retryAfterMs) beyond its rate.
 */
export interface Directory {
  /** Whether an address book is kept at all; where not, it is empty for everybody. */
  readonly isKept: boolean;
  allowance(requester: Requester): DirectoryAllowance;
  search(query: DirectoryQuery, requester: Requester): DirectoryPage;
  /** By its primary address or an alias. */
  resolve(address: MailboxAddress, requester: Requester): DirectoryEntry | undefined;
  /** By what `entry.id` says. */
  byId(id: string, requester: Requester): DirectoryEntry | undefined;
  /** By a present or former legacyExchangeDN in any Exchange; without regard to case. */
  byLegacyExchangeDn(dn: string, requester: Requester): DirectoryEntry | undefined;
  /** The legacyExchangeDN in the named system, else in any. */
  legacyExchangeDnOf(entry: DirectoryEntry, system?: string): string | undefined;
  /** Of a group: those whom the directory knows and shows, not expanded further; empty for others. */
  membersOf(entry: DirectoryEntry, requester: Requester): readonly DirectoryEntry[];
  /** Everybody, in no order, for a search by other criteria than words. Costs one search; the caller keeps to `allowance().results` and gives others their turn (core/pace.ts). */
  all(requester: Requester): Iterable<DirectoryEntry>;
  /** @throws BridgeError ACCESS_DENIED for whom `gal` is not `sync` */
  changes(token: string | undefined, requester: Requester): DirectoryChanges;
}
