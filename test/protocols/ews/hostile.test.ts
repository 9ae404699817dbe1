import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { decodeAnswer } from '../../../src/protocols/ews/answer.ts';
import { decodeGetUserAvailabilityResponse } from '../../../src/protocols/ews/get-user-availability.ts';
import { decodeFaultError } from '../../../src/protocols/ews/response-message.ts';
import { availability, digits, envelope, events, fault, response } from './answer-text.ts';
import type { EventText } from './answer-text.ts';
import { bodyOf, shown } from './shown.ts';
import type { Shown } from './shown.ts';

const NINE = '2026-06-01T09:00:00.000Z';
const ELEVEN = '2026-06-01T11:00:00.000Z';
const window = { start: Date.parse(NINE), end: Date.parse(ELEVEN) };

/** Reads an answer for as many mailboxes as `asked`, over two hours (eight digits). */
async function read(text: string, asked = 1): Promise<readonly Shown[]> {
  const mailboxes = Array.from({ length: asked }, (_, index) => `p${index}@works.example` as MailboxAddress);
  return (await decodeGetUserAvailabilityResponse(await bodyOf(text), { mailboxes, window, details: false })).map(shown);
}

async function busyOf(view: string): Promise<unknown> {
  const [result] = await read(availability(response(view)));
  return result !== undefined && 'busy' in result ? result.busy.map((one) => `${one.type} ${one.start.slice(11, 16)}-${one.end.slice(11, 16)}`) : result;
}

const FREE = '<t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>00000000</t:MergedFreeBusy>';

describe('answers that say nothing about anybody', () => {
  it.each([
    ['one response short', availability(response(FREE)), 2],
    ['one response too many', availability(response(FREE), response(FREE), response(FREE)), 2],
    ['another element among them', availability(response(FREE), '<m:Other/>'), 2],
    ['another element in place of one', availability('<m:Other/>'), 1],
    ['no array', envelope('<m:GetUserAvailabilityResponse xmlns:m="urn:m"/>'), 1],
    ['another operation', envelope('<m:GetFolderResponse xmlns:m="urn:m"/>'), 1],
    ['an empty body', envelope(''), 1],
  ])('%s is malformed as a whole', async (_name, text, asked) => {
    await expect(read(text, asked)).rejects.toMatchObject({ code: 'BACKEND_MALFORMED' });
  });
});

describe('mailboxes that are no data', () => {
  it.each([
    ['Success without a view', response(undefined)],
    ['Success with view None', response('<t:FreeBusyViewType>None</t:FreeBusyViewType><t:MergedFreeBusy>00000000</t:MergedFreeBusy>')],
    ['a view with neither digits nor events', response('<t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType>')],
    ['a view without a type', response('<t:MergedFreeBusy>00000000</t:MergedFreeBusy>')],
    ['a view of an unknown type', response('<t:FreeBusyViewType>Everything</t:FreeBusyViewType><t:MergedFreeBusy>00000000</t:MergedFreeBusy>')],
    ['a view with two arrays', response(`${events()}<t:CalendarEventArray/>`)],
    ['digits of another length', response(digits('0'.repeat(24)))],
    ['an event without a start', response('<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><t:CalendarEvent><t:EndTime>2026-06-01T09:30:00</t:EndTime><t:BusyType>Busy</t:BusyType></t:CalendarEvent></t:CalendarEventArray>')],
    ['another element among the events', response('<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><t:Appointment/></t:CalendarEventArray>')],
    ['an event that ends before it begins', response(events(['2026-06-01T10:00:00', '2026-06-01T09:00:00', 'Busy']))],
    ['ErrorFreeBusyGenerationFailed with a view that looks free', response(FREE, 'ErrorFreeBusyGenerationFailed')],
  ])('%s', async (_name, text) => {
    expect(await read(availability(text))).toEqual([{ error: 'NO_DATA' }]);
  });

  it.each(['2026-06-01 09:00:00', '2026-06-31T09:00:00', '2026-06-01T25:00:00', '2026-06-01T09:60:00', '2026-06-01T09:00:00+1', '2026-06-01T09:00:00+15:00', '20260601T090000Z', '1970', '', 'tomorrow', '-2026-06-01T09:00:00'])(
    'an event whose time reads %j',
    async (time) => {
      expect(await read(availability(response(events([time, '2026-06-01T10:00:00', 'Busy']))))).toEqual([{ error: 'NO_DATA' }]);
    },
  );

  it.each([
    ['ErrorMailRecipientNotFound', 'MAILBOX_UNKNOWN'],
    ['ErrorCannotFindUser', 'MAILBOX_UNKNOWN'],
    ['ErrorNoFreeBusyAccess', 'MAILBOX_REFUSED'],
    ['ErrorServerBusy', 'BACKEND_BUSY'],
    ['ErrorProxyRequestProcessingFailed', 'NO_DATA'],
    ['ErrorNobodyKnowsThisOne', 'BACKEND_FAULT'],
    ['', 'BACKEND_FAULT'],
    ['noerror', 'BACKEND_FAULT'],
  ])('a response code %j, whatever view it carries, is %s', async (code, expected) => {
    expect(await read(availability(response(FREE, code, 'Success')))).toEqual([{ error: expected }]);
  });

  it('a NoError of class Error, of an unknown class, or said twice', async () => {
    const twice = response(FREE).replace('<m:ResponseCode>', '<m:ResponseCode>ErrorServerBusy</m:ResponseCode><m:ResponseCode>');
    for (const one of [response(FREE, 'NoError', 'Error'), response(FREE, 'NoError', 'Fine'), twice]) {
      expect(await read(availability(one))).toEqual([{ error: 'BACKEND_FAULT' }]);
    }
  });

  it('spoils no other mailbox', async () => {
    const good = response(events(['2026-06-01T09:00:00Z', '2026-06-01T09:30:00Z', 'Busy']));
    const bad = response(events(['never', '2026-06-01T09:30:00Z', 'Busy']));
    const results = await read(availability(bad, good, response(undefined)), 3);
    expect(results.map((one) => ('error' in one ? one.error : one.busy.length))).toEqual(['NO_DATA', 1, 'NO_DATA']);
  });

  it('too many events are refused, not cut', async () => {
    const many = response(`<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${'<t:CalendarEvent/>'.repeat(LIMITS.eventsPerMailbox + 1)}</t:CalendarEventArray>`);
    expect(await read(availability(many))).toEqual([{ error: 'BACKEND_TOO_LARGE' }]);
  });

  it('a code that is no name is not repeated', async () => {
    const mailboxes = ['p@works.example' as MailboxAddress];
    const [result] = await decodeGetUserAvailabilityResponse(await bodyOf(availability(response(undefined, 'Error: https://x/?token=CANARY'))), { mailboxes, window, details: false });
    expect(JSON.stringify((result as { error: BridgeError }).error.details)).not.toContain('CANARY');
  });
});

describe('events and digits that do not agree', () => {
  const both = (type: string, digitText: string | undefined, list: readonly EventText[]): string =>
    events(...list).replace('>FreeBusy<', `>${type}<`).replace('<t:CalendarEventArray>', `${digitText === undefined ? '' : `<t:MergedFreeBusy>${digitText}</t:MergedFreeBusy>`}<t:CalendarEventArray>`);

  it('events give the times to the minute, the digits only what no event says', async () => {
    expect(await busyOf(both('DetailedMerged', '22020000', [['2026-06-01T09:05:00', '2026-06-01T09:20:00', 'Busy']]))).toEqual(['busy 09:05-09:20', 'busy 09:45-10:00']);
  });

  it('an event in a slot that is free by the digits is an event', async () => {
    expect(await busyOf(both('FreeBusyMerged', '00000000', [['2026-06-01T09:05:00', '2026-06-01T09:20:00', 'Busy']]))).toEqual(['busy 09:05-09:20']);
  });

  it('an array that was cut short is filled up by the digits, one whose digits were cut short is no data behind them', async () => {
    expect(await busyOf(both('DetailedMerged', '22002233', [['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']]))).toEqual(['busy 09:00-09:30', 'busy 10:00-10:30', 'oof 10:30-11:00']);
    expect(await busyOf(both('DetailedMerged', '2200', [['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy']]))).toEqual(['busy 09:00-09:30', 'no-data 10:00-11:00']);
  });

  it('a 4 where somebody works elsewhere is that, a 4 elsewhere is no data', async () => {
    expect(await busyOf(both('FreeBusyMerged', '44440000', [['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'WorkingElsewhere']]))).toEqual(['working-elsewhere 09:00-09:30', 'no-data 09:30-10:00']);
  });

  it.each([['MergedOnly'], ['FreeBusyMerged'], ['DetailedMerged']])('no events and no digits in a view that says it has digits (%s) are no data', async (type) => {
    expect(await busyOf(both(type, undefined, []))).toEqual({ error: 'NO_DATA' });
  });

  it('no events in a view that promises nothing else are a free day: so grommunio says it', async () => {
    expect(await busyOf(both('Detailed', undefined, []))).toEqual([]);
  });
});

describe('digits', () => {
  it('that end early leave the rest no data', async () => {
    expect(await busyOf(digits('0022'))).toEqual(['busy 09:30-10:00', 'no-data 10:00-11:00']);
    expect(await busyOf(digits(''))).toEqual(['no-data 09:00-11:00']);
  });

  it('that nobody knows are no data', async () => {
    expect(await busyOf(digits('0x8 5-00'))).toEqual(['no-data 09:15-10:30']);
  });

  it('of 4 are no data, in part or throughout', async () => {
    expect(await busyOf(digits('44444444'))).toEqual(['no-data 09:00-11:00']);
    expect(await busyOf(digits('02240000'))).toEqual(['busy 09:15-09:45', 'no-data 09:45-10:00']);
  });

  it('one too many are let pass', async () => {
    expect(await busyOf(digits('000000022'))).toEqual(['busy 10:45-11:00']);
  });

  it('outvote the events beside them where they say more, and only there', async () => {
    const both = (text: string, ...list: readonly EventText[]): string => `${events(...list)}<t:MergedFreeBusy>${text}</t:MergedFreeBusy>`;
    expect(await busyOf(both('44444444'))).toEqual(['no-data 09:00-11:00']);
    expect(await busyOf(both('00000000', ['2026-06-01T09:05:00', '2026-06-01T09:10:00', 'OOF']))).toEqual(['oof 09:05-09:10']);
    expect(await busyOf(both('20020000', ['2026-06-01T09:05:00', '2026-06-01T09:10:00', 'Busy']))).toEqual(['busy 09:05-09:10', 'busy 09:45-10:00']);
    expect(await busyOf(both('2000', ['2026-06-01T09:00:00', '2026-06-01T09:15:00', 'Busy']))).toEqual(['busy 09:00-09:15', 'no-data 10:00-11:00']);
  });
});

describe('events', () => {
  it('of an unknown type, or of none, are busy', async () => {
    expect(await busyOf(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Gone'], ['2026-06-01T10:00:00', '2026-06-01T10:30:00', '']))).toEqual(['busy 09:00-09:30', 'busy 10:00-10:30']);
  });

  it('may reach beyond the window, lie outside it, overlap and come in any order', async () => {
    const list = events(
      ['2026-06-01T10:30:00', '2026-06-02T10:30:00', 'Tentative'],
      ['2026-06-05T10:30:00', '2026-06-05T11:30:00', 'Busy'],
      ['2026-06-01T08:00:00', '2026-06-01T09:15:00', 'Busy'],
      ['2026-06-01T10:45:00', '2026-06-01T10:50:00', 'OOF'],
    );
    expect(await busyOf(list)).toEqual(['busy 09:00-09:15', 'tentative 10:30-10:45', 'oof 10:45-10:50', 'tentative 10:50-11:00']);
  });

  it('have naive times in UTC, and offsets with and without a colon', async () => {
    const list = events(['2026-06-01T09:00:00', '2026-06-01T09:05:00', 'Busy'], ['2026-06-01T11:20:00+0200', '2026-06-01T11:25:00+02:00', 'Busy'], ['2026-06-01T06:10:00-03:30', '2026-06-01T09:50:00Z', 'Busy']);
    expect(await busyOf(list)).toEqual(['busy 09:00-09:05', 'busy 09:20-09:25', 'busy 09:40-09:50']);
  });
});

describe('HTTP answers', () => {
  const answer = (status: number, body: string, headers: Record<string, string> = {}): Parameters<typeof decodeAnswer>[0] => ({ status, headers, body: Buffer.from(body) });
  const whole = availability(response(FREE));

  it.each([[408, true], [425, true], [502, true], [504, true], [501, false], [405, false], [404, false]])('%i without SOAP passes: %s', async (status, temporary) => {
    await expect(decodeAnswer(answer(status, ''))).rejects.toMatchObject({ code: 'BACKEND_FAULT', temporary });
  });

  it.each([
    ['401', answer(401, 'Unauthorized'), 'BACKEND_AUTH'],
    ['403', answer(403, ''), 'BACKEND_AUTH'],
    ['440', answer(440, ''), 'BACKEND_AUTH'],
    ['503', answer(503, 'Service unavailable'), 'BACKEND_BUSY'],
    ['429', answer(429, ''), 'BACKEND_BUSY'],
    ['302 without a target', answer(302, ''), 'BACKEND_REDIRECT'],
    ['404', answer(404, '<html/>'), 'BACKEND_FAULT'],
    ['400', answer(400, 'Bad Request'), 'BACKEND_FAULT'],
    ['500 without SOAP', answer(500, '<html><body>Runtime Error'), 'BACKEND_FAULT'],
    ['a logon page', answer(200, '<!DOCTYPE html><html><form action="/owa/auth.owa"></form></html>', { 'content-type': 'text/html' }), 'BACKEND_MALFORMED'],
    ['well-formed HTML', answer(200, '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'), 'BACKEND_MALFORMED'],
    ['half a document', answer(200, whole.slice(0, whole.length / 2)), 'BACKEND_MALFORMED'],
    ['a document without its last character', answer(200, whole.slice(0, -1)), 'BACKEND_MALFORMED'],
    ['something after the end', answer(200, `${whole}${whole}`), 'BACKEND_MALFORMED'],
    ['nothing', answer(200, ''), 'BACKEND_MALFORMED'],
    ['a DOCTYPE with entities', answer(200, whole.replace('?>', '?><!DOCTYPE x [<!ENTITY a "0"><!ENTITY b "&a;&a;&a;">]>').replace('00000000', '&b;')), 'BACKEND_MALFORMED'],
    ['an undeclared entity', answer(200, whole.replace('00000000', '&CANARY;')), 'BACKEND_MALFORMED'],
    ['wrong bytes', { status: 200, headers: {}, body: Buffer.from([0x3c, 0xff, 0xfe, 0x3e]) }, 'BACKEND_MALFORMED'],
    ['an envelope of no version', answer(200, whole.replaceAll('http://schemas.xmlsoap.org/soap/envelope/', 'urn:soap')), 'BACKEND_MALFORMED'],
    ['a deep nest', answer(200, envelope(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`)), 'BACKEND_MALFORMED'],
  ])('%s', async (_name, given, code) => {
    const error: unknown = await decodeAnswer(given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BridgeError);
    expect(error).toMatchObject({ code });
    expect(JSON.stringify((error as BridgeError).details)).not.toContain('CANARY');
  });

  it('says how long to wait, as the server does, within a quarter of an hour', async () => {
    await expect(decodeAnswer(answer(503, '', { 'retry-after': '7' }))).rejects.toMatchObject({ retryAfterMs: 7_000, temporary: true });
    await expect(decodeAnswer(answer(503, '', { 'retry-after': '86400' }))).rejects.toMatchObject({ retryAfterMs: 900_000 });
    await expect(decodeAnswer(answer(503, '', { 'retry-after': 'soon' }))).rejects.toMatchObject({ retryAfterMs: undefined });
  });

  it('reads valid SOAP in a 500, and UTF-16', async () => {
    expect((await decodeAnswer(answer(500, whole))).fault).toBeUndefined();
    const utf16 = Buffer.from(`\ufeff${whole.replace('utf-8', 'utf-16')}`, 'utf16le');
    expect((await decodeAnswer({ status: 200, headers: { 'content-type': 'text/xml; charset=utf-16' }, body: utf16 })).body.children).toHaveLength(1);
  });
});

describe('faults', () => {
  const errorOf = async (text: string): Promise<BridgeError> => decodeFaultError((await decodeAnswer({ status: 500, headers: {}, body: Buffer.from(text) })).fault!);

  it('ErrorServerBusy is busy for as long as BackOffMilliseconds says', async () => {
    const error = await errorOf(fault('ErrorServerBusy', '<t:Value Name="BackOffMilliseconds">297749</t:Value>'));
    expect(error).toMatchObject({ code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 297_749, details: { responseCode: 'ErrorServerBusy' } });
  });

  it('are busy, too, where ErrorInternalServerError wraps it', async () => {
    const error = await errorOf(fault('ErrorInternalServerError', '<t:Value Name="InnerErrorResponseCode">ErrorServerBusy</t:Value>'));
    expect(error.code).toBe('BACKEND_BUSY');
  });

  it('make nobody unknown, and keep the words of the server to themselves', async () => {
    for (const code of ['ErrorMailRecipientNotFound', 'ErrorAccessDenied', 'ErrorInvalidServerVersion', 'ErrorSchemaValidation', 'ErrorTimeIntervalTooBig']) {
      const error = await errorOf(fault(code));
      expect(error).toMatchObject({ code: 'BACKEND_FAULT', details: { responseCode: code } });
      expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain('CANARY');
    }
  });

  it('without a detail (grommunio) are faults', async () => {
    const error = await errorOf(envelope("<s:Fault><faultcode>s:Server</faultcode><faultstring>Unknown request 'GetServerTimeZones'.</faultstring></s:Fault>"));
    expect(error).toMatchObject({ code: 'BACKEND_FAULT', details: { responseCode: 'Server' } });
  });
});
