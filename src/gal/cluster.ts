import { LIMITS } from '../core/limits.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { addressesOf, byRank, dnsOf, isMailbox, principalOf } from './record.ts';
import type { SourceRecord } from './record.ts';

/** Records that are about one mailbox, or one contact: a row of the address book. */
export interface Cluster<R extends SourceRecord = SourceRecord> {
  /** The believed one first: mailboxes before contacts, then by their sources' order. */
  readonly records: readonly R[];
  /** Its own alone, primary first; absent where they are those of its only record (a hundred thousand lists less). See addressesOfCluster. */
  readonly owned?: readonly MailboxAddress[];
  /** Where its directory says that it lives; undefined for a contact, and where two directories contradict each other. */
  readonly home: string | undefined;
}

/** The addresses of a row, its own alone, primary first; at least one. */
export function addressesOfCluster({ records, owned }: Cluster): readonly MailboxAddress[] {
  return owned ?? addressesOf(records[0]!.entry);
}

export interface Clusters<R extends SourceRecord> {
  readonly clusters: readonly Cluster<R>[];
  /** What directories say against each other, in an administrator's words. */
  readonly conflicts: readonly string[];
}

/**
 * Sorts records that share addresses, legacyExchangeDNs or foreign principals into rows.
 *
 * - Mailboxes are one where they have the same primary address, or the same home and legacyExchangeDN. Two homes of one address: nobody knows.
 * - A contact belongs to the mailbox that it stands for: by targetAddress, then by legacyExchangeDN and foreign principal, then by its addresses.
 * - Contacts without a mailbox are one where they share an address.
 * - Of more than LIMITS.galConnected each is taken alone.
 * - An address is one row's: whose primary it is, before whose proxy it is, before what contacts say; a row without any is none.
 */
export function clustersOf<R extends SourceRecord>(records: readonly R[]): Clusters<R> {
  if (records.length === 1) {
    const record = records[0]!;
    return { clusters: [{ records, home: isMailbox(record) ? record.source.home : undefined }], conflicts: [] };
  }
  if (records.length > LIMITS.galConnected) return eachAlone(records);
  const sorted = [...records].sort(byRank);
  const conflicts: string[] = [];
  const groups = mailboxGroups(sorted.filter(isMailbox));
  const mailboxOf = mailboxFinder(groups);
  const loose = new FirstHolders<MailboxAddress>();
  for (const contact of sorted.filter((one) => !isMailbox(one))) {
    const addresses = addressesOf(contact.entry);
    const stoodFor = mailboxOf(contact);
    const place = stoodFor ?? loose.of(addresses) ?? groups.length;
    groups[place] = [...(groups[place] ?? []), contact];
    if (stoodFor === undefined) loose.add(addresses, place);
  }
  const owners = ownersOf(groups);
  const clusters = groups.flatMap((group, index): readonly Cluster<R>[] => {
    const addresses = [...new Set(group.flatMap(({ entry }) => addressesOf(entry)))].filter((address) => owners.get(address)?.group === index);
    const [first, ...same] = group.filter(isMailbox);
    if (addresses.length === 0 || addresses[0] !== group[0]!.entry.address) conflicts.push(`${group[0]!.entry.address}: ${group[0]!.source.label} and ${groups[owners.get(group[0]!.entry.address)!.group]![0]!.source.label} both have somebody with this address`);
    for (const address of new Set(group.filter(isMailbox).flatMap(({ entry }) => entry.aliases ?? []))) {
      const other = groups[owners.get(address)!.group]!.find(isMailbox);
      if (other !== undefined && other.source.home !== first!.source.home) conflicts.push(`${address}: ${[first!, other].map(({ source, entry }) => `${source.label} (${entry.address})`).join(' and ')} both say that it is theirs`);
    }
    const again = same.find((one) => one.source.key === first!.source.key && one.entry.address === first!.entry.address);
    if (again !== undefined) conflicts.push(`${again.entry.address}: two entries of ${again.source.label} have this address`);
    const homes = new Set([first, ...same].map((one) => one?.source.home));
    if (homes.size > 1) conflicts.push(`${first!.entry.address}: ${[...homes].join(' and ')} both say that the mailbox is there`);
    return addresses.length === 0 ? [] : [{ records: group, owned: addresses, home: homes.size === 1 ? first?.source.home : undefined }];
  });
  return { clusters, conflicts };
}

/** Of a chain that is too long: whoever hangs on everybody belongs to nobody. */
function eachAlone<R extends SourceRecord>(component: readonly R[]): Clusters<R> {
  return { clusters: component.flatMap((one) => clustersOf([one]).clusters), conflicts: [`${component[0]!.entry.address}: more than ${LIMITS.galConnected} entries hang together by their addresses and names; each is taken alone`] };
}

/** Who had a key first: groups by their places. Records may have hundreds of keys each, so that comparing everybody with everybody would take seconds. */
class FirstHolders<K> {
  readonly #places = new Map<K, number>();

  add(keys: Iterable<K>, place: number): void {
    for (const key of keys) if (!this.#places.has(key)) this.#places.set(key, place);
  }

  /** The first group that has one of the keys. */
  of(keys: Iterable<K>): number | undefined {
    const places = [...keys].flatMap((key) => this.#places.get(key) ?? []);
    return places.length === 0 ? undefined : Math.min(...places);
  }
}

function mailboxGroups<R extends SourceRecord>(records: readonly R[]): R[][] {
  const groups: R[][] = [];
  const byAddress = new FirstHolders<MailboxAddress>();
  /** By system and DN, for each source: two entries of one source are two people, whatever they share. */
  const byDn = new Map<string, FirstHolders<string>>();
  for (const { source } of records) if (!byDn.has(source.key)) byDn.set(source.key, new FirstHolders());
  for (const record of records) {
    const { source, entry } = record;
    const dns = dnsOf(entry).map((dn) => `${source.home}\n${dn}`);
    const places = [byAddress.of([entry.address]), ...[...byDn].map(([key, holders]) => (key === source.key ? undefined : holders.of(dns)))].filter((one) => one !== undefined);
    const place = places.length === 0 ? groups.length : Math.min(...places);
    groups[place] = [...(groups[place] ?? []), record];
    byAddress.add([entry.address], place);
    byDn.get(source.key)!.add(dns, place);
  }
  return groups;
}

/** Finds the mailbox that a contact stands for, as the place of its group. */
function mailboxFinder<R extends SourceRecord>(groups: readonly (readonly R[])[]): (contact: R) => number | undefined {
  const primaries = new FirstHolders<MailboxAddress>();
  const all = new FirstHolders<MailboxAddress>();
  const dns = new FirstHolders<string>();
  const principals = new FirstHolders<string>();
  groups.forEach((records, place) => {
    for (const record of records) {
      const principal = principalOf(record);
      primaries.add([record.entry.address], place);
      all.add(addressesOf(record.entry), place);
      dns.add(dnsOf(record.entry), place);
      if (principal !== undefined) principals.add([principal], place);
    }
  });
  const having = (address: MailboxAddress): number | undefined => primaries.of([address]) ?? all.of([address]);
  return (contact) => {
    const { targetAddress, address, aliases = [] } = contact.entry;
    const target = targetAddress === undefined ? undefined : having(targetAddress);
    if (target !== undefined) return target;
    const principal = principalOf(contact);
    const named = [dns.of(dnsOf(contact.entry)), principal === undefined ? undefined : principals.of([principal])].filter((one) => one !== undefined);
    if (named.length > 0) return Math.min(...named);
    for (const one of [address, ...aliases]) {
      const found = having(one);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** Whose an address is, by how strong the claim is. */
function ownersOf(groups: readonly (readonly SourceRecord[])[]): ReadonlyMap<MailboxAddress, { readonly group: number; readonly claim: number }> {
  const owners = new Map<MailboxAddress, { readonly group: number; readonly claim: number }>();
  groups.forEach((records, group) => {
    for (const record of records) {
      addressesOf(record.entry).forEach((address, place) => {
        const claim = isMailbox(record) ? (place === 0 ? 0 : 1) : isMailbox(records[0]!) ? 2 : place === 0 ? 3 : 4;
        const owner = owners.get(address);
        if (owner === undefined || claim < owner.claim) owners.set(address, { group, claim });
      });
    }
  });
  return owners;
}
