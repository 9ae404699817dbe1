import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ZIMBRA_MAIL_NS } from './names.ts';

/** GetWorkingHoursRequest (zimbra.md §2.5), by `name` as GetFreeBusyRequest is sent. */
export function encodeGetWorkingHoursRequest(mailboxes: readonly MailboxAddress[], week: Interval): XmlNode {
  return el('GetWorkingHoursRequest', { xmlns: ZIMBRA_MAIL_NS, s: String(week.start), e: String(week.end), name: mailboxes.join(',') });
}
