import { createHash } from 'node:crypto';
import { LIMITS } from '../../../core/limits.ts';
import type { AttributeNames } from './attribute-names.ts';
import { normalisedDn } from './distinguished-name.ts';
import type { RawEntry } from './raw-entry.ts';

export interface EntryId {
  readonly id: string;
  /** It is the DN, which changes with a rename or a move of anything above. */
  readonly isDn: boolean;
}

/** The same for a whole entry and for one of which only the attributes of `names.id` were asked for. */
export function entryIdOf(raw: RawEntry, names: AttributeNames): EntryId {
  for (const attribute of names.id) {
    const bytes = raw.bytes(attribute);
    if (bytes === undefined || bytes.length === 0 || bytes.length > LIMITS.entryIdCharacters) continue;
    const id = /guid$/i.test(attribute) && bytes.length === 16 ? guidOf(bytes) : raw.text(attribute)[0]?.toLowerCase();
    if (id !== undefined) return { id, isDn: false };
  }
  const dn = normalisedDn(raw.dn);
  return { id: dn.length <= LIMITS.entryIdCharacters ? dn : `dn-sha256:${createHash('sha256').update(dn).digest('hex')}`, isDn: true };
}

/** An objectGUID as Windows writes it: the first three fields are little-endian ([MS-DTYP] 2.3.4.2). */
export function guidOf(bytes: Buffer): string {
  const hex = (...order: readonly number[]): string => order.map((index) => bytes[index]!.toString(16).padStart(2, '0')).join('');
  return [hex(3, 2, 1, 0), hex(5, 4), hex(7, 6), hex(8, 9), hex(10, 11, 12, 13, 14, 15)].join('-');
}
