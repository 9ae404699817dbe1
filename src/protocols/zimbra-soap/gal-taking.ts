import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { SourceBatch } from '../../directory/entry-source.ts';
import type { HomeMailboxes } from '../../directory/home-mailboxes.ts';
import { completed, hiddenEntries } from './account-details.ts';
import type { AccountsByZimbraId } from './account-details.ts';
import { decodeContact } from './gal-contact.ts';
import type { GalContact } from './gal-contact.ts';
import type { SyncGalPage } from './sync-gal.ts';

/** Who reads the source. */
export type Take = (batch: SourceBatch) => Promise<void>;

interface GalTakingOptions {
  readonly rules: HomeMailboxes;
  readonly take: Take;
  /** All accounts behind the list, where they were read for a whole reading. */
  readonly all: AccountsByZimbraId | undefined;
  /** Else those of a page are asked for; undefined: nobody is. */
  readonly detailsOf: ((zimbraIds: readonly string[]) => Promise<AccountsByZimbraId>) | undefined;
}

/** Hands what one reading of an address list finds to whoever reads the source, every id once. */
export class GalTaking {
  readonly #options: GalTakingOptions;
  readonly #known = new Set<string>();

  constructor(options: GalTakingOptions) {
    this.#options = options;
  }

  /** Entries so far. */
  get count(): number {
    return this.#known.size;
  }

  /** A page of contacts and of ids that are gone. Pages of one reading may say somebody again: the later word counts in a page, the first among pages of searches. @returns how many were new */
  async page({ contacts, deleted }: Pick<SyncGalPage, 'contacts' | 'deleted'>, onlyNew = false): Promise<number> {
    const { rules, take, all, detailsOf } = this.#options;
    const pace = new Pace(LIMITS.zimbraGalEntriesPerTurn);
    const found = new Map<string, GalContact>();
    for (const element of contacts) {
      const contact = decodeContact(element, rules);
      if (contact !== undefined && !(onlyNew && this.#known.has(contact.id))) found.set(contact.id, contact);
      if (pace.spend(1 + element.children.length / 20)) await pace.turn();
    }
    for (const id of found.keys()) this.#known.add(id);
    const named = [...found.values()];
    const details = all ?? (await detailsOf?.(named.flatMap(({ zimbraId }) => zimbraId ?? [])));
    const entries = named.flatMap(({ entry, zimbraId }) => (entry === undefined ? [] : completed(entry, details?.get(zimbraId ?? ''))));
    // Without an address it is no entry any more.
    const gone = new Set([...deleted.filter((id) => !found.has(id)), ...named.flatMap(({ id, entry }) => (entry === undefined ? id : []))]);
    if (entries.length + gone.size > 0) await take({ ...(entries.length === 0 ? {} : { entries }), ...(gone.size === 0 ? {} : { removed: [...gone] }) });
    return found.size;
  }

  /**
   * After everybody: those whom the list does not show.
   *
   * @throws BridgeError BACKEND_FAULT where there was nobody: whoever signs in is in the list at least, so it could not be read, or is just being made
   */
  async end(): Promise<void> {
    if (this.count === 0) throw new BridgeError('BACKEND_FAULT', 'the address list is empty, which it cannot be', { temporary: true });
    const entries = this.#options.all === undefined ? [] : hiddenEntries(this.#options.all).filter(({ id }) => !this.#known.has(id));
    if (entries.length > 0) await this.#options.take({ entries });
  }
}
