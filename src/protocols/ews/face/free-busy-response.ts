import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { Asked } from '../../../freebusy/ask-mailboxes.ts';
import type { CalendarEvent, FreeBusy } from '../../../freebusy/free-busy.ts';
import { slotRanks, slotString } from '../../../freebusy/slots.ts';
import { withoutWorkingElsewhere } from '../../../freebusy/working-elsewhere.ts';
import { escapeXml } from '../../../platform/xml/write.ts';
import { MERGED_DIGIT_OF_RANK } from '../busy-type.ts';
import { encodeCalendarEvent } from '../calendar-event.ts';
import { encodeWorkingHours } from '../working-hours.ts';
import type { AskedView } from './get-user-availability-request.ts';
import { mailboxFault } from './mailbox-fault.ts';
import { shownEvents } from './shown-events.ts';

/** How every FreeBusyView of one answer is written. */
export interface ViewForm extends AskedView {
  /** The caller's schema has WorkingElsewhere. */
  readonly hasWorkingElsewhere: boolean;
  readonly workingElsewhereAs: WorkingElsewhereAs;
}

/**
 * One FreeBusyResponse as text: the message, and always a FreeBusyView. A stock Zimbra counts only responses that have one, so an error without it
 * would give everybody behind it somebody else's time (zimbra-measured.md §5).
 *
 * Put together by hand, because an answer has a hundred: everything but texts, which are escaped once, is made of safe characters.
 */
export function encodeFreeBusyResponse(asked: Asked, form: ViewForm): string {
  if ('freeBusy' in asked.result) return `<m:FreeBusyResponse>${SUCCESS}<m:FreeBusyView>${viewOf(asked.result.freeBusy, form)}</m:FreeBusyView></m:FreeBusyResponse>`;
  const { code, text } = mailboxFault(asked, asked.result.error);
  const message = `<m:MessageText>${escapeXml(text)}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>`;
  return `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error">${message}</m:ResponseMessage>${NO_VIEW}</m:FreeBusyResponse>`;
}

const SUCCESS = '<m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>';
const NO_VIEW = '<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView>';

function viewOf(freeBusy: FreeBusy, form: ViewForm): string {
  // A lower view than the one asked for, where nobody may see details or the source has none.
  const hasDetails = form.details && freeBusy.events !== undefined;
  const plain = withoutWorkingElsewhere(freeBusy, form.workingElsewhereAs);
  let out = `<t:FreeBusyViewType>${viewType(form, hasDetails)}</t:FreeBusyViewType>`;
  if (form.merged) out += `<t:MergedFreeBusy>${slotString(slotRanks(plain, form.window, form.slotMinutes), MERGED_DIGIT_OF_RANK)}</t:MergedFreeBusy>`;
  if (!form.events) return out;
  out += eventArray(shownEvents(form.hasWorkingElsewhere ? freeBusy : plain), form, hasDetails);
  return freeBusy.workingHours === undefined ? out : out + encodeWorkingHours(freeBusy.workingHours);
}

function viewType({ merged, events }: ViewForm, hasDetails: boolean): string {
  if (!events) return 'MergedOnly';
  return `${hasDetails ? 'Detailed' : 'FreeBusy'}${merged ? 'Merged' : ''}`;
}

/** Never `<t:CalendarEventArray/>`: the readers of Microsoft's client libraries look for the end tag (EMA, ews-javascript-api). */
function eventArray(events: readonly CalendarEvent[], form: ViewForm, hasDetails: boolean): string {
  const { clock } = form;
  const naive = (instant: number): string => clock.naive(instant);
  let out = '<t:CalendarEventArray>';
  for (const event of events) out += encodeCalendarEvent(event, naive, hasDetails);
  return `${out}</t:CalendarEventArray>`;
}
