import { systemClock } from '../../../../src/core/clock.ts';
import type { SourceEntry, SourceRead } from '../../../../src/directory/entry-source.ts';
import { LdapSource } from '../../../../src/protocols/ldap/source.ts';
import type { LdapSourceOptions } from '../../../../src/protocols/ldap/source.ts';
import { silentLogger } from '../../../../src/core/logger.ts';

/** What an address book would keep of a source after its readings, by the port's contract. */
export class KeptEntries {
  readonly #source: LdapSource;
  readonly #entries = new Map<string, SourceEntry>();
  #cursor: string | undefined;
  /** Of the last reading: ids handed over as entries, as removed, as present. */
  last: { readonly entries: readonly string[]; readonly removed: readonly string[]; readonly present: readonly string[]; readonly isWhole: boolean } | undefined;

  constructor(source: LdapSource) {
    this.#source = source;
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Sorted by address. */
  get all(): readonly SourceEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  get addresses(): readonly string[] {
    return this.all.map(({ address }) => address);
  }

  at(address: string): SourceEntry | undefined {
    return this.all.find((one) => one.address === address);
  }

  /** Takes a batch as the address book does; what it took holds even if the reading fails. */
  async read(options: { readonly signal?: AbortSignal; readonly cursor?: string; readonly onBatch?: () => Promise<void> } = {}): Promise<SourceRead> {
    const seen = { entries: [] as string[], removed: [] as string[], present: [] as string[] };
    const read = await this.#source.read(
      options.cursor ?? this.#cursor,
      async ({ entries = [], removed = [], present = [] }) => {
        for (const entry of entries) this.#entries.set(entry.id, entry);
        for (const id of removed) this.#entries.delete(id);
        seen.entries.push(...entries.map(({ id }) => id));
        seen.removed.push(...removed);
        seen.present.push(...present);
        await options.onBatch?.();
      },
      options.signal ?? AbortSignal.timeout(15_000),
    );
    if (read.isWhole) {
      const there = new Set([...seen.entries, ...seen.present]);
      for (const id of this.#entries.keys()) if (!there.has(id)) this.#entries.delete(id);
    }
    this.#cursor = read.cursor;
    this.last = { ...seen, isWhole: read.isWhole };
    return read;
  }
}

/** A source with what a test does not say filled in. */
export function ldapSource(options: Partial<LdapSourceOptions> & Pick<LdapSourceOptions, 'url' | 'base'>): LdapSource {
  return new LdapSource({ label: 'directory', startTls: false, attributes: {}, clock: systemClock, logger: silentLogger, ...options });
}
