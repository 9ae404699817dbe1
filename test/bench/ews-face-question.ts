import { addressOf } from './questions.ts';

/** The one client of the face. */
export const AUTHORIZATION_OF_FACE = `Basic ${Buffer.from('bench:bench').toString('base64')}`;

/** A GetUserAvailability as Exchange 2013 and later send it for another organisation, in Berlin's zone; about 3 KB for eight mailboxes. */
export function faceQuestion(mailboxes: number, start: number, end: number, view: string): string {
  const naive = (instant: number): string => new Date(instant).toISOString().slice(0, 19);
  const half = (name: string, bias: number, time: string, month: number): string =>
    `<t:${name}><t:Bias>${bias}</t:Bias><t:Time>${time}</t:Time><t:DayOrder>5</t:DayOrder><t:Month>${month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:${name}>`;
  const asked = Array.from(
    { length: mailboxes },
    (_, index) => `<t:MailboxData><t:Email><t:Name>Person ${index}</t:Name><t:Address>${addressOf(index)}</t:Address><t:RoutingType>SMTP</t:RoutingType></t:Email><t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData>`,
  );
  return (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">' +
    '<soap:Header><t:RequestServerVersion Version="Exchange2013"/><t:RequestTypeHeader><t:RequestType>CrossForest</t:RequestType></t:RequestTypeHeader></soap:Header><soap:Body><m:GetUserAvailabilityRequest>' +
    `<t:TimeZone><t:Bias>-60</t:Bias>${half('StandardTime', 0, '03:00:00', 10)}${half('DaylightTime', -60, '02:00:00', 3)}</t:TimeZone><m:MailboxDataArray>${asked.join('')}</m:MailboxDataArray>` +
    `<t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${naive(start)}</t:StartTime><t:EndTime>${naive(end)}</t:EndTime></t:TimeWindow>` +
    `<t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>${view}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></soap:Body></soap:Envelope>`
  );
}
