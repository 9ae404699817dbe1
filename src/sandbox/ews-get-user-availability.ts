import { createHash } from 'node:crypto';
import { DAY_MS, MINUTE_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import { child, childrenNamed, childText, descend } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { isCounted } from './calendar-store.ts';
import type { CalendarStore, Entry } from './calendar-store.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import { readBiasZone, toInstant, toLocalText } from './ews-time-zone.ts';
import type { BiasZone } from './ews-time-zone.ts';
import { shownOfMessage } from './message-folder.ts';
import type { MessageFolder } from './message-folder.ts';
import { DIGIT, ENTRY_STATUS, statusRow } from './status-row.ts';
import type { Stretch } from './status-row.ts';

const SOURCE = 'exchange.md §3.2';
const MAILBOXES = 100;
const WINDOW_DAYS = 42;
const VIEWS = ['MergedOnly', 'FreeBusy', 'FreeBusyMerged', 'Detailed', 'DetailedMerged'] as const;
type View = (typeof VIEWS)[number];

export interface AvailabilityOptions {
  readonly calendars: CalendarStore;
  /** Some servers send a FreeBusyView of type None with an error, some none at all; both are Exchange (exchange.md §3.2). */
  readonly viewWithErrors: boolean;
  readonly contacts: (address: string) => string | undefined;
  readonly folder: MessageFolder;
}

/** Answers by position, as Exchange does. @throws EwsFault where the whole request fails. */
export function answerGetUserAvailability(request: XmlElement, options: AvailabilityOptions): EwsAnswer {
  const zone = readZone(request);
  const addresses = readAddresses(request);
  const question = readViewOptions(child(request, 'FreeBusyViewOptions'), zone);
  const responses = addresses.map((address) => freeBusyResponse(address, question, zone, options));
  return {
    body: el('m:GetUserAvailabilityResponse', { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:FreeBusyResponseArray', {}, responses)),
    source: SOURCE,
    mailboxes: addresses.length,
  };
}

interface Question {
  readonly start: Instant;
  readonly end: Instant;
  readonly intervalMs: number;
  readonly view: View;
}

function readZone(request: XmlElement): BiasZone {
  const element = child(request, 'TimeZone');
  if (element === undefined) throw new EwsFault('ErrorTimeZone', 'There is no valid time zone in the request.');
  const zone = readBiasZone(element);
  if (zone === undefined) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: TimeZone.');
  return zone;
}

function readAddresses(request: XmlElement): readonly string[] {
  const mailboxes = childrenNamed(child(request, 'MailboxDataArray'), 'MailboxData');
  if (mailboxes.length === 0) throw new EwsFault('ErrorMailboxDataArrayEmpty', 'There are no mailboxes in the request.');
  if (mailboxes.length > MAILBOXES) throw new EwsFault('ErrorMailboxDataArrayTooBig', `There are too many mailboxes in the request. The maximum is ${MAILBOXES}.`);
  return mailboxes.map((one) => {
    const address = descend(one, 'Email', 'Address');
    if (address === undefined || child(one, 'AttendeeType') === undefined) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: MailboxData.');
    return address.text.trim();
  });
}

function readViewOptions(options: XmlElement | undefined, zone: BiasZone): Question {
  const view = VIEWS.find((one) => one === (childText(options, 'RequestedView') ?? 'FreeBusy'));
  if (options === undefined || view === undefined) throw new EwsFault('ErrorInvalidFreeBusyViewType', 'The free/busy view type is not valid.');
  const start = readTime(childText(child(options, 'TimeWindow'), 'StartTime'), zone);
  const end = readTime(childText(child(options, 'TimeWindow'), 'EndTime'), zone);
  if (end <= start) throw new EwsFault('ErrorInvalidTimeInterval', 'The end of the time window is not after its start.');
  if (end - start > WINDOW_DAYS * DAY_MS) throw new EwsFault('ErrorTimeIntervalTooBig', `The requested time duration is too long. The allowed limit is ${WINDOW_DAYS} days.`);
  const minutes = Number(childText(options, 'MergedFreeBusyIntervalInMinutes') ?? '30');
  if (!(minutes >= 5 && minutes <= 1440 && minutes * MINUTE_MS <= end - start)) throw new EwsFault('ErrorInvalidMergedFreeBusyInterval', 'The merged free/busy interval is not valid.');
  return { start, end, intervalMs: minutes * MINUTE_MS, view };
}

/** Naive times are local in the request's zone; `Z` and offsets (Zimbra sends Z) mean what they say. */
function readTime(text: string | undefined, zone: BiasZone): Instant {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text ?? '');
  const local = Date.parse(`${parts?.[1] ?? ''}Z`);
  if (parts === null || Number.isNaN(local)) throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation: TimeWindow.');
  return parts[2] === undefined ? toInstant(zone, local) : Date.parse(parts[0]);
}

function freeBusyResponse(address: string, question: Question, zone: BiasZone, options: AvailabilityOptions): XmlNode {
  const isHere = options.calendars.find(address) !== undefined;
  const contact = isHere ? undefined : options.contacts(address);
  if (contact !== undefined) {
    // Somebody whose mailbox is elsewhere: what was written into the public folder, which has digits only (exchange.md §1.1).
    const shown = shownOfMessage(options.folder.ofPerson(contact)?.published, question.start, question.end);
    return success(el('t:FreeBusyViewType', {}, 'MergedOnly'), el('t:MergedFreeBusy', {}, mergedFreeBusy(shown, question)));
  }
  if (!isHere) {
    return el(
      'm:FreeBusyResponse',
      {},
      el(
        'm:ResponseMessage',
        { ResponseClass: 'Error' },
        el('m:MessageText', {}, `Unable to resolve e-mail address ${address} to an Active Directory object.`),
        el('m:ResponseCode', {}, 'ErrorMailRecipientNotFound'),
        el('m:DescriptiveLinkKey', {}, 0),
      ),
      options.viewWithErrors && el('m:FreeBusyView', {}, el('t:FreeBusyViewType', {}, 'None')),
    );
  }
  const { view } = question;
  const entries = options.calendars.touching(address, question.start, question.end).filter(isCounted);
  const isDetailed = view.startsWith('Detailed');
  return success(
    el('t:FreeBusyViewType', {}, view),
    view.includes('Merged') && el('t:MergedFreeBusy', {}, mergedFreeBusy(entries.map((entry) => ({ ...entry, status: ENTRY_STATUS[entry.type] })), question)),
    view !== 'MergedOnly' && entries.length > 0 && el('t:CalendarEventArray', {}, entries.map((entry) => calendarEvent(entry, zone, isDetailed))),
    view !== 'MergedOnly' && WORKING_HOURS,
  );
}

function success(...view: readonly (XmlNode | false)[]): XmlNode {
  return el('m:FreeBusyResponse', {}, el('m:ResponseMessage', { ResponseClass: 'Success' }, el('m:ResponseCode', {}, 'NoError')), el('m:FreeBusyView', {}, view));
}

function mergedFreeBusy(stretches: readonly Stretch[], question: Question): string {
  return statusRow(stretches, question.start, question.end, question.intervalMs).map((status) => DIGIT[status]).join('');
}

/** Exchange 2010 knows no WorkingElsewhere (2013 and later do): to its callers such time is free. */
const BUSY_TYPE = { free: 'Free', tentative: 'Tentative', busy: 'Busy', oof: 'OOF', 'working-elsewhere': 'Free' } as const;

function calendarEvent(entry: Entry, zone: BiasZone, isDetailed: boolean): XmlNode {
  return el(
    't:CalendarEvent',
    {},
    el('t:StartTime', {}, toLocalText(zone, entry.start)),
    el('t:EndTime', {}, toLocalText(zone, entry.end)),
    el('t:BusyType', {}, BUSY_TYPE[entry.type]),
    isDetailed &&
      el(
        't:CalendarEventDetails',
        {},
        el('t:ID', {}, createHash('sha256').update(entry.id).digest('hex').toUpperCase()),
        // A private event comes without subject and location.
        !entry.private && el('t:Subject', {}, entry.subject),
        !entry.private && el('t:Location', {}, entry.location),
        ...(['IsMeeting', 'IsRecurring', 'IsException'] as const).map((name) => el(`t:${name}`, {}, 'false')),
        el('t:IsReminderSet', {}, 'true'),
        el('t:IsPrivate', {}, String(entry.private)),
      ),
  );
}

/** Monday to Friday, 8 to 17 o'clock in Berlin: the example of the sheet. */
const WORKING_HOURS = el(
  't:WorkingHours',
  {},
  el(
    't:TimeZone',
    {},
    el('t:Bias', {}, -60),
    el('t:StandardTime', {}, el('t:Bias', {}, 0), el('t:Time', {}, '03:00:00'), el('t:DayOrder', {}, 5), el('t:Month', {}, 10), el('t:DayOfWeek', {}, 'Sunday')),
    el('t:DaylightTime', {}, el('t:Bias', {}, -60), el('t:Time', {}, '02:00:00'), el('t:DayOrder', {}, 5), el('t:Month', {}, 3), el('t:DayOfWeek', {}, 'Sunday')),
  ),
  el(
    't:WorkingPeriodArray',
    {},
    el(
      't:WorkingPeriod',
      {},
      el('t:DayOfWeek', {}, 'Monday Tuesday Wednesday Thursday Friday'),
      el('t:StartTimeInMinutes', {}, 480),
      el('t:EndTimeInMinutes', {}, 1020),
    ),
  ),
);
