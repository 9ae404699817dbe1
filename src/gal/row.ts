import type { Instant } from '../core/clock.ts';
import type { DirectoryEntry } from '../directory/entry.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Whereabout } from '../directory/whereabouts.ts';
import { addressesOfCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { entryOf } from './entry-of.ts';
import { addressesOf, isMailbox } from './record.ts';
import type { SourceRecord } from './record.ts';

/** A record and the row that it belongs to; every record belongs to one, but for those whose addresses are all somebody else's. */
export interface KeptRecord extends SourceRecord {
  row: Row | undefined;
}

/** A row of the address book in memory. What it looks like is made when somebody wants to see it: a hundred thousand would fill the memory twice. */
export interface Row {
  readonly slot: number;
  readonly cluster: Cluster<KeptRecord>;
  readonly isHidden: boolean;
  /** Where it lives, all told: what directories, the configuration and the domain say. */
  readonly home: string | undefined;
  readonly modifiedAt: Instant;
}

/** Its mailbox is hidden, or the contact that stands for it where no mailbox is known. */
export function isHidden({ records }: Cluster): boolean {
  return records.some((record, place) => record.entry.isHidden === true && (place === 0 || isMailbox(record)));
}

export function shown({ cluster, home, modifiedAt }: Row): DirectoryEntry {
  return entryOf(cluster, home, modifiedAt);
}

/** Undefined for a hidden one. */
export function shownOr(row: Row | undefined): DirectoryEntry | undefined {
  return row === undefined || row.isHidden ? undefined : shown(row);
}

/** Whether nobody could tell two rows apart, but for when they changed. */
export function looksTheSame(a: Row, b: Row): boolean {
  const look = ({ cluster, home, isHidden }: Row): string => JSON.stringify([isHidden, entryOf(cluster, home, 0), cluster.records.map(({ entry }) => entry.members ?? [])]);
  return look(a) === look(b);
}

/** What the records say of where the mailbox is. */
export function whereaboutOf(cluster: Cluster): Whereabout {
  const { records, home } = cluster;
  const { entry } = records[0]!;
  const address = addressesOfCluster(cluster)[0]!;
  const isKnown = records.some(isMailbox);
  const claimedBy = isKnown && home === undefined ? [...new Set(records.filter(isMailbox).map(({ source }) => source.home!))] : [];
  return {
    address: isKnown ? address : (entry.targetAddress ?? address),
    kind: entry.kind,
    home,
    notIn: isKnown ? [] : records.flatMap(({ source }) => source.home ?? []),
    ...(claimedBy.length === 0 ? {} : { claimedBy }),
  };
}

/** When one of its records last changed. */
export function newestOf({ records }: Cluster): Instant {
  return records.reduce((latest, { changedAt }) => Math.max(latest, changedAt), 0);
}

/** Where a row's mailbox is, and under which legacyExchangeDNs; to be compared only. */
export function placeOf({ home, cluster }: Row): string {
  return [home ?? '', ...cluster.records.flatMap(({ entry }) => entry.legacyExchangeDn ?? [])].join('\n');
}

/** The legacyExchangeDN that a row has in a system's directory, else (no system named) in any; of several, that of who has the address, where one is given. */
export function dnIn({ cluster }: Row, system: string | undefined, address?: MailboxAddress): string | undefined {
  const named = cluster.records.filter(({ source, entry }) => entry.legacyExchangeDn !== undefined && (system === undefined || source.home === system));
  return (named.find(({ entry }) => address !== undefined && addressesOf(entry).includes(address)) ?? named[0])?.entry.legacyExchangeDn;
}
