import type { SourceEntry } from '../directory/entry-source.ts';
import type { DirectoryEntry, EntryKind } from '../directory/entry.ts';
import { domainOf, localPartOf } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { GalRecord, GalRow } from './gal-row.ts';

/** The system that should have contacts. */
export interface ContactTarget {
  readonly name: string;
  /** Lower case. */
  readonly domains: readonly string[];
  /** Of whom contacts are made; default: of everybody. */
  readonly kinds?: readonly EntryKind[];
  /** The other systems; absent: all are sure. Of one that is not (no source, one that was not read whole or not of late) nobody can say who is gone. */
  readonly others?: readonly OtherSystem[];
}

export interface OtherSystem {
  readonly name: string;
  /** Lower case. */
  readonly domains: readonly string[];
  /** Its directories were read whole, and lately. */
  readonly isSure: boolean;
}

/** Somebody of another system, as the target should know him. */
export interface WantedContact {
  readonly entry: DirectoryEntry;
  /** Where mail for him leaves the target: an alias outside of the target's domains where the primary address is within them. */
  readonly externalAddress: MailboxAddress;
}

export interface ContactChange extends WantedContact {
  readonly present: SourceEntry;
  /** The name it should have; absent: the one it has. */
  readonly name?: string;
  /** The address it should stand for; absent: the one it stands for. */
  readonly targetAddress?: MailboxAddress;
}

/** What is missing, other and too many in one system's directory, each sorted by address. */
export interface ContactDifference {
  readonly add: readonly WantedContact[];
  readonly change: readonly ContactChange[];
  readonly remove: readonly SourceEntry[];
  /** What was left alone because it is not sure, one line each, sorted. */
  readonly remarks: readonly string[];
  /** Aliases (mailNickname, else local part) that the target's own entries have, lower case: new contacts need others. */
  readonly takenAliases: ReadonlySet<string>;
}

/** Of others than the target: nobody makes a contact for what is only a contact itself. */
const KINDS: readonly EntryKind[] = ['person', 'room', 'equipment', 'group'];

/**
 * Which mail contacts a system needs for the people of the others, against those that its directories say it has.
 *
 * Only what a directory says counts: somebody is of another system where the address book says so, a contact is one too many where its address is in a domain in
 * which another system has mailboxes, none of the target's own, and no directory knows a mailbox behind it. Mail users and remote mailboxes are never touched.
 */
export function contactDifference(rows: Iterable<GalRow>, target: ContactTarget): ContactDifference {
  const { kinds = KINDS } = target;
  const add: WantedContact[] = [];
  const change: ContactChange[] = [];
  const orphans: SourceEntry[] = [];
  const remarks: string[] = [];
  const takenAliases = new Set<string>();
  /** In which other systems have mailboxes, and which. */
  const foreignDomains = new Map<string, Set<string>>();
  for (const row of rows) {
    const { entry, isHidden, records } = row;
    const own = records.filter(({ home }) => home === target.name);
    for (const record of own) takenAliases.add(aliasIn(record));
    for (const { home, entry: said } of records) if (said.isMailbox && home !== undefined && home !== target.name) addTo(foreignDomains, domainOf(said.address), home);
    if (!records.some((record) => record.entry.isMailbox)) {
      orphans.push(...own.filter(({ entry: said }) => said.kind === 'contact').map((record) => record.entry));
      continue;
    }
    if (entry.home === undefined || entry.home === target.name) continue;
    if (own.some((record) => record.entry.isMailbox)) {
      remarks.push(`${entry.address}: lives in ${entry.home}, and ${target.name} has a mailbox of this address, too: left alone`);
      continue;
    }
    const wanted = { entry, externalAddress: externalAddress(entry, target) };
    const [present, ...others] = own;
    if (present === undefined) {
      if (isHidden || !kinds.includes(entry.kind)) continue;
      add.push(wanted);
      if (target.domains.includes(domainOf(wanted.externalAddress))) remarks.push(`${entry.address}: its domain is ${target.name}'s own, too: mail for it leaves only where that domain is an internal relay there`);
    } else if (others.length > 0) remarks.push(`${entry.address}: ${own.length} entries in ${target.name} stand for it: left alone`);
    else if (!isHidden) {
      const changed = changeOf(present.entry, wanted);
      if (changed === undefined) continue;
      if (present.entry.kind === 'contact') change.push(changed);
      else remarks.push(`${entry.address}: ${target.name} has a mail user or a remote mailbox for it that says something else: left alone`);
    }
  }
  const remove: SourceEntry[] = [];
  for (const orphan of orphans) {
    const domain = domainOf(orphan.targetAddress ?? orphan.address);
    const homes = foreignDomains.get(domain);
    if (homes === undefined) continue;
    const unsure = (target.others ?? []).find(({ name, domains, isSure }) => !isSure && (homes.has(name) || domains.includes(domain)));
    if (unsure !== undefined) remarks.push(`${orphan.address}: no directory knows a mailbox behind this contact, but that of ${unsure.name} is not known as a whole: left alone`);
    else if (target.domains.includes(domain)) remarks.push(`${orphan.address}: no directory knows a mailbox behind this contact, but its domain is ${target.name}'s own, too: left alone`);
    else remove.push(orphan);
  }
  return {
    add: add.sort((one, other) => compare(one.entry.address, other.entry.address)),
    change: change.sort((one, other) => compare(one.entry.address, other.entry.address)),
    remove: remove.sort((one, other) => compare(one.address, other.address) || compare(one.id, other.id)),
    remarks: remarks.sort(compare),
    takenAliases,
  };
}

/** A contact that leads to an alias is as good as one that leads to the primary address: it may be a routing address. */
function changeOf(present: SourceEntry, { entry, externalAddress: wantedAddress }: WantedContact): ContactChange | undefined {
  const leadsTo = present.targetAddress ?? present.address;
  const isRight = leadsTo === entry.address || entry.aliases.includes(leadsTo);
  // Where no name is known, the address stands for it: no reason to rename anybody.
  const isNamed = entry.name === entry.address || entry.name === present.name;
  if (isRight && isNamed) return undefined;
  return { entry, externalAddress: wantedAddress, present, ...(isNamed ? {} : { name: entry.name }), ...(isRight ? {} : { targetAddress: wantedAddress }) };
}

function externalAddress({ address, aliases }: DirectoryEntry, { domains }: ContactTarget): MailboxAddress {
  if (!domains.includes(domainOf(address))) return address;
  return aliases.find((alias) => !domains.includes(domainOf(alias))) ?? address;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

function aliasIn({ entry: { nickname, address } }: GalRecord): string {
  return (nickname ?? localPartOf(address)).toLowerCase();
}

/** By code units: the same on every machine. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
