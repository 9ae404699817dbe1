import { hash } from 'node:crypto';
import { LIMITS } from '../core/limits.ts';
import { KeyTable } from './key-table.ts';
import { addressesOf, dnsOf, principalOf } from './record.ts';
import type { RecordSource, SourceRecord } from './record.ts';

/** All records, found by id, by address, by legacyExchangeDN, and by the name that the groups of their source use. */
export class RecordTables<R extends SourceRecord> {
  /** By the sources' keys: a source that is configured anew is the same one. */
  readonly #records = new Map<string, Map<string, R>>();
  readonly #refs = new Map<string, Map<string, R>>();
  readonly #addresses = new KeyTable<string, R>();
  /** By digests: the names themselves would fill a tenth of the memory. */
  readonly #dns = new KeyTable<number, R>();
  readonly #principals = new KeyTable<string, R>();

  of(source: RecordSource): ReadonlyMap<string, R> {
    return this.#records.get(source.key) ?? new Map<string, R>();
  }

  /** Whether it is the one that is kept under its id. */
  has(record: R): boolean {
    return this.#records.get(record.source.key)?.get(record.entry.id) === record;
  }

  byAddress(address: string): readonly R[] {
    return this.#addresses.of(address);
  }

  /** @param dn lower case */
  byDn(dn: string): readonly R[] {
    return this.#dns.of(digestOf(dn)).filter((one) => dnsOf(one.entry).includes(dn));
  }

  byRef(source: RecordSource, ref: string): R | undefined {
    return this.#refs.get(source.key)?.get(ref);
  }

  /** Those who share a key with it; a key that too many share says nothing. */
  *neighbours(record: R): Iterable<R> {
    const near = (holders: readonly R[]): readonly R[] => (holders.length > LIMITS.galSharedKey ? [] : holders);
    for (const address of addressesOf(record.entry)) yield* near(this.byAddress(address));
    for (const dn of dnsOf(record.entry)) yield* near(this.byDn(dn));
    const principal = principalOf(record);
    if (principal !== undefined) yield* near(this.#principals.of(principal));
  }

  /** One whose id is not there: remove the old one first. */
  add(record: R): void {
    const { source, entry } = record;
    tableOf(this.#records, source).set(entry.id, record);
    for (const address of addressesOf(entry)) this.#addresses.add(address, record);
    for (const dn of dnsOf(entry)) this.#dns.add(digestOf(dn), record);
    const principal = principalOf(record);
    if (principal !== undefined) this.#principals.add(principal, record);
    if (entry.ref !== undefined) tableOf(this.#refs, source).set(entry.ref, record);
  }

  remove(record: R): void {
    const { source, entry } = record;
    this.#records.get(source.key)?.delete(entry.id);
    for (const address of addressesOf(entry)) this.#addresses.remove(address, record);
    for (const dn of dnsOf(entry)) this.#dns.remove(digestOf(dn), record);
    const principal = principalOf(record);
    if (principal !== undefined) this.#principals.remove(principal, record);
    // Two entries may have changed names: the newer holder stays.
    if (entry.ref !== undefined && this.byRef(source, entry.ref) === record) this.#refs.get(source.key)?.delete(entry.ref);
  }
}

function tableOf<R>(tables: Map<string, Map<string, R>>, { key }: RecordSource): Map<string, R> {
  const table = tables.get(key) ?? new Map<string, R>();
  tables.set(key, table);
  return table;
}

/** 52 bits; whoever finds by it looks whether it is the name that was meant. */
function digestOf(dn: string): number {
  return Number.parseInt(hash('md5', dn, 'hex').slice(0, 13), 16);
}
