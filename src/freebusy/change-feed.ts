import type { MailboxAddress } from '../directory/smtp-address.ts';

/** What a feed has heard. It never says what has changed: whoever hears it reads the calendar again. */
export type ChangeNotice =
  /** These mailboxes changed; distinct, of the feed's own system or not. */
  | { readonly kind: 'changed'; readonly mailboxes: readonly MailboxAddress[] }
  /** The feed cannot prove that it missed nothing: every mailbox of the system may have changed. `reason` is one line for the log. */
  | { readonly kind: 'resync'; readonly reason: string };

/** PORT. Tells of every change in one calendar system, at least once. */
export interface ChangeFeed {
  /**
   * Runs until `signal` fires, then resolves; never rejects: it reconnects and starts over by itself, with growing pauses.
   * What it hears counts as heard upstream only after `onChange` has resolved; while that rejects, the feed tells the same again.
   */
  run(onChange: (notice: ChangeNotice) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Whether a change that happens now, to anybody in the system, would be heard within moments, as far as can be known; false where it cannot. */
  isHearing(): boolean;
}

/** The same feed, of which somebody else hears too, before what it tells is taken. */
export function heardToo(feed: ChangeFeed, hear: (notice: ChangeNotice) => void): ChangeFeed {
  return {
    run: (onChange, signal) =>
      feed.run(async (notice) => {
        hear(notice);
        await onChange(notice);
      }, signal),
    isHearing: () => feed.isHearing(),
  };
}

/** PORT. Where a feed keeps its place (a WaitSet's id and sequence) over restarts. Texts are short. */
export interface FeedMemory {
  load(key: string): Promise<string | undefined>;
  /** Resolves when it is stored. */
  save(key: string, place: string): Promise<void>;
}
