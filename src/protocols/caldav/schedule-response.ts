import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { xml, xmlDocument } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { CALDAV_NS, DAV_NS } from './names.ts';
import type { RequestStatus } from './request-status.ts';

/** What is said of one attendee of a question. */
export interface AttendeeAnswer {
  /** As it was sent: clients match by it. */
  readonly recipient: string;
  readonly status: RequestStatus;
  /** A VCALENDAR; only with success. */
  readonly calendarData?: string | undefined;
}

/**
 * `C:schedule-response` (RFC 6638 §10.1), one answer for each attendee in the order of the question. Line ends of the calendars are written as references, so that
 * no reader changes them. Long answers are written with turns of the event loop between.
 */
export async function encodeScheduleResponse(answers: readonly AttendeeAnswer[]): Promise<string> {
  const pace = new Pace(LIMITS.caldavCharactersPerTurn);
  const responses: XmlText[] = [];
  for (const { recipient, status, calendarData } of answers) {
    const data = calendarData === undefined ? [] : [xml`<C:calendar-data>${calendarData}</C:calendar-data>`];
    responses.push(xml`<C:response><C:recipient><D:href>${recipient}</D:href></C:recipient><C:request-status>${status}</C:request-status>${data}</C:response>`);
    if (pace.spend(calendarData?.length ?? 1)) await pace.turn();
  }
  return xmlDocument(xml`<C:schedule-response xmlns:D="${DAV_NS}" xmlns:C="${CALDAV_NS}">${responses}</C:schedule-response>`);
}
