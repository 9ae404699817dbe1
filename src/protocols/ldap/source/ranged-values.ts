import { LIMITS } from '../../../core/limits.ts';
import type { LdapEntry } from '../source-connection.ts';
import { rawEntryOf } from './raw-entry.ts';
import type { RawEntry } from './raw-entry.ts';

/**
 * An entry with all values of the attributes of which Active Directory gave a first part only (`member;range=0-1499`, [MS-ADTS] 3.1.1.3.1.3.3), as far as LIMITS.groupMembers
 * lets them count.
 *
 * @param fetch the entry of that DN with these attributes
 */
export async function withAllValues(entry: LdapEntry, fetch: (dn: string, attributes: readonly string[]) => Promise<LdapEntry | undefined>): Promise<RawEntry> {
  const raw = rawEntryOf(entry);
  let whole = entry;
  for (const { attribute, next } of raw.partial) {
    let from: number | undefined = next;
    for (let part = 0; from !== undefined && from < LIMITS.groupMembers && part < LIMITS.ldapRanges; part++) {
      // One that is gone meanwhile is missed by the next pass.
      const more: LdapEntry | undefined = await fetch(raw.dn, [`${attribute};range=${from}-*`]);
      if (more === undefined) break;
      whole = { ...whole, ...more, dn: entry.dn };
      const after: number | undefined = rawEntryOf(more).partial.find((one) => one.attribute === attribute)?.next;
      from = after !== undefined && after > from ? after : undefined;
    }
  }
  return whole === entry ? raw : rawEntryOf(whole);
}
