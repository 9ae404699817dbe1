import type { Clock } from '../../../core/clock.ts';
import type { NotificationPort } from '../../../core/notification-port.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import type { KeptTexts } from '../../../presence/publisher.ts';
import { folderUrl } from './calendar-folder.ts';
import { decodeKept, encodeKept, keptKey, mailboxOfKey } from './watched-calendar.ts';
import type { Held, WatchedCalendar } from './watched-calendar.ts';

export interface SubscriptionBookOptions {
  readonly url: URL;
  readonly hosts: readonly string[];
  readonly callBack: NotificationPort | undefined;
  readonly memory: KeptTexts;
  readonly clock: Clock;
}

/** Which subscriptions there are: by id, by the place where they are polled together, and on disk, so that after a restart they are renewed and not doubled. */
export class SubscriptionBook {
  readonly #options: SubscriptionBookOptions;
  readonly #byId = new Map<string, Set<WatchedCalendar>>();
  readonly #byPlace = new Map<string, Set<WatchedCalendar>>();

  constructor(options: SubscriptionBookOptions) {
    this.#options = options;
  }

  /** Mailboxes that had a subscription when the process ended. */
  keptMailboxes(): readonly MailboxAddress[] {
    return [...this.#options.memory.keys()].flatMap((key) => mailboxOfKey(key) ?? []);
  }

  /** Takes up a subscription of a former life, where there is one: its call-back is heard again under the same URL, where that can be had. */
  resume(one: WatchedCalendar, onCall: (text: string) => undefined): void {
    const { callBack, clock, memory } = this.#options;
    const kept = decodeKept(memory.get(keptKey(one.mailbox)), clock.now());
    if (kept === undefined || this.placeOf(kept) === undefined) {
      memory.delete(keptKey(one.mailbox));
      return;
    }
    let path = callBack === undefined || kept.callBack === undefined ? undefined : callBack.open(onCall, kept.callBack.slice(kept.callBack.lastIndexOf('/') + 1));
    if (path !== undefined && path.url !== kept.callBack) {
      path.close();
      path = undefined;
    }
    this.hold(one, { ...kept, path, generation: path === undefined ? undefined : callBack?.generation, renewAt: clock.now() });
    one.isDoubtful = true;
  }

  /** From now on this is the calendar's subscription; the old one's path stays open, for whoever ends it. */
  hold(one: WatchedCalendar, held: Held): void {
    this.#leave(one);
    one.held = held;
    into(this.#byId, held.id, one);
    into(this.#byPlace, this.#keyOf(held), one);
    this.keep(one);
  }

  /** Writes down what has changed of it. */
  keep({ mailbox, held }: WatchedCalendar): void {
    if (held !== undefined) this.#options.memory.set(keptKey(mailbox), encodeKept(held));
  }

  /** The server has it no more. */
  drop(one: WatchedCalendar): void {
    this.#leave(one);
    one.held?.path?.close();
    one.held = undefined;
    this.#options.memory.delete(keptKey(one.mailbox));
  }

  withId(id: string): Iterable<WatchedCalendar> {
    return this.#byId.get(id) ?? [];
  }

  /** All that are polled and renewed at the same place. */
  together(held: Held): Iterable<WatchedCalendar> {
    return this.#byPlace.get(this.#keyOf(held)) ?? [];
  }

  /** Where it is renewed, polled and ended: the Content-Location, else the folder; never another host's. Undefined where neither is ours (any more). */
  placeOf({ location, folder }: Pick<Held, 'location' | 'folder'>): URL | undefined {
    const { url, hosts } = this.#options;
    for (const text of [location, folder]) {
      if (text === undefined) continue;
      try {
        return folderUrl(text, url, hosts);
      } catch {
        // The next one.
      }
    }
    return undefined;
  }

  /** The server calls a URL that is not ours any more, or none although there is one. */
  hasMoved(held: Held): boolean {
    const { callBack } = this.#options;
    if (callBack === undefined) return held.callBack !== undefined;
    return held.path === undefined || held.generation !== callBack.generation;
  }

  #leave(one: WatchedCalendar): void {
    if (one.held === undefined) return;
    outOf(this.#byId, one.held.id, one);
    outOf(this.#byPlace, this.#keyOf(one.held), one);
  }

  #keyOf(held: Held): string {
    return this.placeOf(held)?.href ?? held.folder;
  }
}

function into(map: Map<string, Set<WatchedCalendar>>, key: string, one: WatchedCalendar): void {
  const set = map.get(key) ?? new Set();
  set.add(one);
  map.set(key, set);
}

function outOf(map: Map<string, Set<WatchedCalendar>>, key: string, one: WatchedCalendar): void {
  const set = map.get(key);
  set?.delete(one);
  if (set?.size === 0) map.delete(key);
}
