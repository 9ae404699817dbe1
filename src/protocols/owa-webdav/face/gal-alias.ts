import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';

/**
 * Under which `AN` entries are shown: their alias where nobody else in the whole address book has it, else their address. DavMail keeps what it finds by AN, over several answers too, so that of
 * two with the same one it would lose one; and it looks for the AN of galfind in the answer of gallookup.
 */
export class GalAliases {
  readonly #clock: Clock;
  #shared: ReadonlySet<string> = new Set();
  #knownUntil: Instant = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How to call the entries of one answer; by their addresses, which are never shared, where it cannot be found out (the client has asked too much). */
  async of(book: Directory, requester: Requester): Promise<(entry: DirectoryEntry) => string> {
    if (this.#clock.now() >= this.#knownUntil) {
      try {
        await (this.#looking ??= this.#look(book, requester).finally(() => (this.#looking = undefined)));
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        return ({ address }) => address;
      }
    }
    const shared = this.#shared;
    return ({ nickname, address }) => (nickname === undefined || nickname.includes('@') || shared.has(nickname.toLowerCase()) ? address : nickname);
  }

  async #look(book: Directory, requester: Requester): Promise<void> {
    const pace = new Pace(LIMITS.galEntriesPerTurn);
    const seen = new Set<string>();
    const shared = new Set<string>();
    for (const { nickname } of book.all(requester)) {
      const key = nickname?.toLowerCase();
      if (key !== undefined) (seen.has(key) ? shared : seen).add(key);
      if (pace.spend(1)) await pace.turn();
    }
    this.#shared = shared;
    this.#knownUntil = this.#clock.now() + LIMITS.galfindAliasesKeptMs;
  }
}
