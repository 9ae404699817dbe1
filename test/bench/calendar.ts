import { Buffer } from 'node:buffer';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** One meeting of a made-up calendar; every sixth is tentative, every seventh out of office. */
export interface Meeting {
  readonly start: number;
  readonly end: number;
  readonly type: 'Busy' | 'Tentative' | 'OOF';
}

/** How full the calendars are. `ordinary`: two meetings a day, 14 in a week; `full`: eight a day, half an hour every hour from 8 on. */
export type Fullness = 'ordinary' | 'full';

/** The meetings of a mailbox that lie within the window; those of an ordinary calendar differ from one mailbox to the next. */
function meetingsOf(mailbox: number, start: number, end: number, fullness: Fullness): readonly Meeting[] {
  const meetings: Meeting[] = [];
  for (let day = Math.floor(start / DAY_MS) * DAY_MS; day < end; day += DAY_MS) {
    // Counted from the epoch: the same meetings, whatever window they are asked for in.
    const number = mailbox + (2 * day) / DAY_MS;
    const hours = fullness === 'full' ? FULL_DAY : [8 + (mailbox % 3), 13 + ((mailbox + day / DAY_MS) % 4)];
    for (const [index, hour] of hours.entries()) {
      const which = number + index;
      const meeting = { start: day + hour * HOUR_MS, end: day + hour * HOUR_MS + (fullness === 'ordinary' && mailbox % 2 === 0 ? HOUR_MS : HOUR_MS / 2) };
      if (meeting.start >= start && meeting.end <= end) meetings.push({ ...meeting, type: which % 7 === 6 ? 'OOF' : which % 6 === 5 ? 'Tentative' : 'Busy' });
    }
  }
  return meetings;
}

const FULL_DAY = [8, 9, 10, 11, 12, 13, 14, 15];
const DIGIT = { Busy: '2', Tentative: '1', OOF: '3' } as const;
const SLOT_MS = 900_000;

function mergedDigits(meetings: readonly Meeting[], start: number, end: number): string {
  const digits = Array.from({ length: Math.ceil((end - start) / SLOT_MS) }, () => '0');
  for (const meeting of meetings) {
    for (let slot = Math.floor((meeting.start - start) / SLOT_MS); slot * SLOT_MS + start < meeting.end; slot++) digits[slot] = DIGIT[meeting.type];
  }
  return digits.join('');
}

/** The digits that a right OWA answer has for one mailbox. */
export function expectedDigits(mailbox: number, start: number, end: number): string {
  return mergedDigits(meetingsOf(mailbox, start, end, 'ordinary'), start, end);
}

function naive(instant: number): string {
  return new Date(instant).toISOString().slice(0, 19);
}

/** What an EWS answer says about one mailbox, as plain data: the reference is JSON of exactly this. */
function responseData(mailbox: number, start: number, end: number, fullness: Fullness) {
  const meetings = meetingsOf(mailbox, start, end, fullness);
  const zoneSwitch = (bias: number, time: string, month: number) => ({ Bias: bias, Time: time, DayOrder: 5, Month: month, DayOfWeek: 'Sunday' });
  return {
    ResponseMessage: { ResponseClass: 'Success', ResponseCode: 'NoError' },
    FreeBusyView: {
      FreeBusyViewType: 'FreeBusyMerged',
      MergedFreeBusy: mergedDigits(meetings, start, end),
      CalendarEventArray: meetings.map((one) => ({ StartTime: naive(one.start), EndTime: naive(one.end), BusyType: one.type })),
      WorkingHours: {
        TimeZone: { Bias: -60, StandardTime: zoneSwitch(0, '03:00:00', 10), DaylightTime: zoneSwitch(-60, '02:00:00', 3) },
        WorkingPeriodArray: [{ DayOfWeek: 'Monday Tuesday Wednesday Thursday Friday', StartTimeInMinutes: 480, EndTimeInMinutes: 1020 }],
      },
    },
  };
}

/** The same facts as `ewsAnswer`, as JSON text. */
export function jsonOfSameData(mailboxes: number, start: number, end: number, fullness: Fullness = 'ordinary'): string {
  return JSON.stringify({ FreeBusyResponseArray: Array.from({ length: mailboxes }, (_, index) => responseData(index, start, end, fullness)) });
}

interface Data {
  readonly [name: string]: string | number | Data;
}

function elements(prefix: string, data: Data): string {
  return Object.entries(data)
    .map(([name, value]) => `<${prefix}:${name}>${typeof value === 'object' ? elements(prefix, value) : value}</${prefix}:${name}>`)
    .join('');
}

/**
 * A GetUserAvailability answer for FreeBusyMerged as Exchange 2010 writes it (exchange.md §3.2): naive times in the request's UTC,
 * digits, events without details, working hours. Written by hand here, not by the bridge's encoders.
 */
export function ewsAnswer(mailboxes: number, start: number, end: number, fullness: Fullness = 'ordinary'): Buffer {
  const responses = Array.from({ length: mailboxes }, (_, index) => {
    const { FreeBusyView: view } = responseData(index, start, end, fullness);
    const events = view.CalendarEventArray.map((one) => `<t:CalendarEvent>${elements('t', { ...one })}</t:CalendarEvent>`).join('');
    const periods = view.WorkingHours.WorkingPeriodArray.map((one) => `<t:WorkingPeriod>${elements('t', one)}</t:WorkingPeriod>`).join('');
    return (
      '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:FreeBusyView>' +
      `<t:FreeBusyViewType>${view.FreeBusyViewType}</t:FreeBusyViewType><t:MergedFreeBusy>${view.MergedFreeBusy}</t:MergedFreeBusy>` +
      `<t:CalendarEventArray>${events}</t:CalendarEventArray><t:WorkingHours><t:TimeZone>${elements('t', view.WorkingHours.TimeZone)}</t:TimeZone>` +
      `<t:WorkingPeriodArray>${periods}</t:WorkingPeriodArray></t:WorkingHours></m:FreeBusyView></m:FreeBusyResponse>`
    );
  });
  return Buffer.from(
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>' +
      '<t:ServerVersionInfo xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" MajorVersion="14" MinorVersion="3" MajorBuildNumber="123" MinorBuildNumber="4" Version="Exchange2010_SP2"/>' +
      '</s:Header><s:Body><m:GetUserAvailabilityResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">' +
      `<m:FreeBusyResponseArray>${responses.join('')}</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse></s:Body></s:Envelope>`,
  );
}
