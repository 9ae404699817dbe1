import { hash } from 'node:crypto';
import type { Instant } from '../core/clock.ts';
import { ENTRY_DETAILS } from '../directory/entry.ts';
import type { DirectoryEntry, EntryDetails } from '../directory/entry.ts';
import { addressesOfCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import type { SearchRow } from './search-index.ts';

/** The id of the row that a record leads: 32 hexadecimal digits of the source and the record's own id. */
export function idOf({ records }: Cluster): string {
  const { source, entry } = records[0]!;
  return hash('sha256', `${source.key}\0${entry.id}`, 'hex').slice(0, 32);
}

/** What the faces show of a row: of the believed record, and what it does not say, of the others. */
export function entryOf(cluster: Cluster, home: string | undefined, modifiedAt: Instant): DirectoryEntry {
  const { records } = cluster;
  const [first] = records;
  const [address, ...aliases] = addressesOfCluster(cluster);
  return {
    id: idOf(cluster),
    address: address!,
    name: nameOf(cluster),
    kind: first!.entry.kind,
    home,
    aliases: aliases.sort(),
    modifiedAt,
    createdAt: records.reduce((earliest, { createdAt }) => Math.min(earliest, createdAt), Infinity),
    ...detailsOf(cluster),
  };
}

/** What makes a row be found. */
export function searchRowOf(cluster: Cluster, home: string | undefined): SearchRow {
  const { records } = cluster;
  const { givenName, surname, nickname, phoneticName } = records.length === 1 ? records[0]!.entry : detailsOf(cluster);
  // The words of an address are no words of a name.
  const name = records.find(({ entry }) => entry.name !== undefined)?.entry.name;
  return { name: name ?? addressesOfCluster(cluster)[0]!, names: [name, givenName, surname, nickname, phoneticName].filter((one) => one !== undefined), addresses: addressesOfCluster(cluster), kind: records[0]!.entry.kind, home };
}

function nameOf(cluster: Cluster): string {
  return cluster.records.find(({ entry }) => entry.name !== undefined)?.entry.name ?? addressesOfCluster(cluster)[0]!;
}

function detailsOf({ records }: Cluster): EntryDetails {
  const details: Partial<Record<keyof EntryDetails, string>> = {};
  for (const key of ENTRY_DETAILS) {
    for (const { entry } of records) {
      const value = entry[key];
      if (value === undefined) continue;
      details[key] = value;
      break;
    }
  }
  return details;
}
