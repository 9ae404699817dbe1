import type { Clock, Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Requester } from '../core/request-context.ts';
import type { Directory, DirectoryAllowance, DirectoryChanges, DirectoryPage, DirectoryQuery } from '../directory/directory.ts';
import type { DirectoryEntry } from '../directory/entry.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { tokensOf } from '../directory/words.ts';
import type { Gal } from './gal.ts';
import type { Departures } from './departures.ts';
import { SearchRate } from './search-rate.ts';

export interface AddressBookOptions {
  readonly gal: Gal;
  readonly search: { readonly minimumLength: number; readonly results: number; readonly perMinute: number };
  /** Which address book it is, at most 40 characters; part of every token. */
  readonly book: () => string;
  readonly departures: () => Departures;
  readonly clock: Clock;
}

/** The address book as clients see it: the single exit that decides who may see how much of it. */
export class AddressBook implements Directory {
  readonly isKept = true;
  readonly #options: AddressBookOptions;
  readonly #rate: SearchRate;

  constructor(options: AddressBookOptions) {
    this.#options = options;
    this.#rate = new SearchRate(options.search.perMinute, options.clock);
  }

  allowance(requester: Requester): DirectoryAllowance {
    mayLook(requester);
    const { minimumLength, results } = this.#options.search;
    return requester.gal === 'sync' ? { results: Infinity, minimumLength: 1 } : { results, minimumLength };
  }

  search(query: DirectoryQuery, requester: Requester): DirectoryPage {
    this.#enter(requester);
    const { results, minimumLength } = this.allowance(requester);
    const { offset = 0 } = query;
    if (!tokensOf(query.text).some((token) => [...token].length >= minimumLength)) return { entries: [], more: false };
    // Whoever may search sees the beginning of the ranking, however it is cut into pages.
    const limit = Math.min(query.limit, results - offset);
    if (limit > 0) return this.#options.gal.search({ ...query, limit }, requester.from);
    return { entries: [], more: this.#options.gal.search({ ...query, offset: 0, limit: 1 }, requester.from).entries.length > 0 };
  }

  resolve(address: MailboxAddress, requester: Requester): DirectoryEntry | undefined {
    this.#enter(requester);
    return this.#options.gal.resolve(address);
  }

  byId(id: string, requester: Requester): DirectoryEntry | undefined {
    this.#enter(requester);
    return this.#options.gal.byId(id);
  }

  byLegacyExchangeDn(dn: string, requester: Requester): DirectoryEntry | undefined {
    this.#enter(requester);
    return this.#options.gal.byDn(dn);
  }

  legacyExchangeDnOf({ id }: DirectoryEntry, system?: string): string | undefined {
    return this.#options.gal.dnOf(id, system);
  }

  membersOf({ id, kind }: DirectoryEntry, requester: Requester): readonly DirectoryEntry[] {
    mayLook(requester);
    return kind === 'group' ? this.#options.gal.membersOf(id) : [];
  }

  all(requester: Requester): Iterable<DirectoryEntry> {
    this.#enter(requester);
    return this.#options.gal.entries();
  }

  changes(token: string | undefined, requester: Requester): DirectoryChanges {
    mayLook(requester);
    if (requester.gal !== 'sync') throw new BridgeError('ACCESS_DENIED', 'this client may not take the whole address book');
    const { gal, clock } = this.#options;
    const since = this.#instantOf(token);
    const departed = since === undefined ? undefined : this.#options.departures().after(since);
    const next = `${this.#options.book()}.${Math.max(clock.now(), gal.lastChange)}`;
    if (since === undefined || departed === undefined) return { token: next, isWhole: true, entries: gal.entries(), removed: [] };
    const ids = [...new Set(departed)];
    return { token: next, isWhole: false, entries: this.#changedSince(since, ids), removed: ids.filter((id) => gal.byId(id) === undefined) };
  }

  /** Those that changed, and those of `departed` who are there: after a restart nothing else tells that a row lost something. */
  *#changedSince(since: Instant, departed: readonly string[]): Iterable<DirectoryEntry> {
    const { gal } = this.#options;
    yield* gal.entries(since);
    for (const id of departed) {
      const entry = gal.byId(id);
      if (entry !== undefined && entry.modifiedAt < since) yield entry;
    }
  }

  /** What a token says; undefined for one of another life, from the future, or none at all. */
  #instantOf(token: string | undefined): Instant | undefined {
    const [book, instant = '', ...more] = (token ?? '').split('.');
    if (more.length > 0 || book !== this.#options.book() || !/^\d{1,15}$/.test(instant)) return undefined;
    return Number(instant) <= Math.max(this.#options.clock.now(), this.#options.gal.lastChange) ? Number(instant) : undefined;
  }

  /** Costs one search. */
  #enter(requester: Requester): void {
    mayLook(requester);
    if (requester.gal === 'search') this.#rate.spend(requester.name);
  }
}

function mayLook({ gal }: Requester): void {
  if (gal === undefined || gal === 'none') throw new BridgeError('ACCESS_DENIED', 'this client may not see the address book');
}
