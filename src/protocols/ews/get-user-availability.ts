import { MINUTE_MS } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { FreeBusy } from '../../freebusy/free-busy.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';
import { child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { xml, xmlFragment } from '../../platform/xml/write.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { localFromUtc, UTC_ZONE } from '../../timezones/bias-rules.ts';
import { decodeFreeBusyView } from './free-busy-view.ts';
import { MESSAGES_NS, TYPES_NS } from './names.ts';
import { decodeResponseMessageError } from './response-message.ts';
import { encodeTimeZone } from './time-zone.ts';

/** One GetUserAvailability request. At most LIMITS.ewsMailboxesPerRequest mailboxes and LIMITS.upstreamWindowDays days. */
export interface AvailabilityQuestion {
  readonly mailboxes: readonly MailboxAddress[];
  readonly window: Interval;
  /** Subjects and places are wanted. */
  readonly details: boolean;
  /** Of one merged digit, for a server that refused ours; absent: `mergedInterval`. */
  readonly intervalMinutes?: number | undefined;
}

/** What came of one mailbox; `seen` tells what the server sent, for `--explain`: times and types, never a subject. */
export type AvailabilityResult =
  | { readonly mailbox: MailboxAddress; readonly freeBusy: FreeBusy; readonly seen: () => string }
  | { readonly mailbox: MailboxAddress; readonly error: BridgeError };

/**
 * Minutes of one merged digit: 15, and for a window shorter than that 5, the least that Exchange takes. The digits only
 * count where a server gives no events.
 */
export function mergedInterval({ window, intervalMinutes }: Pick<AvailabilityQuestion, 'window' | 'intervalMinutes'>): number {
  if (intervalMinutes !== undefined) return intervalMinutes;
  return window.end - window.start < 15 * MINUTE_MS ? 5 : 15;
}

/** The view that is asked for; a server may answer with a lower one. */
export function requestedView(question: AvailabilityQuestion): 'FreeBusyMerged' | 'DetailedMerged' {
  return question.details ? 'DetailedMerged' : 'FreeBusyMerged';
}

/** What is really asked: the window moved outward to whole digits, because Exchange counts them from its start. */
export function askedWindow(question: Pick<AvailabilityQuestion, 'window' | 'intervalMinutes'>): Interval {
  return alignOutward(question.window, mergedInterval(question) * MINUTE_MS);
}

/**
 * The body of the request. Times are naive and in UTC, with UTC spelled as a zone: 2007 insists on a TimeZone, and a zone
 * with real rules is wrong for windows over a change of the rules (exchange.md §6.1).
 */
export function encodeGetUserAvailabilityRequest(question: AvailabilityQuestion): XmlText {
  const asked = askedWindow(question);
  const mailboxData = question.mailboxes.map(
    (mailbox) =>
      xml`<t:MailboxData><t:Email><t:Address>${mailbox}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`,
  );
  // No offset: the zone stands beside it, and some servers read an offset anew (exchange.md §7, 13).
  const naive = (instant: number): string => new Date(localFromUtc(UTC_ZONE, instant)).toISOString().slice(0, 19);
  const timeWindow = xml`<t:TimeWindow><t:StartTime>${naive(asked.start)}</t:StartTime><t:EndTime>${naive(asked.end)}</t:EndTime></t:TimeWindow>`;
  const interval = xml`<t:MergedFreeBusyIntervalInMinutes>${mergedInterval(question)}</t:MergedFreeBusyIntervalInMinutes>`;
  const options = xml`<t:FreeBusyViewOptions>${timeWindow}${interval}<t:RequestedView>${requestedView(question)}</t:RequestedView></t:FreeBusyViewOptions>`;
  return xml`<m:GetUserAvailabilityRequest xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}">${UTC}<m:MailboxDataArray>${mailboxData}</m:MailboxDataArray>${options}</m:GetUserAvailabilityRequest>`;
}

const UTC = xmlFragment(encodeTimeZone('t:TimeZone', UTC_ZONE));

/**
 * Reads the answer to `question` out of the envelope's Body: one result a mailbox, in the question's order.
 *
 * Answers carry no address, they belong to the mailboxes by position alone. So an array of another length, or one with
 * something else in it, says nothing about anybody. Long answers are read with turns of the event loop in between.
 *
 * @throws BridgeError BACKEND_MALFORMED
 */
export async function decodeGetUserAvailabilityResponse(body: XmlElement, question: AvailabilityQuestion): Promise<readonly AvailabilityResult[]> {
  const array = child(child(body, 'GetUserAvailabilityResponse'), 'FreeBusyResponseArray');
  if (array === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no free/busy');
  const responses = array.children;
  const asked = question.mailboxes.length;
  if (responses.length !== asked || responses.some((one) => one.name !== 'FreeBusyResponse')) {
    throw new BridgeError('BACKEND_MALFORMED', 'the answer holds another number of mailboxes than were asked for', {
      details: { asked, answered: responses.length },
    });
  }
  const pace = new Pace(LIMITS.stretchesPerTurn);
  const results: AvailabilityResult[] = [];
  for (const [index, mailbox] of question.mailboxes.entries()) {
    const result = decodeFreeBusyResponse(responses[index]!, mailbox, question);
    results.push(result);
    if (pace.spend('freeBusy' in result ? 10 + (result.freeBusy.events?.length ?? 0) : 1)) await pace.turn();
  }
  return results;
}

function decodeFreeBusyResponse(response: XmlElement, mailbox: MailboxAddress, question: AvailabilityQuestion): AvailabilityResult {
  // A code other than NoError counts, whatever view comes with it.
  const error = decodeResponseMessageError(child(response, 'ResponseMessage'));
  if (error !== undefined) return { mailbox, error };
  const decoded = decodeFreeBusyView(child(response, 'FreeBusyView'), mailbox, {
    window: question.window,
    asked: askedWindow(question),
    slotMinutes: mergedInterval(question),
    details: question.details,
  });
  return { mailbox, ...decoded };
}
