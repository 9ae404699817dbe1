import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { CalendarReader } from './calendar-reader.ts';
import type { Channel } from './calendar-reader.ts';

export interface FollowersOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRead: (mailbox: MailboxAddress, freeBusy: FreeBusy) => void;
  readonly onLost: (mailbox: MailboxAddress) => void;
  /** A channel does not answer: its people may be sorted anew. */
  readonly onDown: () => void;
}

/** Who is followed through which channel: one reader a channel, each with its own people. */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #readers = new Map<Channel, CalendarReader>();
  /** Channels that did not answer, and until when they are passed over. */
  readonly #down = new Map<Channel, Instant>();
  #readerOf = new Map<MailboxAddress, CalendarReader>();

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  /** Sorts people into channels; who stays with a channel goes on undisturbed, who comes to another is read there at once. @param channelOf undefined: lives nowhere, and is lost */
  follow(mailboxes: Iterable<MailboxAddress>, channelOf: (mailbox: MailboxAddress) => Channel | undefined): void {
    const people = new Map<Channel, Set<MailboxAddress>>();
    const readerOf = new Map<MailboxAddress, CalendarReader>();
    for (const mailbox of mailboxes) {
      const channel = channelOf(mailbox);
      if (channel === undefined) {
        this.#options.onLost(mailbox);
        continue;
      }
      const ofChannel = people.get(channel) ?? new Set();
      people.set(channel, ofChannel.add(mailbox));
      readerOf.set(mailbox, this.#readerFor(channel));
    }
    this.#readerOf = readerOf;
    for (const [channel, reader] of this.#readers) {
      reader.follow(people.get(channel) ?? new Set());
      if (people.has(channel)) continue;
      reader.stop();
      this.#readers.delete(channel);
    }
    for (const channel of this.#down.keys()) if (this.isUp(channel)) this.#down.delete(channel);
  }

  /** Whether it answers, as far as is known. */
  isUp(channel: Channel): boolean {
    return (this.#down.get(channel) ?? 0) <= this.#options.clock.now();
  }

  readerOf(mailbox: MailboxAddress): CalendarReader | undefined {
    return this.#readerOf.get(mailbox);
  }

  readers(): Iterable<CalendarReader> {
    return this.#readers.values();
  }

  changed(mailboxes: readonly MailboxAddress[]): void {
    const byReader = new Map<CalendarReader, MailboxAddress[]>();
    for (const mailbox of mailboxes) {
      const reader = this.#readerOf.get(mailbox);
      if (reader === undefined) continue;
      const ofReader = byReader.get(reader);
      if (ofReader === undefined) byReader.set(reader, [mailbox]);
      else ofReader.push(mailbox);
    }
    for (const [reader, ofReader] of byReader) reader.changed(ofReader);
  }

  stop(): void {
    for (const reader of this.#readers.values()) reader.stop();
    this.#readers.clear();
  }

  #readerFor(channel: Channel): CalendarReader {
    const known = this.#readers.get(channel);
    if (known !== undefined) return known;
    const { onDown, ...options } = this.#options;
    const onHealth = (isUp: boolean): void => {
      const wasUp = this.isUp(channel);
      if (isUp) this.#down.delete(channel);
      else this.#down.set(channel, options.clock.now() + LIMITS.presenceDownMs);
      if (wasUp && !isUp) onDown();
    };
    const reader = new CalendarReader({ channel, onHealth, ...options });
    this.#readers.set(channel, reader);
    return reader;
  }
}
