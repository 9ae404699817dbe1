import { createHash, randomBytes } from 'node:crypto';
import { LIMITS } from '../core/limits.ts';
import type { Clock, Instant } from '../core/clock.ts';
import type { CalendarStore, EntryChange } from './calendar-store.ts';

/** The names of the schema that a calendar of the stand-in ever has something of. */
export type EventKind = 'CreatedEvent' | 'ModifiedEvent' | 'DeletedEvent' | 'FreeBusyChangedEvent';

export interface MailboxEvent {
  /** Counts from 1 in each mailbox. */
  readonly position: number;
  readonly kind: EventKind;
  readonly entryId: string;
  readonly at: Instant;
}

/** The event history of each mailbox, which outlives subscriptions. A watermark is a place in one mailbox's history. */
export interface MailboxEvents {
  /** The place of the newest event; 0 where there was none. */
  latest(mailbox: string): number;
  /** Events behind that place; undefined where some of them are no longer known. */
  after(mailbox: string, position: number): readonly MailboxEvent[] | undefined;
  watermark(mailbox: string, position: number): string;
  /** Undefined for a watermark of another mailbox, of a forgotten time, or of nobody. */
  positionOf(mailbox: string, watermark: string): number | undefined;
  /** Hears, after it has happened, in which mailbox something did. */
  onEvent(listener: (mailbox: string) => void): void;
  /** The history is gone, as after a restore or thirty days: no watermark is valid any more. */
  forget(): void;
}

interface History {
  readonly events: MailboxEvent[];
  latest: number;
}

const EVENT_OF_CHANGE: Readonly<Record<EntryChange['kind'], EventKind>> = { created: 'CreatedEvent', modified: 'ModifiedEvent', deleted: 'DeletedEvent' };

export function createMailboxEvents(calendars: CalendarStore, clock: Clock): MailboxEvents {
  const histories = new Map<string, History>();
  const listeners: ((mailbox: string) => void)[] = [];
  let epoch = randomBytes(6).toString('hex');
  const historyOf = (mailbox: string): History => {
    const key = mailbox.toLowerCase();
    const history = histories.get(key) ?? { events: [], latest: 0 };
    histories.set(key, history);
    return history;
  };
  calendars.onChange((address, changes) => {
    const history = historyOf(address);
    for (const { kind, entry } of changes) {
      for (const event of [EVENT_OF_CHANGE[kind], 'FreeBusyChangedEvent'] as const) history.events.push({ position: ++history.latest, kind: event, entryId: entry.id, at: clock.now() });
    }
    history.events.splice(0, Math.max(0, history.events.length - LIMITS.standInEvents));
    if (changes.length > 0) for (const listener of listeners) listener(address);
  });
  const isKept = (history: History, position: number): boolean => position <= history.latest && position >= history.latest - history.events.length;
  const nameOf = (mailbox: string): string => createHash('sha256').update(`${epoch} ${mailbox.toLowerCase()}`).digest('hex').slice(0, 24);
  return {
    latest: (mailbox) => historyOf(mailbox).latest,
    after(mailbox, position) {
      const history = historyOf(mailbox);
      return isKept(history, position) ? history.events.filter((one) => one.position > position) : undefined;
    },
    watermark: (mailbox, position) => Buffer.from(`AQAAA${nameOf(mailbox)}:${position}`, 'latin1').toString('base64'),
    positionOf(mailbox, watermark) {
      const [name, position = ''] = Buffer.from(watermark, 'base64').toString('latin1').split(':');
      if (name !== `AQAAA${nameOf(mailbox)}` || !/^\d{1,15}$/.test(position)) return undefined;
      return isKept(historyOf(mailbox), Number(position)) ? Number(position) : undefined;
    },
    onEvent: (listener) => void listeners.push(listener),
    forget() {
      epoch = randomBytes(6).toString('hex');
    },
  };
}
