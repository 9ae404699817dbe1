import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import { FBTYPE_OF } from './busy-type.ts';
import { encodeUtcDateTime } from './date-time.ts';
import { foldLine } from './fold.ts';
import { NO_DATA_PARAMETER, PRODUCT } from './names.ts';
import { encodeCalendarAddress, encodeText, encodeUri } from './write-value.ts';
import { writtenStretches } from './written-stretches.ts';
import type { WrittenStretch } from './written-stretches.ts';

/** One VFREEBUSY to be written: published under a URL, or the reply to a scheduling request (RFC 5546 §3.3.1, §3.3.3). */
export interface FreeBusyDocument {
  readonly method: 'PUBLISH' | 'REPLY';
  /** Its window becomes DTSTART and DTEND. */
  readonly freeBusy: FreeBusy;
  /** PUBLISH: the mailbox as it was asked for. REPLY: the value of the request's ORGANIZER, without name and parameters. A plain address gets `mailto:`. */
  readonly organizer?: string | undefined;
  /** REPLY: the value of the ATTENDEE that this is about, in the spelling of the request, by which clients match. */
  readonly attendee?: string | undefined;
  /** As text: a UID that was read from a request is unescaped before it comes here. */
  readonly uid?: string | undefined;
  readonly stamp: Instant;
  readonly url?: string | undefined;
}

/**
 * Writes a VCALENDAR with one VFREEBUSY (RFC 5545 §3.6.4) in the form of Zimbra's (zimbra.md §3.2): one period a line, start/end in UTC, FBTYPE always there, because
 * Zimbra's reader takes a line without one for free. Free time is what no line covers; unknown time is a tentative line with X-FB-NODATA=TRUE (configuration.md).
 * Lines end with CRLF and are folded. Long answers are written with turns of the event loop between.
 */
export async function encodeFreeBusyDocument(document: FreeBusyDocument, workingElsewhereAs: WorkingElsewhereAs): Promise<string> {
  const { method, organizer, attendee, uid, stamp, url } = document;
  const { window, stretches } = await writtenStretches(document.freeBusy, workingElsewhereAs);
  const head = [
    'BEGIN:VCALENDAR',
    `PRODID:${PRODUCT}`,
    'VERSION:2.0',
    `METHOD:${method}`,
    'BEGIN:VFREEBUSY',
    ...(uid === undefined ? [] : [`UID:${encodeText(uid)}`]),
    ...(organizer === undefined ? [] : [`ORGANIZER:${encodeCalendarAddress(organizer)}`]),
    ...(attendee === undefined ? [] : [`ATTENDEE:${encodeCalendarAddress(attendee)}`]),
    `DTSTAMP:${encodeUtcDateTime(stamp)}`,
    `DTSTART:${encodeUtcDateTime(window.start)}`,
    `DTEND:${encodeUtcDateTime(window.end)}`,
    ...(url === undefined ? [] : [`URL:${encodeUri(url)}`]),
  ];
  const pieces = head.map(foldLine);
  const pace = new Pace(LIMITS.stretchesPerTurn);
  for (const stretch of stretches) {
    pieces.push(foldLine(freeBusyLine(stretch)));
    // Writing a stretch costs about four times what looking at one does.
    if (pace.spend(4)) await pace.turn();
  }
  pieces.push('END:VFREEBUSY\r\n', 'END:VCALENDAR\r\n');
  return pieces.join('');
}

function freeBusyLine({ start, end, busyType }: WrittenStretch): string {
  const noData = busyType === 'no-data' ? `;${NO_DATA_PARAMETER}=TRUE` : '';
  return `FREEBUSY;FBTYPE=${FBTYPE_OF[busyType]}${noData}:${encodeUtcDateTime(start)}/${encodeUtcDateTime(end)}`;
}
