import type { Clock } from '../../src/core/clock.ts';
import type { SourceEntry } from '../../src/directory/entry-source.ts';
import { Homes } from '../../src/directory/homes.ts';
import type { ServedSystem } from '../../src/directory/served-addresses.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { Gal } from '../../src/gal/gal.ts';
import type { RecordSource } from '../../src/gal/record.ts';

export const AD: RecordSource = { key: 'ad', label: 'dc.corp.example', home: 'exchange', rank: 0 };
export const ZIMBRA: RecordSource = { key: 'zimbra', label: 'zimbra', home: 'zimbra', rank: 1 };
export const FILE: RecordSource = { key: 'file', label: 'extra.csv', home: undefined, rank: 2 };

export const SYSTEMS: readonly ServedSystem[] = [
  { name: 'exchange', domains: ['corp.example', 'shared.example'], mailboxes: [] },
  { name: 'zimbra', domains: ['zimbra.example', 'shared.example'], mailboxes: [] },
];

export const address = (text: string): MailboxAddress => parseMailboxAddress(text)!;

/** A mailbox, unless `keys` say otherwise; its id is its address. */
export function entry(text: string, keys: Partial<Omit<SourceEntry, 'address' | 'aliases' | 'targetAddress'>> & { readonly aliases?: readonly string[]; readonly targetAddress?: string } = {}): SourceEntry {
  const { aliases, targetAddress, ...rest } = keys;
  return {
    id: text,
    address: address(text),
    kind: 'person',
    isMailbox: true,
    ...(aliases === undefined ? {} : { aliases: aliases.map(address) }),
    ...(targetAddress === undefined ? {} : { targetAddress: address(targetAddress) }),
    ...rest,
  };
}

export const contact = (text: string, keys: Parameters<typeof entry>[1] = {}): SourceEntry => entry(text, { kind: 'contact', isMailbox: false, ...keys });

/** A clock that tests move. */
export class HandClock implements Clock {
  time = Date.UTC(2026, 10, 29, 12);
  now(): number {
    return this.time;
  }
}

export function gal(clock: Clock = new HandClock(), systems = SYSTEMS): Gal {
  return new Gal(new Homes(systems), clock);
}

export const put = (book: Gal, source: RecordSource, ...entries: readonly SourceEntry[]) => book.apply(source, entries.map((one) => ({ entry: one })));

/** Addresses of all shown entries, sorted. */
export const addresses = (book: Gal): readonly string[] => [...book.entries()].map((one) => one.address).sort();
