import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { BusyType } from '../../freebusy/busy-type.ts';
import { freeBusyFrom, unknownFreeBusy } from '../../freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../freebusy/free-busy.ts';
import { clip, gaps } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import type { FreeBusyMessage } from './free-busy-message.ts';
import { PAIR_TYPES } from './properties.ts';
import type { PairType } from './properties.ts';

const BUSY_TYPE_OF: Readonly<Record<Exclude<PairType, 'merged'>, BusyType>> = { tentative: 'tentative', busy: 'busy', away: 'oof' };

/**
 * What a message says about one window: away over busy over tentative; outside [publishStart, publishEnd) no data, and no
 * data throughout where that range is missing or empty.
 *
 * Merged time that no other pair explains counts as busy. Time that is tentative *and* merged stays tentative: by the
 * specification merged has no tentative time in it, in Zimbra's messages it has (zimbra-measured.md §4.1).
 * What cannot be read in any pair is no data, unless another pair says that the time is taken.
 */
export function freeBusyFromMessage(message: FreeBusyMessage, mailbox: MailboxAddress, window: Interval): FreeBusy {
  const published = publishRange(message);
  if (published === undefined || PAIR_TYPES.every((type) => message.pairs[type].broken)) return unknownFreeBusy(mailbox, window);
  const busy: BusyInterval[] = [];
  const explained: Interval[] = [];
  for (const type of ['tentative', 'busy', 'away'] as const) {
    for (const stretch of message.pairs[type].stretches) {
      explained.push(stretch);
      // What lies outside the publish range is a stale leftover (zimbra-measured.md §4.8): it says nothing.
      const inside = clip(stretch, published);
      if (inside !== undefined) busy.push({ ...inside, busyType: BUSY_TYPE_OF[type] });
    }
  }
  for (const stretch of unexplained(message.pairs.merged.stretches, explained, published)) busy.push({ ...stretch, busyType: 'busy' });
  for (const type of PAIR_TYPES) {
    for (const stretch of message.pairs[type].unreadable) busy.push({ ...stretch, busyType: 'no-data' });
    if (message.pairs[type].broken) busy.push({ ...published, busyType: 'no-data' });
  }
  return freeBusyFrom(mailbox, window, { busy, known: [published] });
}

/** The time the message speaks about, or undefined where it does not say. */
export function publishRange(message: FreeBusyMessage): Interval | undefined {
  const { publishStart: start, publishEnd: end } = message;
  return start !== undefined && end !== undefined && start < end ? { start, end } : undefined;
}

/** The parts of `merged` that none of `explained` covers: whatever is outside merged is held to be explained, too. */
function unexplained(merged: readonly Interval[], explained: readonly Interval[], bounds: Interval): readonly Interval[] {
  if (merged.length === 0) return [];
  return gaps(bounds, [...gaps(bounds, merged), ...explained]);
}
