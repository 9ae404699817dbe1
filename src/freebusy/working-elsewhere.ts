import { freeBusyFrom } from './free-busy.ts';
import type { FreeBusy } from './free-busy.ts';
import type { BusyType, WorkingElsewhereAs } from './busy-type.ts';

/**
 * For protocols without a word for working elsewhere: it becomes what the site wishes, *before* slots are cut and stretches are
 * written, so that in time it shares with tentative, busy or unknown the right one wins and equal neighbours become one.
 */
export function withoutWorkingElsewhere(freeBusy: FreeBusy, as: WorkingElsewhereAs): FreeBusy {
  // An event that lies under a stronger one is in no stretch.
  const isElsewhere = (one: { readonly busyType: BusyType }): boolean => one.busyType === 'working-elsewhere';
  if (!freeBusy.busy.some(isElsewhere) && freeBusy.events?.some(isElsewhere) !== true) return freeBusy;
  const renamed = <T extends { readonly busyType: BusyType }>(one: T): T => (one.busyType === 'working-elsewhere' ? { ...one, busyType: as } : one);
  const { mailbox, window, busy, events, workingHours } = freeBusy;
  // The stretches are the truth here, cancelled and declined events have been left out of them.
  return { ...freeBusyFrom(mailbox, window, { busy: busy.map(renamed), workingHours }), ...(events === undefined ? {} : { events: events.map(renamed) }) };
}
