import type { Instant } from '../core/clock.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { DayOfWeek, SerializableTimeZone } from '../timezones/serializable-time-zone.ts';
import { BUSY_RANK, BUSY_TYPES } from './busy-type.ts';
import type { BusyType } from './busy-type.ts';
import { clip, gaps } from './interval.ts';
import type { Interval } from './interval.ts';

/** A stretch that is not free. */
export interface BusyInterval extends Interval {
  readonly busyType: BusyType;
}

/** How the mailbox's owner answered the invitation, where the source says so. */
export type OwnReply = 'organizer' | 'accepted' | 'tentative' | 'declined' | 'none';

/** One entry of a calendar as its source gave it: may overlap others, may lie partly outside the window. */
export interface CalendarEvent extends Interval {
  readonly busyType: BusyType;
  readonly id?: string;
  readonly subject?: string;
  readonly location?: string;
  readonly isPrivate?: boolean;
  readonly isAllDay?: boolean;
  readonly isCancelled?: boolean;
  readonly isMeeting?: boolean;
  readonly isRecurring?: boolean;
  readonly isException?: boolean;
  readonly isReminderSet?: boolean;
  readonly ownReply?: OwnReply;
}

/** When a mailbox's owner works: minutes since local midnight in `timeZone`, end not included. */
export interface WorkingHours {
  readonly timeZone: SerializableTimeZone;
  readonly periods: readonly { readonly days: readonly DayOfWeek[]; readonly startMinute: number; readonly endMinute: number }[];
}

/**
 * What is known of one mailbox over one window, canonical: `busy` is sorted, disjoint, clipped to the window, and holds no
 * `free`; neighbours of the same type are one. What `busy` does not cover is free; what is unknown is an explicit `no-data`.
 * Made by `freeBusyFrom` only; everything else relies on it.
 */
export interface FreeBusy {
  readonly mailbox: MailboxAddress;
  readonly window: Interval;
  readonly busy: readonly BusyInterval[];
  /** As the source gave them, where it gave any; `busy` was made from these. */
  readonly events?: readonly CalendarEvent[] | undefined;
  readonly workingHours?: WorkingHours | undefined;
}

export interface FreeBusyParts {
  /** Stretches in any order, overlapping or not; `free` ones are ignored. */
  readonly busy?: readonly BusyInterval[];
  /** Cancelled and declined events count for nothing; the others for their busy type. */
  readonly events?: readonly CalendarEvent[] | undefined;
  /** What the source spoke about; the rest of the window becomes no data. Default: the whole window. */
  readonly known?: readonly Interval[];
  readonly workingHours?: WorkingHours | undefined;
}

/** Makes a canonical FreeBusy from what a source said, in any order and with any overlaps. */
export function freeBusyFrom(mailbox: MailboxAddress, window: Interval, parts: FreeBusyParts): FreeBusy {
  const stretches: BusyInterval[] = [...(parts.busy ?? [])];
  for (const event of parts.events ?? []) if (counts(event)) stretches.push(event);
  for (const gap of parts.known === undefined ? [] : gaps(window, parts.known)) stretches.push({ ...gap, busyType: 'no-data' });
  return {
    mailbox,
    window,
    busy: canonical(stretches, window),
    ...(parts.events === undefined ? {} : { events: parts.events }),
    ...(parts.workingHours === undefined ? {} : { workingHours: parts.workingHours }),
  };
}

/** A mailbox of which nothing is known over the window. */
export function unknownFreeBusy(mailbox: MailboxAddress, window: Interval): FreeBusy {
  return freeBusyFrom(mailbox, window, { known: [] });
}

/** Whether an event takes any of its owner's time: cancelled and declined ones do not. */
export function counts(event: CalendarEvent): boolean {
  return event.busyType !== 'free' && event.isCancelled !== true && event.ownReply !== 'declined';
}

/**
 * Joins answers about consecutive pieces of one window. A piece that failed (undefined) is no data for its stretch, and so is
 * what an answer does not reach.
 * Events that several pieces gave (they overlap a seam) are kept once.
 */
export function joinPieces(
  mailbox: MailboxAddress,
  window: Interval,
  pieces: readonly { readonly window: Interval; readonly freeBusy: FreeBusy | undefined }[],
): FreeBusy {
  const answered = pieces.flatMap((piece) => piece.freeBusy ?? []);
  // Each piece is canonical over its own window already; its events only travel along.
  const spoken = pieces.flatMap((piece) => {
    const known = piece.freeBusy === undefined ? undefined : clip(piece.freeBusy.window, piece.window);
    return known === undefined ? [] : [{ known, busy: piece.freeBusy!.busy }];
  });
  const busy = spoken.flatMap(({ known, busy: stretches }) => stretches.flatMap((one) => {
    const inside = clip(one, known);
    return inside === undefined ? [] : [{ ...inside, busyType: one.busyType }];
  }));
  const events = answered.some((one) => one.events !== undefined) ? distinct(answered.flatMap((one) => one.events ?? [])) : undefined;
  const workingHours = answered.find((one) => one.workingHours !== undefined)?.workingHours;
  return { ...freeBusyFrom(mailbox, window, { busy, known: spoken.map((one) => one.known), workingHours }), ...(events === undefined ? {} : { events }) };
}

function distinct(events: readonly CalendarEvent[]): readonly CalendarEvent[] {
  const seen = new Map<string, CalendarEvent>();
  for (const event of events) {
    seen.set([event.start, event.end, event.busyType, event.id ?? '', event.subject ?? ''].join('\u0000'), event);
  }
  return [...seen.values()];
}

/** A stretch whose times cannot be read may lie anywhere: the window is then unknown wherever nothing stronger is. */
function hasTimes({ start, end }: Interval): boolean {
  return Number.isFinite(start) && Number.isFinite(end);
}

/** Sweeps over all ends once: O(n log n) whatever overlaps. */
function canonical(stretches: readonly BusyInterval[], window: Interval): readonly BusyInterval[] {
  const edges: { readonly at: Instant; readonly rank: number; readonly step: 1 | -1 }[] = [];
  for (const stretch of stretches.every(hasTimes) ? stretches : [...stretches.filter(hasTimes), { ...window, busyType: 'no-data' } as const]) {
    const inside = clip(stretch, window);
    const rank = BUSY_RANK[stretch.busyType];
    if (inside === undefined || rank === 0) continue;
    edges.push({ at: inside.start, rank, step: 1 }, { at: inside.end, rank, step: -1 });
  }
  edges.sort((a, b) => a.at - b.at);
  const open = BUSY_TYPES.map(() => 0);
  const busy: { start: Instant; end: Instant; busyType: BusyType }[] = [];
  let current = 0;
  let since = window.start;
  for (let index = 0; index < edges.length; ) {
    const at = edges[index]!.at;
    for (; index < edges.length && edges[index]!.at === at; index++) {
      const edge = edges[index]!;
      open[edge.rank]! += edge.step;
    }
    let top = BUSY_TYPES.length - 1;
    while (top > 0 && open[top] === 0) top--;
    if (top === current) continue;
    if (current > 0) busy.push({ start: since, end: at, busyType: BUSY_TYPES[current]! });
    current = top;
    since = at;
  }
  return busy;
}
