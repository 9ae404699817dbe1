import { describe, expect, it, onTestFinished } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { caldavEndpoint } from '../../src/protocols/caldav/endpoint.ts';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import { ifbEndpoint } from '../../src/protocols/ifb/endpoint.ts';
import { owaWebdavEndpoint } from '../../src/protocols/owa-webdav/endpoint.ts';
import { zimbraSoapEndpoint } from '../../src/protocols/zimbra-soap/endpoint.ts';
import { NO_DIRECTORY } from '../../src/directory/no-directory.ts';
import { ask } from '../platform/http-server/serving.ts';
import type { Answer } from '../platform/http-server/serving.ts';
import { ASKER_BASIC, faceUnderTest } from './face-under-test.ts';

const START = Date.UTC(2026, 2, 2, 8);
const END = Date.UTC(2026, 2, 2, 10);
const [ANNA, BUSY] = ['anna@corp.example', 'bernd@corp.example'];

/** Anna is busy for the first hour; Bernd's system has no turn for us, or does not answer in time. */
async function asked(make: Parameters<typeof faceUnderTest>[0], code: 'BACKEND_BUSY' | 'DEADLINE', target: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const error = new BridgeError(code, 'x', { temporary: true, ...(code === 'BACKEND_BUSY' ? { retryAfterMs: 7_000 } : {}) });
  const face = await faceUnderTest(make, { directory: NO_DIRECTORY, calendars: { [ANNA]: { busy: [{ start: START, end: START + 3_600_000, busyType: 'busy' }] }, [BUSY]: error } });
  onTestFinished(() => face.close());
  return ask(face.url, target, { method: body === undefined ? 'GET' : 'POST', headers: { authorization: ASKER_BASIC, ...headers }, ...(body === undefined ? {} : { body }) });
}

const iso = (instant: number): string => new Date(instant).toISOString().slice(0, 19);

describe.each([['BACKEND_BUSY', 'ErrorServerBusy', '7'], ['DEADLINE', 'ErrorTimeoutExpired', '60']] as const)('a mailbox whose system is %s, beside one that has an answer', (code, ewsCode, retryAfter) => {
  it('OWA: 4s', async () => {
    const { body } = await asked(owaWebdavEndpoint, code, `/public/?cmd=freebusy&start=${iso(START)}Z&end=${iso(END)}Z&interval=30&u=SMTP:${ANNA}&u=SMTP:${BUSY}`);
    expect([...body.matchAll(/<a:fbdata>(\d+)<\/a:fbdata>/g)].map((one) => one[1]).slice(-2)).toEqual(['2200', '4444']);
  });

  it(`EWS: ${ewsCode} in its place, with a view`, async () => {
    const mailbox = (address: string): string => `<t:MailboxData><t:Email><t:Address>${address}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData>`;
    const zone = '<t:TimeZone><t:Bias>0</t:Bias><t:StandardTime><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>0</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>0</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone>';
    const request = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Body><GetUserAvailabilityRequest xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">${zone}<MailboxDataArray>${mailbox(ANNA)}${mailbox(BUSY)}</MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>${iso(START)}</t:StartTime><t:EndTime>${iso(END)}</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>30</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>MergedOnly</t:RequestedView></t:FreeBusyViewOptions></GetUserAvailabilityRequest></s:Body></s:Envelope>`;
    const { status, body } = await asked(ewsEndpoint, code, '/EWS/Exchange.asmx', request, { 'content-type': 'text/xml; charset=utf-8' });
    expect(status).toBe(200);
    expect([...body.matchAll(/<m:ResponseCode>(\w+)</g)].map((one) => one[1])).toEqual(['NoError', ewsCode]);
    expect(body.match(/<m:FreeBusyView>/g)).toHaveLength(2);
    expect(body).toContain('<t:MergedFreeBusy>2200</t:MergedFreeBusy>');
  });

  it('Zimbra: n', async () => {
    const request = `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><GetFreeBusyRequest xmlns="urn:zimbraMail" s="${START}" e="${END}" name="${ANNA},${BUSY}"/></soap:Body></soap:Envelope>`;
    const { body } = await asked(zimbraSoapEndpoint as Parameters<typeof faceUnderTest>[0], code, '/service/soap/', request, { 'content-type': 'application/soap+xml; charset=utf-8' });
    expect(/<usr id="anna@corp.example">(.*?)<\/usr>/.exec(body)![1]).toMatch(/^<b [^>]*\/><f [^>]*\/>$/);
    expect(/<usr id="bernd@corp.example">(.*?)<\/usr>/.exec(body)![1]).toMatch(/^<n [^>]*\/>$/);
  });

  it('iCalendar: 503 with Retry-After', async () => {
    const { status, headers } = await asked(ifbEndpoint, code, `/freebusy/${BUSY}.ifb?start=${iso(START)}Z&end=${iso(END)}Z`);
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    if (code === 'BACKEND_BUSY') expect(headers['retry-after']).toBe(retryAfter);
  });

  it('CalDAV: 5.1 in its place', async () => {
    const compact = (instant: number): string => `${iso(instant).replace(/[-:]/g, '')}Z`;
    const request = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', 'METHOD:REQUEST', 'BEGIN:VFREEBUSY', 'UID:1', `DTSTAMP:${compact(START)}`, `DTSTART:${compact(START)}`, `DTEND:${compact(END)}`, 'ORGANIZER:mailto:asker@corp.example', `ATTENDEE:mailto:${ANNA}`, `ATTENDEE:mailto:${BUSY}`, 'END:VFREEBUSY', 'END:VCALENDAR', ''].join('\r\n');
    const { body } = await asked(caldavEndpoint, code, '/caldav/calendars/asker/outbox/', request, { 'content-type': 'text/calendar; charset=utf-8' });
    expect([...body.matchAll(/request-status>([^<]+)</g)].map((one) => one[1])).toEqual(['2.0;Success', '5.1;Service unavailable']);
  });
});
