import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Asked } from '../../freebusy/ask-mailboxes.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import { encodeFreeBusyDocument } from '../icalendar/write-free-busy.ts';
import { REQUEST_STATUS_OF } from './request-status.ts';
import type { ScheduleRequest } from './schedule-request.ts';
import type { AttendeeAnswer } from './schedule-response.ts';

/**
 * What each attendee's mailbox says, in the order of the question. A window of which nothing is known is no calendar (RFC 6638 has no word for it
 * but "service unavailable"), and so is one that no longer fits into the answer; an unknown stretch within one is in the calendar with X-FB-NODATA.
 *
 * @param asked one for each attendee
 */
export async function answersOf(request: ScheduleRequest, asked: readonly Asked[], stamp: Instant, workingElsewhereAs: WorkingElsewhereAs): Promise<readonly AttendeeAnswer[]> {
  const answers: AttendeeAnswer[] = [];
  let room = LIMITS.outboxStretches;
  for (const [index, recipient] of request.attendees.entries()) {
    const result = asked[index]!.result;
    if ('error' in result) answers.push({ recipient, status: REQUEST_STATUS_OF[result.error.code] });
    else if (isUnknown(result.freeBusy) || result.freeBusy.busy.length > room) answers.push({ recipient, status: REQUEST_STATUS_OF.NO_DATA });
    else {
      room -= result.freeBusy.busy.length;
      const document = { method: 'REPLY', freeBusy: result.freeBusy, uid: request.uid, organizer: request.organizer, attendee: recipient, stamp } as const;
      answers.push({ recipient, status: '2.0;Success', calendarData: await encodeFreeBusyDocument(document, workingElsewhereAs) });
    }
  }
  return answers;
}

/** Whether nothing is known of the whole window. */
export function isUnknown({ busy, window }: FreeBusy): boolean {
  const [only] = busy;
  return busy.length === 1 && only!.busyType === 'no-data' && only!.start <= window.start && only!.end >= window.end;
}
