import { LIMITS } from '../core/limits.ts';
import { randomUUID } from 'node:crypto';
import { BridgeError } from '../core/errors.ts';
import { OVER } from '../core/over.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

export interface ListingPart {
  readonly mailboxes: readonly MailboxAddress[];
  /** With which the next part is asked for; absent: that was all. */
  readonly cursor?: string;
}

interface Listing {
  readonly parts: AsyncIterator<readonly MailboxAddress[]>;
  readonly end: AbortController;
  timer: NodeJS.Timeout | undefined;
}

/** Long lists on their way over the control socket, part by part: each waits for its command to ask for more. */
export class OpenListings {
  readonly #open = new Map<string, Listing>();

  /** Begins a list and gives its first part. @throws BridgeError TOO_MANY_ATTEMPTS when too many are open */
  async begin(list: (signal: AbortSignal) => AsyncIterable<readonly MailboxAddress[]>): Promise<ListingPart> {
    if (this.#open.size >= LIMITS.openListings) throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many commands list mailboxes at once', { temporary: true });
    const end = new AbortController();
    const cursor = randomUUID();
    this.#open.set(cursor, { parts: list(end.signal)[Symbol.asyncIterator](), end, timer: undefined });
    return this.next(cursor);
  }

  /** @throws BridgeError NOT_FOUND for a list that nobody asked about for a minute, and whatever the list throws */
  async next(cursor: string): Promise<ListingPart> {
    const listing = this.#open.get(cursor);
    if (listing === undefined) throw new BridgeError('NOT_FOUND', 'the list of mailboxes was given up: begin again');
    clearTimeout(listing.timer);
    try {
      const part = await listing.parts.next();
      if (part.done === true) {
        this.#open.delete(cursor);
        return { mailboxes: [] };
      }
      listing.timer = setTimeout(() => void this.#giveUp(cursor), LIMITS.listingKeptMs).unref();
      return { mailboxes: part.value, cursor };
    } catch (error) {
      this.#open.delete(cursor);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((cursor) => this.#giveUp(cursor)));
  }

  async #giveUp(cursor: string): Promise<void> {
    const listing = this.#open.get(cursor);
    this.#open.delete(cursor);
    clearTimeout(listing?.timer);
    listing?.end.abort(OVER);
    // What it throws at its end is of no use to anybody.
    await listing?.parts.return?.().catch(() => undefined);
  }
}
