import type { SourceEntry } from '../../src/directory/entry-source.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { GalRecord, GalRow } from '../../src/gal/gal-row.ts';
import { entryOf } from '../directory/memory-directory.ts';

/** What one directory says, with what a test does not say filled in. */
export function record(home: string | undefined, address: string, keys: Partial<Omit<SourceEntry, 'address' | 'targetAddress' | 'aliases'>> & { readonly targetAddress?: string; readonly aliases?: readonly string[] } = {}): GalRecord {
  const { targetAddress, aliases, ...rest } = keys;
  const kind = rest.kind ?? 'person';
  return {
    source: `directory of ${home ?? 'nobody'}`,
    home,
    entry: {
      id: `${home ?? ''}/${address}`,
      address: parseMailboxAddress(address)!,
      kind,
      isMailbox: kind !== 'contact',
      ...rest,
      ...(targetAddress === undefined ? {} : { targetAddress: parseMailboxAddress(targetAddress)! }),
      ...(aliases === undefined ? {} : { aliases: aliases.map((one) => parseMailboxAddress(one)!) }),
    },
  };
}

/** A row of these records; its home is that of the first mailbox among them, its name and details that one's. */
export function row(records: readonly GalRecord[], keys: Partial<GalRow['entry']> & { readonly isHidden?: boolean } = {}): GalRow {
  const main = records.find(({ entry }) => entry.isMailbox) ?? records[0]!;
  const { id: _id, isMailbox, isHidden: _hidden, targetAddress: _target, legacyExchangeDn: _dn, formerDns: _former, foreignPrincipal: _principal, ref: _ref, members: _members, address, ...details } = main.entry;
  const { isHidden = false, ...entry } = keys;
  return { entry: entryOf(address, { name: address, ...details, home: isMailbox ? main.home : undefined, ...entry }), isHidden, records };
}
