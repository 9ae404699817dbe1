import { DAY_MS, HOUR_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { attribute } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { Accounts } from './zimbra-accounts.ts';
import type { TokenRank } from './zimbra-auth.ts';
import { epoch } from './zimbra-get-free-busy.ts';
import { ZimbraFault } from './zimbra-fault.ts';

const MAX_DAYS = 200;

/** zimbraPrefCalendarWorkingHours as it is by default: Monday to Friday from 8 to 17, in the zone of the account. */
const WORKDAYS = [1, 2, 3, 4, 5];
const [OPENS, CLOSES] = [8, 17];
const ZONE = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', hourCycle: 'h23' });

/**
 * Answers a GetWorkingHoursRequest (zimbra.md §2.5): `f` inside working hours and `u` outside for whoever the asker may view, `n` for the others, in the
 * order asked. Everybody has the default hours, by the clock of Berlin.
 *
 * @param asker as for GetFreeBusy
 * @throws ZimbraFault service.INVALID_REQUEST
 */
export function answerGetWorkingHours(request: XmlElement, accounts: Accounts, asker: TokenRank | undefined): { readonly body: XmlText; readonly mailboxes: number } {
  const start = epoch(attribute(request, 's'), 's');
  const end = epoch(attribute(request, 'e'), 'e');
  if (end <= start) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: End time must be after Start time');
  if (Math.floor((end - start) / DAY_MS) > MAX_DAYS) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: Requested range is too large (Maximum ${MAX_DAYS} days)`);
  const asked = [...new Set(['id', 'name'].flatMap((name) => attribute(request, name)?.split(',') ?? []))];
  const slots = weekSlots(start, end).map(({ letter, from, to }) => xml`<${letter} s="${from}" e="${to}"/>`);
  const users = asked.map((name) => {
    const account = accounts.byAddress(name) ?? accounts.byId(name);
    const mayView = account !== undefined && (asker === 'admin' || (asker === 'user' && account.deniesFreeBusy !== true));
    return xml`<usr id="${name}">${mayView ? slots : xml`<n s="${start}" e="${end}"/>`}</usr>`;
  });
  return { body: xml`<GetWorkingHoursResponse xmlns="urn:zimbraMail">${users}</GetWorkingHoursResponse>`, mailboxes: asked.length };
}

function weekSlots(start: Instant, end: Instant): readonly { readonly letter: 'f' | 'u'; readonly from: Instant; readonly to: Instant }[] {
  const slots: { letter: 'f' | 'u'; from: Instant; to: Instant }[] = [];
  const push = (letter: 'f' | 'u', from: Instant, to: Instant): void => {
    if (Math.max(from, start) < Math.min(to, end)) slots.push({ letter, from: Math.max(from, start), to: Math.min(to, end) });
  };
  let free = start;
  for (let day = Math.floor(start / DAY_MS) * DAY_MS; day < end; day += DAY_MS) {
    if (!WORKDAYS.includes(new Date(day).getUTCDay())) continue;
    // Berlin is one or two hours ahead, so its office day is one day in UTC, and the offset of its noon holds for all of it.
    const offset = Number(ZONE.format(day + 12 * HOUR_MS)) - 12;
    const [opens, closes] = [day + (OPENS - offset) * HOUR_MS, day + (CLOSES - offset) * HOUR_MS];
    push('u', free, opens);
    push('f', opens, closes);
    free = Math.max(free, closes);
  }
  push('u', free, end);
  return slots;
}
