import { DAY_MS } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { floorTo } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { slotRanks, slotString } from '../../freebusy/slots.ts';
import { freeBusyFromMessage } from '../../protocols/schedule-plus/free-busy-from-message.ts';
import type { FreeBusyMessage } from '../../protocols/schedule-plus/free-busy-message.ts';
import { dayInWords } from './utc-words.ts';

/** More than a year is no picture any more. */
const DAYS_SHOWN = 400;
const SLOT_MINUTES = 30;
/** By BUSY_TYPES: free, no data, working elsewhere, tentative, busy, out of office. */
const CHARACTERS = ['·', '?', 'w', '░', '█', '▒'] as const;
const HOURS = Array.from({ length: 12 }, (_one, index) => String(2 * index).padStart(2, '0').padEnd(4)).join('').trimEnd();

/** Every day on which a reader of the message finds something, as a row of half hours in UTC, below a row of hours. None where there is no such day. */
export function dayPictures(message: FreeBusyMessage, published: Interval): readonly string[] {
  const freeBusy = freeBusyFromMessage(message, 'reader@bridge.invalid' as MailboxAddress, published);
  const days = new Set<number>();
  for (const { start, end, busyType } of freeBusy.busy) {
    if (busyType === 'no-data') continue;
    for (let day = floorTo(start, DAY_MS); day < end && days.size <= DAYS_SHOWN; day += DAY_MS) days.add(day);
  }
  if (days.size === 0) return [];
  const rows = [...days].slice(0, DAYS_SHOWN).map((day) => `${dayInWords(day)}  ${slotString(slotRanks(freeBusy, { start: day, end: day + DAY_MS }, SLOT_MINUTES), CHARACTERS)}`);
  return [`${' '.repeat(12)}${HOURS}`, ...rows, ...(days.size > DAYS_SHOWN ? ['… and more days'] : [])];
}

export const LEGEND = '· free  ░ tentative  █ busy  ▒ away  ? not published or not readable; a character is half an hour, hours in UTC';
