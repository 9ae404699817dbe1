import type { Instant } from '../core/clock.ts';
import type { SourceEntry } from '../directory/entry-source.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** A source as the address book knows it. */
export interface RecordSource {
  /** Unique, and the same after a restart: part of its entries' ids. */
  readonly key: string;
  readonly label: string;
  /** Name of the system where its mailboxes live; undefined: nobody knows. */
  readonly home: string | undefined;
  /** The lower one is believed first. */
  readonly rank: number;
}

/** What one source says of one entry. */
export interface SourceRecord {
  readonly source: RecordSource;
  readonly entry: SourceEntry;
  /** When it last became other than it was. */
  readonly changedAt: Instant;
  /** When it was first seen. */
  readonly createdAt: Instant;
}

/** Whether the mailbox itself lives in a system that is known. */
export function isMailbox({ source, entry }: SourceRecord): boolean {
  return entry.isMailbox && source.home !== undefined;
}

/** By the sources' order, then by id: the same whatever came first. */
export function byRank(a: SourceRecord, b: SourceRecord): number {
  return a.source.rank - b.source.rank || (a.entry.id < b.entry.id ? -1 : a.entry.id > b.entry.id ? 1 : 0);
}

/** Every address by which a record is known; the primary one first, the one that it stands for last. */
export function addressesOf({ address, aliases = [], targetAddress }: SourceEntry): readonly MailboxAddress[] {
  if (aliases.length === 0 && (targetAddress === undefined || targetAddress === address)) return [address];
  return [...new Set([address, ...aliases, ...(targetAddress === undefined ? [] : [targetAddress])])];
}

/** Every legacyExchangeDN by which a record is known, lower case: its own, former ones, and a foreign principal that is one. */
export function dnsOf({ legacyExchangeDn, formerDns = [], foreignPrincipal }: SourceEntry): readonly string[] {
  if (legacyExchangeDn === undefined && formerDns.length === 0 && foreignPrincipal?.startsWith('/') !== true) return NONE;
  const all = [...(legacyExchangeDn === undefined ? [] : [legacyExchangeDn]), ...formerDns, ...(foreignPrincipal?.startsWith('/') === true ? [foreignPrincipal] : [])];
  return [...new Set(all.map((dn) => dn.toLowerCase()))];
}

/**
 * The short name by which Zimbra's foreign principals and Exchange's contacts find each other, lower case: the principal, or the last cn of a contact's
 * legacyExchangeDN. Mailboxes of Exchange have none: `ad:kim` is not about a person of the same alias who has a mailbox there.
 */
export function principalOf(record: SourceRecord): string | undefined {
  const { foreignPrincipal, legacyExchangeDn } = record.entry;
  if (foreignPrincipal !== undefined) return foreignPrincipal.startsWith('/') ? undefined : foreignPrincipal.toLowerCase();
  if (legacyExchangeDn === undefined || isMailbox(record)) return undefined;
  return /\/cn=([^/]+)$/i.exec(legacyExchangeDn)?.[1]?.toLowerCase();
}

const NONE: readonly string[] = [];
