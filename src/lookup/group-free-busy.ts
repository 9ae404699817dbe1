import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { BusyInterval } from '../freebusy/free-busy.ts';
import { freeBusyFrom } from '../freebusy/free-busy.ts';
import type { Interval } from '../freebusy/interval.ts';
import type { FreeBusyResult } from '../freebusy/source.ts';

/**
 * A group's time, as Exchange shows it: taken where some member's is, by the strongest type; whoever is unknown makes the rest no data, because a group is free
 * only when everybody is. No events: they are single members'.
 *
 * @param results of all members; at least one
 */
export function groupFreeBusy(group: MailboxAddress, window: Interval, results: readonly FreeBusyResult[]): FreeBusyResult {
  const known = results.flatMap((one) => ('error' in one ? [] : [one]));
  const failed = results.find((one) => 'error' in one);
  if (known.length === 0 && failed !== undefined) return { ...failed, mailbox: group };
  const unknown: readonly BusyInterval[] = failed === undefined ? [] : [{ ...window, busyType: 'no-data' }];
  const busy = [...unknown, ...known.flatMap(({ freeBusy }) => freeBusy.busy.map(({ start, end, busyType }) => ({ start, end, busyType })))];
  return {
    mailbox: group,
    freeBusy: freeBusyFrom(group, window, { busy }),
    asOf: Math.min(...known.map(({ asOf }) => asOf)),
    ...(known.some(({ stale }) => stale === true) ? { stale: true } : {}),
  };
}
