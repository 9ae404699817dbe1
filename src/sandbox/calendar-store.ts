import { randomUUID } from 'node:crypto';
import type { Instant } from '../core/clock.ts';

/** The stand-ins' own words for busyness; nothing here is shared with the bridge, whose judge the stand-ins are. */
export const ENTRY_TYPES = ['free', 'tentative', 'busy', 'oof', 'working-elsewhere'] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** An appointment as somebody typed it in; start before end, epoch ms UTC. */
export interface NewEntry {
  readonly start: Instant;
  readonly end: Instant;
  readonly type: EntryType;
  readonly subject?: string;
  readonly location?: string;
  readonly private?: boolean;
}

export interface Entry extends Required<NewEntry> {
  readonly id: string;
}

export interface Mailbox {
  readonly address: string;
  readonly displayName: string;
}

/** The calendars of one stand-in, in memory. Addresses are found without regard to case. */
export interface CalendarStore {
  addMailbox(mailbox: Mailbox): void;
  mailboxes(): readonly Mailbox[];
  find(address: string): Mailbox | undefined;
  /** @throws RangeError for an unknown mailbox or an entry that does not end after it starts. */
  add(address: string, entry: NewEntry): Entry;
  /** False when there was no such entry. */
  remove(address: string, id: string): boolean;
  /** Takes every entry away. */
  clear(address: string): void;
  /** Hears the address (as the mailbox has it) of every calendar that changes, after it has. */
  onChange(listener: (address: string) => void): void;
  /** Entries by start; empty for an unknown mailbox. */
  list(address: string): readonly Entry[];
  /** Entries that touch [start, end). */
  touching(address: string, start: Instant, end: Instant): readonly Entry[];
}

interface Calendar {
  readonly mailbox: Mailbox;
  entries: readonly Entry[];
}

export function createCalendarStore(mailboxes: readonly Mailbox[] = []): CalendarStore {
  const calendars = new Map<string, Calendar>();
  const listeners: ((address: string) => void)[] = [];
  const change = (calendar: Calendar, entries: readonly Entry[]): void => {
    calendar.entries = entries;
    for (const listener of listeners) listener(calendar.mailbox.address);
  };
  const calendarOf = (address: string): Calendar | undefined => calendars.get(address.trim().toLowerCase());
  const store: CalendarStore = {
    addMailbox: (mailbox) => void calendars.set(mailbox.address.toLowerCase(), { mailbox, entries: [] }),
    mailboxes: () => [...calendars.values()].map((one) => one.mailbox),
    find: (address) => calendarOf(address)?.mailbox,
    add(address, entry) {
      const calendar = calendarOf(address);
      if (calendar === undefined) throw new RangeError('no such mailbox in this sandbox');
      if (!Number.isSafeInteger(entry.start) || !Number.isSafeInteger(entry.end) || entry.end <= entry.start) {
        throw new RangeError('an entry ends after it starts');
      }
      const added: Entry = { subject: '', location: '', private: false, ...entry, id: randomUUID() };
      change(calendar, [...calendar.entries, added].sort((one, other) => one.start - other.start || one.end - other.end));
      return added;
    },
    remove(address, id) {
      const calendar = calendarOf(address);
      const left = calendar?.entries.filter((one) => one.id !== id) ?? [];
      if (calendar === undefined || left.length === calendar.entries.length) return false;
      change(calendar, left);
      return true;
    },
    clear(address) {
      const calendar = calendarOf(address);
      if (calendar !== undefined) change(calendar, []);
    },
    onChange: (listener) => void listeners.push(listener),
    list: (address) => calendarOf(address)?.entries ?? [],
    touching: (address, start, end) => (calendarOf(address)?.entries ?? []).filter((one) => one.start < end && one.end > start),
  };
  for (const mailbox of mailboxes) store.addMailbox(mailbox);
  return store;
}
