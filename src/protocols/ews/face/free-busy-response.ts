import { LIMITS } from '../../../core/limits.ts';
import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { Asked } from '../../../freebusy/ask-mailboxes.ts';
import { slotRanks, slotString } from '../../../freebusy/slots.ts';
import { withoutWorkingElsewhere } from '../../../freebusy/working-elsewhere.ts';
import { escapeXml } from '../../../platform/xml/write.ts';
import { MERGED_DIGIT_OF_RANK } from '../busy-type.ts';
import { encodeCalendarEvent, isDetailed } from '../calendar-event.ts';
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
 * Put together by hand, because an answer has a hundred: everything but texts, which are escaped once, is made of safe characters. In pieces of
 * LIMITS.ewsEventsPerPiece events, so that whoever writes them down can let others run in between: one mailbox alone may have 50,000.
 */
export function* encodeFreeBusyResponse(asked: Asked, form: ViewForm): Generator<string, void, undefined> {
  if ('error' in asked.result) {
    const { code, text } = mailboxFault(asked, asked.result.error);
    const message = `<m:MessageText>${escapeXml(text)}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>`;
    yield `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error">${message}</m:ResponseMessage>${NO_VIEW}</m:FreeBusyResponse>`;
    return;
  }
  const { freeBusy } = asked.result;
  // A lower view than the one asked for, where nobody may see details or the source has none (a Zimbra).
  const hasDetails = form.details && freeBusy.events?.some(isDetailed) === true;
  const plain = withoutWorkingElsewhere(freeBusy, form.workingElsewhereAs);
  let out = `<m:FreeBusyResponse>${SUCCESS}<m:FreeBusyView><t:FreeBusyViewType>${viewType(form, hasDetails)}</t:FreeBusyViewType>`;
  if (form.merged) out += `<t:MergedFreeBusy>${slotString(slotRanks(plain, form.window, form.slotMinutes), MERGED_DIGIT_OF_RANK)}</t:MergedFreeBusy>`;
  if (form.events) {
    const { clock } = form;
    const naive = (instant: number): string => clock.naive(instant);
    // Never `<t:CalendarEventArray/>`: the readers of Microsoft's client libraries look for the end tag (EMA, ews-javascript-api).
    out += '<t:CalendarEventArray>';
    let room = LIMITS.ewsEventsPerPiece;
    for (const event of shownEvents(form.hasWorkingElsewhere ? freeBusy : plain)) {
      out += encodeCalendarEvent(event, naive, hasDetails);
      if (--room > 0) continue;
      yield out;
      out = '';
      room = LIMITS.ewsEventsPerPiece;
    }
    out += '</t:CalendarEventArray>';
    if (freeBusy.workingHours !== undefined) out += encodeWorkingHours(freeBusy.workingHours);
  }
  yield `${out}</m:FreeBusyView></m:FreeBusyResponse>`;
}

const SUCCESS = '<m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage>';
const NO_VIEW = '<m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType></m:FreeBusyView>';

function viewType({ merged, events }: ViewForm, hasDetails: boolean): string {
  if (!events) return 'MergedOnly';
  return `${hasDetails ? 'Detailed' : 'FreeBusy'}${merged ? 'Merged' : ''}`;
}
