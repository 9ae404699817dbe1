import type { IncomingHttpHeaders } from 'node:http';
import { DAY_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { percentDecode } from '../../platform/http-server/raw-query.ts';
import type { FreeBusyRequest } from '../icalendar/free-busy-request.ts';
import { brokenPrecondition } from './precondition.ts';

/** A question as the outbox answers it. */
export interface ScheduleRequest extends FreeBusyRequest {
  readonly organizer: string;
}

/**
 * Completes the message by the headers of the drafts before RFC 6638, which Thunderbird still sends and old iCals relied on: `Originator` where there is no
 * ORGANIZER, `Recipient` where there is no ATTENDEE. Any organizer is taken (RFC 6638 wants the outbox's owner): nothing is sent to anybody.
 *
 * @param own the caller's calendar user address, where nobody says who organizes
 * @throws BridgeError with a precondition where nobody is asked about, too many are, UID or organizer are no such thing by their length, or the window is longer than `LIMITS.ifbDays`
 */
export function completeScheduleRequest(message: FreeBusyRequest, headers: IncomingHttpHeaders, own: string): ScheduleRequest {
  const attendees = message.attendees.length > 0 ? message.attendees : listIn(headers['recipient']);
  if (attendees.length === 0) throw brokenPrecondition('valid-scheduling-message', 'nobody is asked about');
  if (attendees.length > LIMITS.outboxAttendees) {
    throw brokenPrecondition('max-attendees-per-instance', `more than ${LIMITS.outboxAttendees} attendees in one question`, 'TOO_MANY_MAILBOXES');
  }
  const { window } = message;
  if (window.end - window.start > LIMITS.ifbDays * DAY_MS) {
    throw brokenPrecondition('valid-scheduling-message', `the window is longer than ${LIMITS.ifbDays} days`, 'WINDOW_TOO_LARGE');
  }
  const organizer = message.organizer ?? listIn(headers['originator'])[0] ?? own;
  if (Math.max(message.uid.length, organizer.length) > LIMITS.outboxRepeatedCharacters) {
    throw brokenPrecondition('valid-scheduling-message', `UID or organizer of more than ${LIMITS.outboxRepeatedCharacters} characters`);
  }
  return { ...message, attendees, organizer };
}

/** What of a calendar user address names a mailbox: `mailto:` URIs may be percent-encoded (RFC 6068); a `urn:uuid:` or a path names none here and stays as it is. */
export function mailboxTextOf(attendee: string): string {
  return percentDecode(attendee);
}

/** A header's comma-separated values; Node joins repeated ones like that. */
function listIn(header: string | string[] | undefined): readonly string[] {
  return (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map((one) => one.trim()).filter((one) => one !== '');
}
