import { randomUUID } from 'node:crypto';
import type { Instant } from '../core/clock.ts';

/** The stand-ins' own words for busyness; nothing here is shared with the bridge, whose judge the stand-ins are. */
export const ENTRY_TYPES = ['free', 'tentative', 'busy', 'oof', 'working-elsewhere'] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** What the owner of the calendar has answered to an invitation; `none`: it is no meeting, or an own one. */
export const REPLIES = ['none', 'organizer', 'tentative', 'accepted', 'declined', 'not-answered'] as const;
export type Reply = (typeof REPLIES)[number];

export const SENSITIVITIES = ['normal', 'personal', 'private', 'confidential'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** An appointment as somebody typed it in; start before end, epoch ms UTC. */
export interface NewEntry {
  readonly start: Instant;
  readonly end: Instant;
  readonly type: EntryType;
  readonly subject?: string;
  readonly location?: string;
  /** Default: what `sensitivity` says. */
  readonly private?: boolean;
  /** Default: `private` where it is private. */
  readonly sensitivity?: Sensitivity;
  readonly isAllDay?: boolean;
  /** The organizer has called the meeting off, and the owner has not yet taken it out of the calendar. */
  readonly isCancelled?: boolean;
  readonly reply?: Reply;
}

export interface Entry extends Required<NewEntry> {
  readonly id: string;
}

/** One entry that came, changed (the entry as it is now) or went (as it was). */
export interface EntryChange {
  readonly kind: 'created' | 'modified' | 'deleted';
  readonly entry: Entry;
}

export type ChangeListener = (address: string, changes: readonly EntryChange[]) => void;

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
  /** Changes an entry. @throws RangeError for an unknown mailbox or entry, or when it would not end after it starts. */
  update(address: string, id: string, changes: Partial<NewEntry>): Entry;
  /** False when there was no such entry. */
  remove(address: string, id: string): boolean;
  /** Takes every entry away. */
  clear(address: string): void;
  /** Hears the address (as the mailbox has it) of every calendar that changes, after it has. @returns what ends that */
  onChange(listener: ChangeListener): () => void;
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
  const listeners = new Set<ChangeListener>();
  const change = (calendar: Calendar, entries: readonly Entry[], changes: readonly EntryChange[]): void => {
    calendar.entries = [...entries].sort((one, other) => one.start - other.start || one.end - other.end);
    for (const listener of listeners) listener(calendar.mailbox.address, changes);
  };
  const calendarOf = (address: string): Calendar | undefined => calendars.get(address.trim().toLowerCase());
  const store: CalendarStore = {
    addMailbox: (mailbox) => void calendars.set(mailbox.address.toLowerCase(), { mailbox, entries: [] }),
    mailboxes: () => [...calendars.values()].map((one) => one.mailbox),
    find: (address) => calendarOf(address)?.mailbox,
    add(address, entry) {
      const calendar = calendarOf(address);
      if (calendar === undefined) throw new RangeError('no such mailbox in this sandbox');
      const added = completed(entry, randomUUID());
      change(calendar, [...calendar.entries, added], [{ kind: 'created', entry: added }]);
      return added;
    },
    update(address, id, changes) {
      const calendar = calendarOf(address);
      const old = calendar?.entries.find((one) => one.id === id);
      if (calendar === undefined || old === undefined) throw new RangeError('no such entry in this sandbox');
      // Whoever changes one of the two words for privacy means both.
      const { private: isPrivate, sensitivity, ...rest } = old;
      const privacy = 'private' in changes || 'sensitivity' in changes ? {} : { private: isPrivate, sensitivity };
      const entry = completed({ ...rest, ...privacy, ...changes }, id);
      change(calendar, calendar.entries.map((one) => (one.id === id ? entry : one)), [{ kind: 'modified', entry }]);
      return entry;
    },
    remove(address, id) {
      const calendar = calendarOf(address);
      const gone = calendar?.entries.find((one) => one.id === id);
      if (calendar === undefined || gone === undefined) return false;
      change(calendar, calendar.entries.filter((one) => one !== gone), [{ kind: 'deleted', entry: gone }]);
      return true;
    },
    clear(address) {
      const calendar = calendarOf(address);
      if (calendar !== undefined) change(calendar, [], calendar.entries.map((entry) => ({ kind: 'deleted', entry })));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    list: (address) => calendarOf(address)?.entries ?? [],
    touching: (address, start, end) => (calendarOf(address)?.entries ?? []).filter((one) => one.start < end && one.end > start),
  };
  for (const mailbox of mailboxes) store.addMailbox(mailbox);
  return store;
}

/** Whether it counts when somebody else asks about free/busy: who has declined is not busy. Cancelled ones count as long as they stand there. */
export function isCounted(entry: Entry): boolean {
  return entry.reply !== 'declined';
}

function completed(entry: NewEntry, id: string): Entry {
  if (!Number.isSafeInteger(entry.start) || !Number.isSafeInteger(entry.end) || entry.end <= entry.start) throw new RangeError('an entry ends after it starts');
  const sensitivity = entry.sensitivity ?? (entry.private === true ? 'private' : 'normal');
  const isPrivate = entry.private ?? (sensitivity === 'private' || sensitivity === 'confidential');
  return { subject: '', location: '', isAllDay: false, isCancelled: false, reply: 'none', ...entry, private: isPrivate, sensitivity, id };
}
