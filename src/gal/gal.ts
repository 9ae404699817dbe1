import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { DirectoryPage, DirectoryQuery } from '../directory/directory.ts';
import type { DirectoryEntry } from '../directory/entry.ts';
import type { SourceEntry } from '../directory/entry-source.ts';
import type { Homes } from '../directory/homes.ts';
import { domainOf, parseMailboxAddress } from '../directory/smtp-address.ts';
import { withoutTag } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ExpandedGroup, Whereabout, Whereabouts } from '../directory/whereabouts.ts';
import { maySpeakFor, rowOfAddress, rowOfDn, strongestClaims } from './claims.ts';
import { addressesOfCluster, clustersOf } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { idOf, searchRowOf } from './entry-of.ts';
import type { GalRow } from './gal-row.ts';
import { KeptSearches } from './kept-searches.ts';
import { SharedTexts } from './shared-texts.ts';
import { RecordTables } from './record-tables.ts';
import type { RecordSource, SourceRecord } from './record.ts';
import { dnIn, isHidden, looksTheSame, newestOf, placeOf, shown, shownOr, whereaboutOf } from './row.ts';
import type { KeptRecord, Row } from './row.ts';
import { sameEntry } from './same-entry.ts';
import { SearchIndex } from './search-index.ts';

/** A record as it comes: from a source (new), or from the disk with its times. */
export interface ComingRecord {
  readonly entry: SourceEntry;
  readonly changedAt?: Instant;
  readonly createdAt?: Instant;
}

/** What an update really changed. */
export interface GalUpdate {
  /** Records that are new or other than they were, as they are kept. */
  readonly records: readonly SourceRecord[];
  /** Ids of records that were there and are not any more. */
  readonly removed: readonly string[];
  /** Ids of rows that were in answers and are in none any more. */
  readonly rowsGone: readonly string[];
  /** Ids of rows that became other because a record left them: no record that is kept says when. */
  readonly rowsLessened: readonly string[];
  /** Mailboxes whose home, or legacyExchangeDN in some Exchange, is another than before, by their primary addresses. */
  readonly moved: readonly MailboxAddress[];
}

/**
 * The unified address book in memory: the records of all sources, merged into rows, found by words, addresses, ids and legacyExchangeDNs. Knows nobody's rights:
 * what clients may see is address-book.ts's to decide.
 */
export class Gal implements Whereabouts {
  readonly #clock: Clock;
  readonly #homes: Homes;
  readonly #tables = new RecordTables<KeptRecord>();
  readonly #texts = new SharedTexts();
  readonly #rows: (Row | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** By digests of the ids: whoever finds by it looks whether it is the one that was meant. */
  readonly #byId = new Map<number, Row>();
  readonly #index = new SearchIndex();
  readonly #searches = new KeptSearches();
  readonly #conflicts = new Map<MailboxAddress, readonly string[]>();
  #lastChange: Instant = 0;
  #revision = 0;
  #shown = 0;

  constructor(homes: Homes, clock: Clock) {
    this.#homes = homes;
    this.#clock = clock;
  }

  /** Entries in answers, and those that are hidden. */
  get size(): { readonly shown: number; readonly hidden: number } {
    return { shown: this.#shown, hidden: this.#byId.size - this.#shown };
  }

  /** What directories say against each other; at most LIMITS.galConflicts. */
  get conflicts(): readonly string[] {
    return [...new Set([...this.#conflicts.values()].flat())].sort().slice(0, LIMITS.galConflicts);
  }

  /** The moment of the newest change; never goes back. */
  get lastChange(): Instant {
    return this.#lastChange;
  }

  /** Grows whenever anything in it changes, whether anybody is shown that or not. */
  get revision(): number {
    return this.#revision;
  }

  recordsOf(source: RecordSource): ReadonlyMap<string, SourceRecord> {
    return this.#tables.of(source);
  }

  /** Takes records in, and others (by id) out. It is done at one go: hold batches at LIMITS.galBatch. */
  apply(source: RecordSource, coming: readonly ComingRecord[], removed: readonly string[] = []): GalUpdate {
    const now = Math.max(this.#clock.now(), this.#lastChange);
    const touched = new Set<KeptRecord>();
    const oldRows = new Set<Row>();
    const leave = (record: KeptRecord): void => {
      if (record.row !== undefined) oldRows.add(record.row);
      touched.delete(record);
      this.#tables.remove(record);
    };
    const gone = removed.filter((id) => {
      const record = this.#tables.of(source).get(id);
      if (record !== undefined) leave(record);
      return record !== undefined;
    });
    for (const { entry, changedAt, createdAt } of coming) {
      const old = this.#tables.of(source).get(entry.id);
      if (old !== undefined && sameEntry(old.entry, entry)) continue;
      if (old !== undefined) leave(old);
      const record: KeptRecord = { source, entry: this.#texts.entry(entry), changedAt: changedAt ?? now, createdAt: createdAt ?? old?.createdAt ?? now, row: undefined };
      this.#tables.add(record);
      touched.add(record);
    }
    if (touched.size === 0 && oldRows.size === 0) return { records: [], removed: gone, rowsGone: [], rowsLessened: [], moved: [] };
    this.#revision += 1;
    const places = new Map<MailboxAddress, string>();
    const { rowsGone, rowsLessened } = this.#regroup(touched, oldRows, places, now);
    const moved = [...places].filter(([address, place]) => place !== this.#placeOf(address)).map(([address]) => address);
    return { records: [...touched], removed: gone, rowsGone, rowsLessened, moved };
  }

  /** @param own the asking side's system */
  search(query: DirectoryQuery, own: string | undefined): DirectoryPage {
    const { slots, more } = this.#searches.find(query, own, () => this.#index.search(query, own));
    return { entries: slots.map((slot) => shown(this.#rows[slot]!)), more };
  }

  /** By primary address or alias; shown entries only, as in every other answer. */
  resolve(address: MailboxAddress): DirectoryEntry | undefined {
    return shownOr(this.#rowOf(address));
  }

  byId(id: string): DirectoryEntry | undefined {
    return shownOr(this.#rowOfId(id));
  }

  byDn(legacyExchangeDn: string): DirectoryEntry | undefined {
    return shownOr(this.#rowOfDn(legacyExchangeDn));
  }

  /** Those that changed at `since` or later. */
  *entries(since: Instant = 0): Iterable<DirectoryEntry> {
    for (const row of this.#rows) if (row !== undefined && !row.isHidden && row.modifiedAt >= since) yield shown(row);
  }

  /** All rows, hidden ones too, with what they are made of. */
  *rows(): Iterable<GalRow> {
    for (const row of this.#rows) {
      if (row !== undefined) yield { entry: shown(row), isHidden: row.isHidden, records: row.cluster.records.map(({ source, entry }) => ({ source: source.label, home: source.home, entry })) };
    }
  }

  /** Of a group (by the row's id), in the directory's order. */
  membersOf(id: string): readonly DirectoryEntry[] {
    const row = this.#rowOfId(id);
    const members = row === undefined ? [] : this.#membersOf(row).flatMap((one) => (typeof one === 'string' ? [] : (shownOr(one) ?? [])));
    return [...new Map(members.map((one) => [one.id, one])).values()];
  }

  /** The legacyExchangeDN that a row (by its id) has in a system's directory, else (no system named) in any. */
  dnOf(id: string, system: string | undefined): string | undefined {
    const row = this.#rowOfId(id);
    return row === undefined ? undefined : dnIn(row, system);
  }

  find(address: MailboxAddress): Whereabout | undefined {
    return this.#whereaboutOf(address) ?? this.#whereaboutOf(withoutTag(address));
  }

  expand(group: MailboxAddress, most: number): ExpandedGroup | undefined {
    const row = this.#rowOf(group);
    if (row === undefined || !isGroup(row)) return undefined;
    const members = new Set<MailboxAddress>();
    const groups = new Set<Row>([row]);
    let unknown = 0;
    // A set walks over what is added to it meanwhile: groups within groups, each once.
    for (const one of groups) {
      for (const member of this.#membersOf(one)) {
        if (member === undefined) unknown += 1;
        else if (typeof member === 'string') members.add(member);
        else if (isGroup(member)) groups.add(member);
        else members.add(addressesOfCluster(member.cluster)[0]!);
        if (members.size > most || groups.size > LIMITS.nestedGroups) return { members: [...members].slice(0, most), isTooLarge: true, unknown };
      }
    }
    return { members: [...members], isTooLarge: false, unknown };
  }

  legacyExchangeDn(mailbox: MailboxAddress, system: string): string | undefined {
    const row = this.#rowOf(mailbox);
    return row === undefined ? undefined : dnIn(row, system, mailbox);
  }

  mailboxOfDn(legacyExchangeDn: string): MailboxAddress | undefined {
    const row = this.#rowOfDn(legacyExchangeDn);
    return row === undefined ? undefined : whereaboutOf(row.cluster).address;
  }

  /** Rows, addresses of people whom no directory knows, and undefined for what cannot be resolved. */
  #membersOf({ cluster }: Row): readonly (Row | MailboxAddress | undefined)[] {
    return cluster.records.flatMap(({ source, entry }) =>
      (entry.members ?? []).map((member) => {
        const address = member.includes('=') ? undefined : parseMailboxAddress(member);
        if (address !== undefined) return this.#rowOf(address) ?? address;
        return this.#tables.byRef(source, member)?.row;
      }),
    );
  }

  /** Where the mailbox of exactly this address is. */
  #whereaboutOf(address: MailboxAddress): Whereabout | undefined {
    const listing = this.#homes.listing(domainOf(address));
    const strongest = strongestClaims(address, this.#tables.byAddress(address), (system) => listing.includes(system));
    const claimants = [...new Set(strongest.map(({ source }) => source.home!))];
    const [claimed, ...others] = new Set(strongest.map(({ row }) => row));
    // An alias of several people of one system is that system's to tell whose.
    if (claimants.length === 1 && others.length > 0) return undefined;
    const decided = claimed ?? this.#rowOf(address);
    if (decided === undefined) return undefined;
    const found = whereaboutOf(decided.cluster);
    if (claimants.length > 1) return { ...found, home: undefined, claimedBy: claimants };
    return found.claimedBy !== undefined || found.address === address || maySpeakFor(decided, address, listing) ? found : undefined;
  }

  #rowOf(address: MailboxAddress): Row | undefined {
    return rowOfAddress(address, this.#tables.byAddress(address).filter(({ row }) => row !== undefined && addressesOfCluster(row.cluster).includes(address)));
  }

  #rowOfId(id: string): Row | undefined {
    const row = this.#byId.get(digestOf(id));
    return row !== undefined && idOf(row.cluster) === id ? row : undefined;
  }

  #rowOfDn(legacyExchangeDn: string): Row | undefined {
    const dn = legacyExchangeDn.toLowerCase();
    return rowOfDn(dn, this.#tables.byDn(dn));
  }

  /** Where a mailbox is, and under which legacyExchangeDNs; to be compared only. */
  #placeOf(address: MailboxAddress): string {
    const row = this.#rowOf(address);
    return row === undefined ? (this.#homes.of(address, undefined).home ?? '') : placeOf(row);
  }

  /**
   * Makes the rows of all who are connected with what changed anew.
   *
   * @param places is given where everybody concerned was before
   */
  #regroup(touched: ReadonlySet<KeptRecord>, oldRows: Set<Row>, places: Map<MailboxAddress, string>, now: Instant): Pick<GalUpdate, 'rowsGone' | 'rowsLessened'> {
    const companions = [...oldRows].flatMap(({ cluster }) => cluster.records.filter((one) => this.#tables.has(one)));
    const components = this.#connected([...touched, ...companions], oldRows);
    const before = new Map([...oldRows].map((row) => [idOf(row.cluster), row]));
    if (this.#conflicts.size > 0) for (const { cluster } of oldRows) for (const { entry } of cluster.records) this.#conflicts.delete(entry.address);
    for (const row of oldRows) places.set(addressesOfCluster(row.cluster)[0]!, placeOf(row));
    this.#searches.clear();
    for (const row of oldRows) this.#drop(row);
    const made: Row[] = [];
    for (const component of components) {
      for (const record of component) record.row = undefined;
      const { clusters, conflicts } = clustersOf(component);
      this.#noteConflicts(component, conflicts);
      for (const cluster of clusters) {
        const row = this.#make(cluster, before, now);
        made.push(row);
        const address = addressesOfCluster(cluster)[0]!;
        if (!places.has(address)) places.set(address, this.#homes.of(address, undefined).home ?? '');
      }
    }
    this.#index.add(made.filter((row) => !row.isHidden).map((row) => [row.slot, searchRowOf(row.cluster, row.home)] as const));
    return {
      rowsGone: [...before].filter(([id, row]) => !row.isHidden && this.#rowOfId(id)?.isHidden !== false).map(([id]) => id),
      rowsLessened: made.filter(({ isHidden: hides, cluster, modifiedAt }) => !hides && modifiedAt > newestOf(cluster) && before.get(idOf(cluster))?.modifiedAt !== modifiedAt).map(({ cluster }) => idOf(cluster)),
    };
  }

  /** The records that are connected with each of `begin`, by whatever key; the rows they are in are added to `rows`. */
  #connected(begin: readonly KeptRecord[], rows: Set<Row>): readonly (readonly KeptRecord[])[] {
    const seen = new Set<KeptRecord>();
    const components: (readonly KeptRecord[])[] = [];
    for (const first of begin) {
      if (seen.has(first)) continue;
      const component = new Set([first]);
      // A set walks over what is added to it meanwhile.
      for (const one of component) {
        seen.add(one);
        if (one.row !== undefined) rows.add(one.row);
        // A row that is taken apart sets its other records free, whatever holds them together now.
        for (const next of one.row?.cluster.records ?? []) if (this.#tables.has(next) && !seen.has(next)) component.add(next);
        if (component.size > LIMITS.galConnected) continue;
        // Whoever is in another one already was cut off from there.
        for (const next of this.#tables.neighbours(one)) if (!seen.has(next)) component.add(next);
      }
      components.push([...component]);
    }
    return components;
  }

  #make(cluster: Cluster<KeptRecord>, before: ReadonlyMap<string, Row>, now: Instant): Row {
    const id = idOf(cluster);
    const home = this.#homes.of(addressesOfCluster(cluster)[0]!, whereaboutOf(cluster)).home;
    const fresh: Row = { slot: this.#freeSlots.pop() ?? this.#rows.length, cluster, isHidden: isHidden(cluster), home, modifiedAt: newestOf(cluster) };
    const old = before.get(id);
    const row = old === undefined ? fresh : { ...fresh, modifiedAt: looksTheSame(old, fresh) ? old.modifiedAt : now };
    for (const record of cluster.records) record.row = row;
    this.#rows[row.slot] = row;
    this.#byId.set(digestOf(id), row);
    if (!row.isHidden) this.#shown += 1;
    this.#lastChange = Math.max(this.#lastChange, row.modifiedAt);
    return row;
  }

  #drop(row: Row): void {
    if (!row.isHidden) {
      this.#index.remove(row.slot, searchRowOf(row.cluster, row.home));
      this.#shown -= 1;
    }
    this.#rows[row.slot] = undefined;
    this.#freeSlots.push(row.slot);
    this.#byId.delete(digestOf(idOf(row.cluster)));
  }

  #noteConflicts(component: readonly KeptRecord[], conflicts: readonly string[]): void {
    if (this.#conflicts.size > 0) for (const { entry } of component) this.#conflicts.delete(entry.address);
    if (conflicts.length > 0 && this.#conflicts.size < LIMITS.galConflicts) this.#conflicts.set(component[0]!.entry.address, conflicts);
  }
}

/** 52 bits of an id, which is hexadecimal digits. */
function digestOf(id: string): number {
  return Number.parseInt(id.slice(0, 13), 16);
}

function isGroup({ cluster }: Row): boolean {
  return cluster.records[0]!.entry.kind === 'group';
}
