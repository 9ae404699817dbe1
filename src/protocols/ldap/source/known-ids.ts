import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';

/**
 * The ids that were told of a directory, as numbers: enough to see, in a pass over all ids, one that was told neither then nor since. An entry becomes visible without
 * having changed by a filter with memberOf (Active Directory and OpenLDAP write that into the group), by a right, or by a replica that is late.
 *
 * It is a hint: one newcomer in 10,000 looks known among 100,000, and is found by the next whole reading.
 */
export class KnownIds {
  #hashes: ReadonlySet<number> | undefined;
  #since = new Set<string>();

  /** All that there are. */
  async set(ids: Iterable<string>): Promise<void> {
    const hashes = new Set<number>();
    const pace = new Pace(50 * LIMITS.ldapEntriesPerTurn);
    for (const id of ids) {
      hashes.add(hashOf(id));
      if (pace.spend(1)) await pace.turn();
    }
    this.#hashes = hashes;
    this.#since = new Set();
  }

  /** Told as changed. */
  add(ids: Iterable<string>): void {
    for (const id of ids) this.#since.add(id);
  }

  /** True too while nothing is known at all: after a start. */
  has(id: string): boolean {
    return this.#hashes === undefined || this.#hashes.has(hashOf(id)) || this.#since.has(id);
  }
}

/** FNV-1a over UTF-16 units, its bits mixed once more (ids of one directory differ in a few digits only), 30 of them: a number that a Set holds without a box. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 2;
}
