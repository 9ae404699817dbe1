import { LIMITS } from '../core/limits.ts';
import { ENTRY_KINDS } from '../directory/entry.ts';
import type { EntryKind } from '../directory/entry.ts';
import { fold } from '../directory/words.ts';
import type { SearchRow } from './search-row.ts';

const FIRST_SLOTS = 1_024;

/** What decides whether and where a row stands in an answer, by slot: in columns, because a search for one letter looks at a third of all rows, and objects would be strewn over the memory. */
export class RankColumns {
  #kinds = new Uint8Array(FIRST_SLOTS);
  /** Index into #homeNames. */
  #homes = new Uint32Array(FIRST_SLOTS);
  /** The first two characters of the folded name, which settle most comparisons. */
  #leads = new Uint32Array(FIRST_SLOTS);
  readonly #names: string[] = [];
  readonly #addresses: string[] = [];
  readonly #texts: string[] = [];
  readonly #homeNames: (string | undefined)[] = [undefined];

  /** One more than the highest slot there may be without growing. */
  get capacity(): number {
    return this.#kinds.length;
  }

  set(slot: number, row: SearchRow, text: string): void {
    if (slot >= this.capacity) this.#grow(slot + 1);
    const folded = fold(row.name.slice(0, LIMITS.entryNameCharacters));
    const name = folded === row.name ? row.name : folded;
    this.#kinds[slot] = ENTRY_KINDS.indexOf(row.kind);
    this.#homes[slot] = this.#indexed(row.home);
    this.#leads[slot] = leadOf(name);
    // Slots come in any order after a restart; an array with holes would become a hash table.
    while (this.#names.length < slot) this.clear(this.#names.length);
    this.#names[slot] = name;
    this.#addresses[slot] = row.addresses[0] ?? '';
    this.#texts[slot] = text;
  }

  clear(slot: number): void {
    if (slot > this.#names.length) return;
    this.#names[slot] = '';
    this.#addresses[slot] = '';
    this.#texts[slot] = '';
  }

  textOf(slot: number): string {
    return this.#texts[slot]!;
  }

  /** The kinds as bits, to ask `isOf` with. */
  static kindBits(kinds: readonly EntryKind[] = ENTRY_KINDS): number {
    return kinds.reduce((bits, kind) => bits | (1 << ENTRY_KINDS.indexOf(kind)), 0);
  }

  isOf(kindBits: number, slot: number): boolean {
    return (kindBits & (1 << this.#kinds[slot]!)) !== 0;
  }

  /** To ask `livesIn` with; nobody lives where nobody knows. */
  homeIndex(home: string | undefined): number {
    return home === undefined ? -1 : this.#homeNames.indexOf(home);
  }

  livesIn(home: number, slot: number): boolean {
    return this.#homes[slot] === home;
  }

  /** By folded name, then by primary address (UTF-16 code units both): negative where `one` comes first. */
  compare(one: number, other: number): number {
    const lead = this.#leads[one]! - this.#leads[other]!;
    if (lead !== 0) return lead;
    const [nameOne, nameOther] = [this.#names[one]!, this.#names[other]!];
    if (nameOne !== nameOther) return nameOne < nameOther ? -1 : 1;
    const [addressOne, addressOther] = [this.#addresses[one]!, this.#addresses[other]!];
    return addressOne === addressOther ? 0 : addressOne < addressOther ? -1 : 1;
  }

  #indexed(home: string | undefined): number {
    const known = this.#homeNames.indexOf(home);
    return known >= 0 ? known : this.#homeNames.push(home) - 1;
  }

  #grow(slots: number): void {
    const length = Math.max(slots, Math.ceil(this.capacity * 1.5));
    const grown = <Column extends Uint8Array | Uint32Array>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#kinds = grown(this.#kinds, new Uint8Array(length));
    this.#homes = grown(this.#homes, new Uint32Array(length));
    this.#leads = grown(this.#leads, new Uint32Array(length));
  }
}

/** In the order of the names themselves; what is shorter comes first, as it does among strings. */
function leadOf(name: string): number {
  const at = (index: number): number => (index < name.length ? name.charCodeAt(index) : 0);
  return at(0) * 0x1_0000 + at(1);
}
