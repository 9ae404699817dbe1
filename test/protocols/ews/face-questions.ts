import { request as httpRequest } from 'node:http';
import { child, childText, childrenNamed, descend } from '../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { ewsEndpoint } from '../../../src/protocols/ews/endpoint.ts';
import { ASKER_BASIC, faceUnderTest } from '../face-under-test.ts';
import type { FaceOptions, FaceUnderTest } from '../face-under-test.ts';

export const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
export const MESSAGES = 'http://schemas.microsoft.com/exchange/services/2006/messages';
export const TYPES = 'http://schemas.microsoft.com/exchange/services/2006/types';

export interface EwsFace extends FaceUnderTest {
  readonly post: (body: string | Buffer, headers?: Readonly<Record<string, string>>, path?: string) => Promise<EwsAnswer>;
}

export interface EwsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export async function ewsFace(options: FaceOptions = {}): Promise<EwsFace> {
  const face = await faceUnderTest(ewsEndpoint, options);
  return { ...face, post: (body, headers = {}, path = '/EWS/Exchange.asmx') => send(face.port, 'POST', path, { authorization: ASKER_BASIC, 'content-type': 'text/xml; charset=utf-8', ...headers }, body) };
}

export async function send(port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body?: string | Buffer): Promise<EwsAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }));
      response.once('error', reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}

export interface Question {
  /** RequestServerVersion; null: no such header. Default: Exchange2010. */
  readonly version?: string | null;
  /** What else the SOAP header holds. */
  readonly header?: string;
  /** `t:TimeZone` as a whole; default: UTC with Exchange's dummies; '' for none. */
  readonly zone?: string;
  readonly start?: string;
  readonly end?: string;
  readonly view?: string | null;
  readonly interval?: number | string | null;
  readonly suggestions?: boolean;
  readonly freeBusy?: boolean;
}

export const UTC_XML = zoneXml({ bias: 0, standard: [0, '02:00:00', 5, 10, 'Sunday'], daylight: [0, '02:00:00', 1, 3, 'Sunday'] });

type SwitchXml = readonly [bias: number, time: string, order: number, month: number, day: string];

export function zoneXml({ bias, standard, daylight }: { readonly bias: number; readonly standard: SwitchXml; readonly daylight: SwitchXml }): string {
  const half = (name: string, [own, time, order, month, day]: SwitchXml): string =>
    `<t:${name}><t:Bias>${own}</t:Bias><t:Time>${time}</t:Time><t:DayOrder>${order}</t:DayOrder><t:Month>${month}</t:Month><t:DayOfWeek>${day}</t:DayOfWeek></t:${name}>`;
  return `<t:TimeZone><t:Bias>${bias}</t:Bias>${half('StandardTime', standard)}${half('DaylightTime', daylight)}</t:TimeZone>`;
}

export function mailboxData(address: string): string {
  return `<t:MailboxData><t:Email><t:Address>${address.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`;
}

/** The request as exchange.md §3.2 spells it, written by hand. */
export function availabilityRequest(addresses: readonly string[], question: Question = {}): string {
  return availabilityRequestOf(addresses.map(mailboxData).join(''), question);
}

export function availabilityRequestOf(mailboxes: string, question: Question = {}): string {
  const { version = 'Exchange2010', header = '', zone = UTC_XML, start = '2026-03-10T09:00:00', end = '2026-03-10T12:00:00', view = 'DetailedMerged', interval = 30 } = question;
  const options =
    question.freeBusy === false
      ? ''
      : `<t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime></t:TimeWindow>` +
        `${interval === null ? '' : `<t:MergedFreeBusyIntervalInMinutes>${interval}</t:MergedFreeBusyIntervalInMinutes>`}${view === null ? '' : `<t:RequestedView>${view}</t:RequestedView>`}</t:FreeBusyViewOptions>`;
  const suggestions =
    question.suggestions === true
      ? `<t:SuggestionsViewOptions><t:GoodThreshold>49</t:GoodThreshold><t:DetailedSuggestionsWindow><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime></t:DetailedSuggestionsWindow></t:SuggestionsViewOptions>`
      : '';
  const asked = version === null ? '' : `<t:RequestServerVersion Version="${version}"/>`;
  return envelope(`<m:GetUserAvailabilityRequest>${zone}<m:MailboxDataArray>${mailboxes}</m:MailboxDataArray>${options}${suggestions}</m:GetUserAvailabilityRequest>`, asked + header);
}

export function envelope(body: string, header = ''): string {
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${SOAP}" xmlns:t="${TYPES}" xmlns:m="${MESSAGES}"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

export interface ReadEvent {
  readonly start: string;
  readonly end: string;
  readonly type: string;
  readonly details?: Readonly<Record<string, string>>;
}

export interface ReadResponse {
  readonly responseClass: string | undefined;
  readonly code: string | undefined;
  readonly text: string | undefined;
  readonly hasView: boolean;
  readonly view: string | undefined;
  readonly merged: string | undefined;
  readonly events: readonly ReadEvent[] | undefined;
  readonly workingHours: XmlElement | undefined;
}

/** The responses by position, read without our decoders. */
export async function readResponses(text: string): Promise<readonly ReadResponse[]> {
  const array = descend(await readXml(text), 'Body', 'GetUserAvailabilityResponse', 'FreeBusyResponseArray');
  if (array === undefined) throw new Error(`no free/busy: ${text.slice(0, 600)}`);
  return childrenNamed(array, 'FreeBusyResponse').map((one) => {
    const message = child(one, 'ResponseMessage');
    const view = child(one, 'FreeBusyView');
    const events = child(view, 'CalendarEventArray');
    return {
      responseClass: message?.attributes.find((attribute) => attribute.name === 'ResponseClass')?.value,
      code: childText(message, 'ResponseCode'),
      text: childText(message, 'MessageText'),
      hasView: view !== undefined,
      view: childText(view, 'FreeBusyViewType'),
      merged: childText(view, 'MergedFreeBusy'),
      events: events?.children.map(readEvent),
      workingHours: child(view, 'WorkingHours'),
    };
  });
}

function readEvent(event: XmlElement): ReadEvent {
  const details = child(event, 'CalendarEventDetails');
  return {
    start: childText(event, 'StartTime') ?? '',
    end: childText(event, 'EndTime') ?? '',
    type: childText(event, 'BusyType') ?? '',
    ...(details === undefined ? {} : { details: Object.fromEntries(details.children.map((one) => [one.name, one.text])) }),
  };
}

export interface ReadFault {
  readonly faultCode: string | undefined;
  readonly faultString: string | undefined;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly values: Readonly<Record<string, string>>;
}

/** The Fault in an answer; undefined where there is none. */
export async function readFault(text: string): Promise<ReadFault | undefined> {
  const fault = descend(await readXml(text), 'Body', 'Fault');
  if (fault === undefined) return undefined;
  const detail = child(fault, 'detail');
  const values = child(detail, 'MessageXml')?.children ?? [];
  return {
    faultCode: childText(fault, 'faultcode'),
    faultString: childText(fault, 'faultstring'),
    code: childText(detail, 'ResponseCode'),
    message: childText(detail, 'Message'),
    values: Object.fromEntries(values.map((one) => [one.attributes.find((attribute) => attribute.name === 'Name')?.value ?? one.name, one.text])),
  };
}
