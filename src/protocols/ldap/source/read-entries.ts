import type { Instant } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { SourceBatch, SourceEntry } from '../../../directory/entry-source.ts';
import type { LdapConnection, LdapEntry } from '../source-connection.ts';
import { BINARY_ATTRIBUTES, attributesToRead } from './attribute-names.ts';
import type { AttributeNames } from './attribute-names.ts';
import type { Complaints } from './complaints.ts';
import { decodeEntry } from './decode-entry.ts';
import { parentDn } from './distinguished-name.ts';
import { entryIdOf } from './entry-id.ts';
import { parseGeneralizedTime } from '../../../core/generalized-time.ts';
import type { KnownIds } from './known-ids.ts';
import { withAllValues } from './ranged-values.ts';
import { rawEntryOf } from './raw-entry.ts';

/** Whom a reading is about, and who takes what it finds. */
export interface Reading {
  readonly connection: LdapConnection;
  readonly base: string;
  /** Of everybody. */
  readonly filter: string;
  readonly names: AttributeNames;
  readonly complaints: Complaints;
  readonly take: (batch: SourceBatch) => Promise<void>;
}

/** What a search showed beside its entries. */
export interface Seen {
  readonly ids: ReadonlySet<string>;
  /** DNs above them, normalised. */
  readonly parents: ReadonlySet<string>;
  /** The latest modifyTimestamp; undefined where not every entry has one. */
  readonly latest: Instant | undefined;
  /** One at least has nothing but its DN to be known by. */
  readonly hasDnIds: boolean;
}

/** Reads whoever `filter` finds, and hands them over page by page: as entries, or as removed where they have no usable address. */
export async function readEntries({ connection, base, names, complaints, take }: Reading, filter: string): Promise<Seen> {
  const ids = new Set<string>();
  const parents = new Set<string>();
  const pace = new Pace(LIMITS.ldapEntriesPerTurn);
  const spellings = new Map<string, string>();
  let latest = -Infinity;
  let isTimed = true;
  let hasDnIds = false;
  const fetch = async (dn: string, attributes: readonly string[]): Promise<LdapEntry | undefined> => connection.entry(dn, attributes);
  for await (const page of connection.pages({ base, scope: 'sub', filter, attributes: attributesToRead(names), binary: BINARY_ATTRIBUTES })) {
    const entries: SourceEntry[] = [];
    const removed: string[] = [];
    for (const found of page) {
      const raw = await withAllValues(found, fetch);
      const { id, isDn } = entryIdOf(raw, names);
      if (ids.has(id)) {
        complaints.hear('an entry with the id of another one is left out', raw.dn, 'warn');
        continue;
      }
      ids.add(id);
      hasDnIds ||= isDn;
      parents.add(parentBySpelling(raw.dn, spellings));
      const changed = parseGeneralizedTime(raw.text('modifyTimestamp')[0] ?? '');
      if (changed === undefined) isTimed = false;
      else latest = Math.max(latest, changed);
      const entry = decodeEntry(raw, names, complaints);
      if (entry === undefined) removed.push(id);
      else entries.push(entry);
      if (pace.spend(1)) await pace.turn();
    }
    if (entries.length + removed.length > 0) await take({ ...(entries.length > 0 ? { entries } : {}), ...(removed.length > 0 ? { removed } : {}) });
  }
  return { ids, parents, latest: isTimed && latest > -Infinity ? latest : undefined, hasDnIds };
}

/**
 * Reads the ids of everybody, and hands over those that are not in `told`.
 *
 * @returns with whether there was one that is not known
 */
export async function readIds({ connection, base, filter, names, take }: Reading, told: ReadonlySet<string>, known: KnownIds): Promise<Pick<Seen, 'ids' | 'parents'> & { readonly hasNewcomers: boolean }> {
  const ids = new Set<string>();
  const parents = new Set<string>();
  let hasNewcomers = false;
  const pace = new Pace(10 * LIMITS.ldapEntriesPerTurn);
  const spellings = new Map<string, string>();
  for await (const page of connection.pages({ base, scope: 'sub', filter, attributes: names.id.length > 0 ? names.id : ['1.1'], binary: BINARY_ATTRIBUTES, pageEntries: LIMITS.ldapIdPageEntries })) {
    const present: string[] = [];
    for (const found of page) {
      const raw = rawEntryOf(found);
      parents.add(parentBySpelling(raw.dn, spellings));
      const { id } = entryIdOf(raw, names);
      if (!told.has(id) && !ids.has(id)) present.push(id);
      ids.add(id);
      hasNewcomers ||= !known.has(id);
      if (pace.spend(1)) await pace.turn();
    }
    if (present.length > 0) await take({ present });
  }
  return { ids, parents, hasNewcomers };
}

/** Most entries share a few DNs above them: what was normalised once is known by its spelling. */
function parentBySpelling(dn: string, spellings: Map<string, string>): string {
  const comma = dn.indexOf(',');
  // A comma within the first name is none that separates.
  if (dn.slice(0, comma).includes('\\')) return parentDn(dn);
  const spelling = dn.slice(comma + 1);
  const known = spellings.get(spelling);
  if (known !== undefined) return known;
  const parent = parentDn(dn);
  spellings.set(spelling, parent);
  return parent;
}
