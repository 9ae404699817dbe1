import { DAY_MS, MINUTE_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { WorkingHours } from '../../freebusy/free-busy.ts';
import { clip, gaps } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { UTC_ZONE } from '../../timezones/bias-rules.ts';
import { DAYS_OF_WEEK } from '../../timezones/serializable-time-zone.ts';
import type { DayOfWeek } from '../../timezones/serializable-time-zone.ts';

/**
 * Reads GetWorkingHoursResponse (zimbra.md §2.5) by `usr/@id` without regard to case, never by position: `f` inside working hours, `u` outside, `n`
 * not known. The answer tells neither the rule nor its zone, so what comes out are the hours of this week by the clock of UTC.
 *
 * A mailbox is missing where its week is not wholly `f` and `u` in whole minutes, where both claim the same time, or where it is given twice, differently.
 *
 * @param week what was asked: seven whole days from a midnight of UTC on
 * @throws BridgeError BACKEND_MALFORMED where it is no GetWorkingHoursResponse
 */
export function decodeGetWorkingHoursResponse(response: XmlElement | undefined, mailboxes: readonly MailboxAddress[], week: Interval): ReadonlyMap<MailboxAddress, WorkingHours> {
  if (response?.name !== 'GetWorkingHoursResponse') throw new BridgeError('BACKEND_MALFORMED', 'the answer is no working hours');
  const asked = new Set(mailboxes);
  const known = new Map<MailboxAddress, WorkingHours | undefined>();
  for (const usr of childrenNamed(response, 'usr')) {
    const mailbox = parseMailboxAddress(attribute(usr, 'id') ?? '');
    if (mailbox === undefined || !asked.has(mailbox)) continue;
    const hours = hoursOf(usr, week);
    const isContradicted = known.has(mailbox) && JSON.stringify(known.get(mailbox)) !== JSON.stringify(hours);
    known.set(mailbox, isContradicted ? undefined : hours);
  }
  return new Map([...known].flatMap(([mailbox, hours]) => (hours === undefined ? [] : [[mailbox, hours] as const])));
}

function hoursOf(usr: XmlElement, week: Interval): WorkingHours | undefined {
  if (usr.children.length > LIMITS.workingHoursSlots) return undefined;
  const stretches: { f: Interval[]; u: Interval[] } = { f: [], u: [] };
  for (const slot of usr.children) {
    const stretch = { start: epochMs(slot, 's'), end: epochMs(slot, 'e') };
    if ((slot.name !== 'f' && slot.name !== 'u') || !(stretch.start < stretch.end)) return undefined;
    const inside = clip(stretch, week);
    if (inside !== undefined) stretches[slot.name].push(inside);
  }
  const outside = gaps(week, stretches.f);
  const isWhole = JSON.stringify(outside) === JSON.stringify(gaps(week, gaps(week, stretches.u)));
  return isWhole ? { timeZone: UTC_ZONE, periods: weekly(gaps(week, outside), week) } : undefined;
}

/** NaN where it is no whole minute. */
function epochMs(slot: XmlElement, name: 's' | 'e'): number {
  const text = attribute(slot, name) ?? '';
  const at = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return at % MINUTE_MS === 0 ? at : Number.NaN;
}

/** Cut at every midnight of UTC; days of the same hours are one group, in the order of DAYS_OF_WEEK. */
function weekly(working: readonly Interval[], week: Interval): WorkingHours['periods'] {
  const groups = new Map<string, { readonly days: DayOfWeek[]; readonly stretches: readonly Interval[] }>();
  for (const [index, name] of DAYS_OF_WEEK.entries()) {
    const start = week.start + ((index - new Date(week.start).getUTCDay() + 7) % 7) * DAY_MS;
    const day = { start, end: start + DAY_MS };
    const stretches = working.flatMap((one) => {
      const inside = clip(one, day);
      return inside === undefined ? [] : [{ start: (inside.start - start) / MINUTE_MS, end: (inside.end - start) / MINUTE_MS }];
    });
    const key = JSON.stringify(stretches);
    const group = groups.get(key) ?? { days: [], stretches };
    group.days.push(name);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ days, stretches }) => stretches.map(({ start, end }) => ({ days, startMinute: start, endMinute: end })));
}
