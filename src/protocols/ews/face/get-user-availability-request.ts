import { MINUTE_MS } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Interval } from '../../../freebusy/interval.ts';
import { child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { integer } from '../time-zone.ts';
import { askedZone } from './asked-zone.ts';
import { EwsFault, schemaFault } from './faults.ts';
import { checkSequence } from './schema-sequence.ts';
import type { Particle } from './schema-sequence.ts';
import type { SchemaVersion } from './schema-version.ts';
import { decodeSentWindow, windowOf } from './time-window.ts';
import type { ZoneClock, ZoneClocks } from './zone-clock.ts';

/** What each FreeBusyView is to hold. */
export interface AskedView {
  readonly window: Interval;
  readonly slotMinutes: number;
  readonly merged: boolean;
  readonly events: boolean;
  readonly details: boolean;
  /** In whose local time the answer speaks. */
  readonly clock: ZoneClock;
}

export interface AvailabilityRequest {
  /** As the client spelled them, in order; empty where a MailboxData names nobody. */
  readonly addresses: readonly string[];
  /** Absent where only suggestions are wanted. */
  readonly view: AskedView | undefined;
  readonly suggestions: boolean;
}

const t = (name: string, occurs?: Particle['occurs'], inside?: readonly Particle[]): Particle => ({ ns: TYPES_NS, name, ...(occurs === undefined ? {} : { occurs }), ...(inside === undefined ? {} : { inside }) });

const SWITCH = [t('Bias'), t('Time'), t('DayOrder'), t('Month'), t('DayOfWeek'), t('Year', 'optional')];
const DURATION = [t('StartTime'), t('EndTime')];
// An Address may be missing, which the schema forbids: that is one mailbox's trouble and not the others'.
const EMAIL = [t('Name', 'optional'), t('Address', 'optional'), t('RoutingType', 'optional')];
const SUGGESTIONS = [
  t('GoodThreshold', 'optional'),
  t('MaximumResultsByDay', 'optional'),
  t('MaximumNonWorkHourResultsByDay', 'optional'),
  t('MeetingDurationInMinutes', 'optional'),
  t('MinimumSuggestionQuality', 'optional'),
  t('DetailedSuggestionsWindow', undefined, DURATION),
  t('CurrentMeetingTime', 'optional'),
  t('GlobalObjectId', 'optional'),
];
/** GetUserAvailabilityRequestType (Messages.xsd). */
const REQUEST: readonly Particle[] = [
  t('TimeZone', 'optional', [t('Bias'), t('StandardTime', undefined, SWITCH), t('DaylightTime', undefined, SWITCH)]),
  { ns: MESSAGES_NS, name: 'MailboxDataArray', inside: [t('MailboxData', 'any', [t('Email', undefined, EMAIL), t('AttendeeType'), t('ExcludeConflicts', 'optional')])] },
  t('FreeBusyViewOptions', 'optional', [t('TimeWindow', undefined, DURATION), t('MergedFreeBusyIntervalInMinutes', 'optional'), t('RequestedView', 'optional')]),
  t('SuggestionsViewOptions', 'optional', SUGGESTIONS),
];

const ATTENDEE_TYPES: ReadonlySet<string> = new Set(['Organizer', 'Required', 'Optional', 'Room', 'Resource']);
const VIEWS: ReadonlySet<string> = new Set(['None', 'MergedOnly', 'FreeBusy', 'FreeBusyMerged', 'Detailed', 'DetailedMerged']);

/**
 * Reads a GetUserAvailabilityRequest: first its form, then its bounds, as Exchange does. What is wrong with the question refuses it whole (a Fault:
 * measured for ErrorInvalidTimeInterval, ews-javascript-api #235); what is wrong with one address is answered in its place.
 *
 * @throws EwsFault ErrorSchemaValidation, ErrorTimeZone, ErrorMailboxDataArrayEmpty, ErrorMailboxDataArrayTooBig, ErrorInvalidFreeBusyViewType,
 * ErrorInvalidTimeInterval, ErrorTimeIntervalTooBig, ErrorInvalidMergedFreeBusyInterval
 */
export function decodeGetUserAvailabilityRequest(request: XmlElement, version: SchemaVersion, header: XmlElement | undefined, clocks: ZoneClocks): AvailabilityRequest {
  const mailboxes = child(request, 'MailboxDataArray')?.children ?? [];
  // Before ten thousand of them are looked at.
  if (mailboxes.length > LIMITS.ewsMailboxesPerRequest) throw new EwsFault('ErrorMailboxDataArrayTooBig', `There are too many mailboxes in the request. The allowed size = ${LIMITS.ewsMailboxesPerRequest}; the actual size = ${mailboxes.length}.`);
  checkSequence(request, REQUEST);
  const addresses = mailboxes.map(addressOf);
  if (addresses.length === 0) throw new EwsFault('ErrorMailboxDataArrayEmpty', 'There are no mailboxes in the request.');
  const options = child(request, 'FreeBusyViewOptions');
  const suggestions = child(request, 'SuggestionsViewOptions') !== undefined;
  if (options === undefined && !suggestions) throw invalidView();
  const timeZone = child(request, 'TimeZone');
  return { addresses, suggestions, view: options === undefined ? undefined : decodeView(options, { timeZone, header, version }, clocks) };
}

function addressOf(mailboxData: XmlElement): string {
  const attendeeType = childText(mailboxData, 'AttendeeType');
  if (attendeeType !== undefined && !ATTENDEE_TYPES.has(attendeeType)) throw invalidValue('AttendeeType', attendeeType);
  return childText(child(mailboxData, 'Email'), 'Address') ?? '';
}

interface SpokenIn {
  readonly timeZone: XmlElement | undefined;
  readonly header: XmlElement | undefined;
  readonly version: SchemaVersion;
}

function decodeView(options: XmlElement, spokenIn: SpokenIn, clocks: ZoneClocks): AskedView {
  const sent = decodeSentWindow(child(options, 'TimeWindow')!);
  const minutesText = childText(options, 'MergedFreeBusyIntervalInMinutes');
  const kinds = viewKinds(childText(options, 'RequestedView'), minutesText !== undefined);
  const clock = askedZone({ ...spokenIn, isNaive: sent.start.isNaive || sent.end.isNaive }, clocks);
  const window = windowOf(sent, clock);
  const slotMinutes = minutesText === undefined ? LIMITS.ewsIntervalMinutes.default : decodeInterval(minutesText, window);
  return { window, slotMinutes, clock, ...kinds };
}

/** The list may name several views; the answer then holds what any of them has. Without a list: FreeBusy, and digits where their length is given. */
function viewKinds(text: string | undefined, hasInterval: boolean): Pick<AskedView, 'merged' | 'events' | 'details'> {
  if (text === undefined) return { merged: hasInterval, events: true, details: false };
  const words = text.split(/\s+/).filter((one) => one !== '');
  const stranger = words.find((one) => !VIEWS.has(one));
  if (stranger !== undefined) throw invalidValue('RequestedView', stranger);
  const asked = words.filter((one) => one !== 'None');
  if (asked.length === 0) throw invalidView();
  return {
    merged: asked.some((one) => one.startsWith('Merged') || one.endsWith('Merged')),
    events: asked.some((one) => one !== 'MergedOnly'),
    details: asked.some((one) => one.startsWith('Detailed')),
  };
}

function decodeInterval(text: string, window: Interval): number {
  const minutes = integer(text, -MOST_INTEGER, MOST_INTEGER);
  if (minutes === undefined) throw invalidValue('MergedFreeBusyIntervalInMinutes', text);
  const { min, max } = LIMITS.ewsIntervalMinutes;
  if (minutes < min || minutes > max || minutes * MINUTE_MS > window.end - window.start) {
    throw new EwsFault('ErrorInvalidMergedFreeBusyInterval', `The merged free/busy interval is invalid: from ${min} to ${max} minutes, and no longer than the time window.`);
  }
  return minutes;
}

const MOST_INTEGER = 999_999_999;

function invalidView(): EwsFault {
  return new EwsFault('ErrorInvalidFreeBusyViewType', 'The requested free/busy view is invalid, or neither a view nor suggestions are requested.');
}

function invalidValue(name: string, value: string): EwsFault {
  return schemaFault(`The '${name}' element is invalid - The value '${value.slice(0, 40)}' is invalid according to its datatype.`);
}
