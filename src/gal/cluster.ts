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
 * - An address is one row's: whose primary it is, before whose proxy it is, before what contacts say; a row without any is none.
 */
export function clustersOf<R extends SourceRecord>(records: readonly R[]): Clusters<R> {
  if (records.length === 1) {
    const record = records[0]!;
    return { clusters: [{ records, home: isMailbox(record) ? record.source.home : undefined }], conflicts: [] };
  }
  const sorted = [...records].sort(byRank);
  const conflicts: string[] = [];
  const mailboxes = mailboxGroups(sorted.filter(isMailbox));
  const loose: R[][] = [];
  for (const contact of sorted.filter((one) => !isMailbox(one))) {
    const group = mailboxOf(contact, mailboxes) ?? loose.find((others) => others.some((other) => sharesAddress(other, contact)));
    if (group === undefined) loose.push([contact]);
    else group.push(contact);
  }
  const groups = [...mailboxes, ...loose];
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

function mailboxGroups<R extends SourceRecord>(records: readonly R[]): R[][] {
  const groups: R[][] = [];
  for (const record of records) {
    const dns = new Set(dnsOf(record.entry));
    const isSame = (one: R): boolean => one.entry.address === record.entry.address || (one.source.home === record.source.home && one.source.key !== record.source.key && dnsOf(one.entry).some((dn) => dns.has(dn)));
    const group = groups.find((others) => others.some(isSame));
    if (group === undefined) groups.push([record]);
    else group.push(record);
  }
  return groups;
}

/** The mailbox that a contact stands for. */
function mailboxOf<R extends SourceRecord>(contact: R, mailboxes: readonly R[][]): R[] | undefined {
  const { targetAddress, address, aliases = [] } = contact.entry;
  const having = (address: MailboxAddress): R[] | undefined =>
    mailboxes.find((group) => group.some((one) => isMailbox(one) && one.entry.address === address)) ?? mailboxes.find((group) => group.some((one) => isMailbox(one) && addressesOf(one.entry).includes(address)));
  const target = targetAddress === undefined ? undefined : having(targetAddress);
  if (target !== undefined) return target;
  const dns = new Set(dnsOf(contact.entry));
  const principal = principalOf(contact);
  const named = mailboxes.find((group) => group.some((one) => isMailbox(one) && (dnsOf(one.entry).some((dn) => dns.has(dn)) || (principal !== undefined && principalOf(one) === principal))));
  if (named !== undefined) return named;
  for (const one of [address, ...aliases]) {
    const found = having(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sharesAddress(a: SourceRecord, b: SourceRecord): boolean {
  const addresses = addressesOf(a.entry);
  return addressesOf(b.entry).some((one) => addresses.includes(one));
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
