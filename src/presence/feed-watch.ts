import type { Clock, Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ChangeFeed, ChangeNotice } from '../freebusy/change-feed.ts';
import type { CalendarWatch, WatchListener, WatchMode, WatchStatus } from './gateway.ts';

export interface FeedWatchOptions {
  /** Heard by this watch itself; undefined: somebody else hears it (the replication) and says so with `noted`. */
  readonly feed: ChangeFeed | undefined;
  readonly listener: WatchListener;
  readonly clock: Clock;
}

/** Hears of changes from a system that tells of all of them: Zimbra's change feed. Whatever it cannot prove to have heard is a change of everybody's. */
export class FeedWatch implements CalendarWatch {
  readonly #options: FeedWatchOptions;
  readonly #ended = new AbortController();
  #followed: ReadonlySet<MailboxAddress> = new Set();
  #heardAt: Instant | undefined;
  #running: Promise<void> | undefined;

  constructor(options: FeedWatchOptions) {
    this.#options = options;
  }

  follow(mailboxes: ReadonlySet<MailboxAddress>): void {
    this.#followed = mailboxes;
    const { feed } = this.#options;
    if (mailboxes.size > 0 && feed !== undefined && !this.#ended.signal.aborted) this.#running ??= feed.run(async (notice) => this.heard(notice), this.#ended.signal);
  }

  /** The feed speaks, and somebody else sees to what it says. */
  noted(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** What the feed says. */
  heard(notice: ChangeNotice): void {
    this.noted();
    if (notice.kind === 'resync') this.#options.listener.changed([...this.#followed], 'missed');
    else {
      const followed = notice.mailboxes.filter((mailbox) => this.#followed.has(mailbox));
      if (followed.length > 0) this.#options.listener.changed(followed, 'notified');
    }
  }

  /** Not `live`: a Zimbra that is away says nothing either. Of a feed that never said anything it is not even known that it may watch: calendars are polled until it does. */
  modeOf(mailbox: MailboxAddress): WatchMode {
    return this.#followed.has(mailbox) && this.#heardAt !== undefined ? 'hinted' : 'starting';
  }

  status(): WatchStatus {
    const { size } = this.#followed;
    const isHeard = this.#heardAt !== undefined;
    return { method: 'feed', live: 0, hinted: isHeard ? size : 0, polled: 0, starting: isHeard ? 0 : size, moving: 0, heardAt: this.#heardAt, trouble: undefined };
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }
}
