import type { Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import { encodeUtcDateTime } from './date-time.ts';
import { foldLine } from './fold.ts';
import { NO_DATA_PARAMETER, PRODUCT } from './names.ts';
import { encodeText } from './write-value.ts';
import { writtenStretches } from './written-stretches.ts';
import type { WrittenBusyType } from './written-stretches.ts';

/** Free/busy as events, for programs that read no VFREEBUSY. */
export interface BusyEventsDocument {
  readonly freeBusy: FreeBusy;
  /** The events' UIDs begin with it. */
  readonly uid: string;
  readonly stamp: Instant;
}

/** X-MICROSOFT-CDO-INTENDEDSTATUS; of what is unknown, the least that is not free. */
const INTENDED_STATUS: Readonly<Record<WrittenBusyType, string>> = { 'no-data': 'TENTATIVE', tentative: 'TENTATIVE', busy: 'BUSY', oof: 'OOF' };

/**
 * Writes a VCALENDAR with one VEVENT a stretch that is not free: Zimbra's `fbfmt=event` (zimbra.md §3.2). The events say nothing but their time and type. Unknown time is a tentative event with
 * X-FB-NODATA:TRUE. A calendar that is all free has no event. Long answers are written with turns of the event loop between.
 */
export async function encodeBusyEvents({ freeBusy, uid, stamp }: BusyEventsDocument, workingElsewhereAs: WorkingElsewhereAs): Promise<string> {
  const { stretches } = await writtenStretches(freeBusy, workingElsewhereAs);
  const pieces = ['BEGIN:VCALENDAR\r\n', `PRODID:${PRODUCT}\r\n`, 'VERSION:2.0\r\n', 'METHOD:PUBLISH\r\n'];
  const dtStamp = `DTSTAMP:${encodeUtcDateTime(stamp)}\r\n`;
  const pace = new Pace(LIMITS.stretchesPerTurn);
  for (const [index, { start, end, busyType }] of stretches.entries()) {
    const status = busyType === 'busy' || busyType === 'oof' ? 'CONFIRMED' : 'TENTATIVE';
    pieces.push(
      'BEGIN:VEVENT\r\n',
      foldLine(`UID:${encodeText(uid)}_${index}`),
      dtStamp,
      `DTSTART:${encodeUtcDateTime(start)}\r\nDTEND:${encodeUtcDateTime(end)}\r\nSEQUENCE:0\r\nSTATUS:${status}\r\n`,
      `X-MICROSOFT-CDO-INTENDEDSTATUS:${INTENDED_STATUS[busyType]}\r\n`,
      busyType === 'no-data' ? `${NO_DATA_PARAMETER}:TRUE\r\n` : '',
      'END:VEVENT\r\n',
    );
    if (pace.spend(4)) await pace.turn();
  }
  pieces.push('END:VCALENDAR\r\n');
  return pieces.join('');
}
