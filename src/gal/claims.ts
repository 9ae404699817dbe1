import type { MailboxAddress } from '../directory/smtp-address.ts';
import { addressesOf, isMailbox } from './record.ts';
import type { KeptRecord, Row } from './row.ts';

/**
 * The mailboxes whose claim on an address no other row's outdoes; several rows, or systems: nobody can tell whose it is.
 *
 * A primary address outdoes an alias, and a system that lists the domain one that does not. Where each is stronger in one of these, or in none, neither gives way, and two
 * primary addresses never do: whoever may write into one directory takes nobody's address in another.
 *
 * @param lists whether a system lists the address's domain
 */
export function strongestClaims(address: MailboxAddress, records: readonly KeptRecord[], lists: (system: string) => boolean): readonly KeptRecord[] {
  const claims = records
    .filter((one) => isMailbox(one) && (one.entry.address === address || one.entry.aliases?.includes(address) === true))
    .map((record) => ({ record, system: record.source.home!, isPrimary: record.entry.address === address, isListed: lists(record.source.home!) }));
  return claims
    .filter((one) => !claims.some((other) => (other.system !== one.system || other.record.row !== one.record.row) && outdoes(other, one)))
    .map(({ record }) => record);
}

interface Claim {
  readonly isPrimary: boolean;
  readonly isListed: boolean;
}

function outdoes(one: Claim, other: Claim): boolean {
  const isWeaker = (one.isPrimary ? 1 : 0) < (other.isPrimary ? 1 : 0) || (one.isListed ? 1 : 0) < (other.isListed ? 1 : 0);
  const isStronger = (one.isPrimary && !other.isPrimary) || (one.isListed && !other.isListed && !one.isPrimary);
  return isStronger && !isWeaker;
}

/** The row to which an address belongs, of the records that have it; undefined where several rows have equal claims on it, as on an alias that everybody has. */
export function rowOfAddress(address: MailboxAddress, holders: readonly KeptRecord[]): Row | undefined {
  return onlyRow(holders, (one) => (isMailbox(one) ? (one.entry.address === address ? 0 : 1) : 2));
}

/**
 * The row to which a legacyExchangeDN belongs, of the records that have it: whose it is before whose it was before who is only said to stand for it, mailboxes before contacts.
 * Undefined where several rows have equal claims on it.
 *
 * @param dn lower case
 */
export function rowOfDn(dn: string, holders: readonly KeptRecord[]): Row | undefined {
  const holds = ({ entry: { legacyExchangeDn, formerDns = [] } }: KeptRecord): number => (legacyExchangeDn?.toLowerCase() === dn ? 0 : formerDns.some((one) => one.toLowerCase() === dn) ? 2 : 4);
  return onlyRow(holders, (one) => holds(one) + (isMailbox(one) ? 0 : 1));
}

/** @param claim the smaller the stronger */
function onlyRow(holders: readonly KeptRecord[], claim: (one: KeptRecord) => number): Row | undefined {
  const rows = new Set<Row>();
  let strongest = Infinity;
  for (const one of holders) {
    const strength = one.row === undefined ? Infinity : claim(one);
    if (strength < strongest) rows.clear();
    strongest = Math.min(strongest, strength);
    if (one.row !== undefined && strength === strongest) rows.add(one.row);
  }
  return rows.size === 1 ? [...rows][0] : undefined;
}

/**
 * Whether a row may speak for an address that is not its mailbox's primary one. In a domain that some system lists, another system's mailbox is asked about only where
 * a directory of a listing system, or one of no system, says so too: whoever may write aliases or contacts into one directory does not take over the other's people.
 *
 * @param listing the systems that list the address's domain
 */
export function maySpeakFor({ cluster }: Row, address: MailboxAddress, listing: readonly string[]): boolean {
  if (listing.length === 0 || (cluster.home !== undefined && listing.includes(cluster.home))) return true;
  return cluster.records.some((one) => {
    if (isMailbox(one) && one.entry.address === address) return true;
    const { home } = one.source;
    return (home === undefined || listing.includes(home)) && addressesOf(one.entry).includes(address);
  });
}
