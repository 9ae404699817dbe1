import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../../../src/core/errors.ts';
import type { MailboxAddress } from '../../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../../src/freebusy/free-busy.ts';
import type { FreeBusyParts } from '../../../../src/freebusy/free-busy.ts';
import { encodeGetUserAvailabilityResponse } from '../../../../src/protocols/ews/face/get-user-availability.ts';
import { ZoneClock } from '../../../../src/protocols/ews/face/zone-clock.ts';
import type { FaceOptions } from '../../face-under-test.ts';
import { CAN_VALIDATE } from '../../../shared.ts';
import { availabilityRequest, availabilityRequestOf, ewsFace, mailboxData, readFault, readResponses } from '../face-questions.ts';
import type { EwsFace, Question, ReadResponse } from '../face-questions.ts';
import { schemaComplaints } from '../face-schema.ts';

const at = (time: string): number => Date.parse(`2026-03-10T${time}Z`);

/** The calendar of exchange.md §3.2's example and what else can stand in one. */
const ANNA: FreeBusyParts = {
  events: [
    { start: at('09:00'), end: at('10:30'), busyType: 'busy', id: '0000AB', subject: 'Review <&>', location: 'Room "2"', isMeeting: true, isReminderSet: true },
    { start: at('10:07:20'), end: at('10:41:30'), busyType: 'tentative', subject: 'off the grid', isRecurring: true, isException: true },
    { start: at('11:00'), end: at('11:30'), busyType: 'oof', isPrivate: true, subject: 'doctor', location: 'clinic', id: 'secret' },
    { start: at('11:30'), end: at('12:00'), busyType: 'busy', isCancelled: true, subject: 'called off' },
    { start: at('11:30'), end: at('12:00'), busyType: 'busy', ownReply: 'declined', subject: 'not me' },
    { start: at('11:30'), end: at('12:00'), busyType: 'free', subject: 'birthday' },
    { start: at('07:00'), end: at('09:15'), busyType: 'tentative', subject: 'began before' },
    { start: at('13:00'), end: at('14:00'), busyType: 'busy', subject: 'long after' },
  ],
  workingHours: {
    timeZone: {
      biasMinutes: -60,
      standard: { biasMinutes: 0, secondOfDay: 10_800, dayOrder: 5, month: 10, dayOfWeek: 'Sunday' },
      daylight: { biasMinutes: -60, secondOfDay: 7_200, dayOrder: 5, month: 3, dayOfWeek: 'Sunday' },
    },
    periods: [{ days: ['Monday', 'Friday'], startMinute: 480, endMinute: 1_020 }],
  },
};
const BOB: FreeBusyParts = { busy: [{ start: at('09:10'), end: at('09:20'), busyType: 'busy' }, { start: at('10:00'), end: at('10:30'), busyType: 'working-elsewhere' }, { start: at('11:00'), end: at('11:40'), busyType: 'no-data' }] };
const CALENDARS = { 'anna@corp.example': ANNA, 'bob@corp.example': BOB, 'free@corp.example': { events: [] }, 'nothing@corp.example': {} };

const emitted: string[] = [];
let face: EwsFace | undefined;

async function start(options: FaceOptions = {}): Promise<EwsFace> {
  face = await ewsFace({ calendars: CALENDARS, ...options });
  return face;
}

async function answerTo(addresses: readonly string[], question: Question = {}, options: FaceOptions = {}): Promise<readonly ReadResponse[]> {
  const running = face ?? (await start(options));
  const { status, text } = await running.post(availabilityRequest(addresses, question));
  emitted.push(text);
  expect([status, text.slice(0, 300)]).toEqual([200, expect.stringContaining('ServerVersionInfo')]);
  return readResponses(text);
}

async function faultTo(body: string): Promise<string | undefined> {
  const running = face ?? (await start());
  const { status, text, headers } = await running.post(body);
  const fault = await readFault(text);
  expect([status, headers['content-type'], fault?.faultCode]).toEqual([500, 'text/xml; charset=utf-8', `a:${fault?.code}`]);
  expect(running.asked).toEqual([]);
  return fault?.code;
}

afterEach(async () => {
  await face?.close();
  face = undefined;
});

afterAll(() => {
  if (CAN_VALIDATE) expect(schemaComplaints(emitted)).toBe('');
});

describe('the views of GetUserAvailability', () => {
  it('DetailedMerged holds digits, whole events with details, and working hours', async () => {
    const [anna] = await answerTo(['anna@corp.example']);
    expect(anna).toMatchObject({ responseClass: 'Success', code: 'NoError', view: 'DetailedMerged', merged: '222130' });
    const flags = { IsMeeting: 'false', IsRecurring: 'false', IsException: 'false', IsReminderSet: 'false', IsPrivate: 'false' };
    expect(anna!.events).toEqual([
      { start: '2026-03-10T07:00:00', end: '2026-03-10T09:15:00', type: 'Tentative', details: { Subject: 'began before', ...flags } },
      { start: '2026-03-10T09:00:00', end: '2026-03-10T10:30:00', type: 'Busy', details: { ID: '0000AB', Subject: 'Review <&>', Location: 'Room "2"', ...flags, IsMeeting: 'true', IsReminderSet: 'true' } },
      { start: '2026-03-10T10:07:20', end: '2026-03-10T10:41:30', type: 'Tentative', details: { Subject: 'off the grid', ...flags, IsRecurring: 'true', IsException: 'true' } },
      { start: '2026-03-10T11:00:00', end: '2026-03-10T11:30:00', type: 'OOF', details: { ...flags, IsPrivate: 'true' } },
    ]);
    expect(anna!.workingHours).toBeDefined();
  });

  it.each([
    ['MergedOnly', 'MergedOnly', true, false, false],
    ['FreeBusy', 'FreeBusy', false, true, false],
    ['FreeBusyMerged', 'FreeBusyMerged', true, true, false],
    ['Detailed', 'Detailed', false, true, true],
    ['DetailedMerged', 'DetailedMerged', true, true, true],
    ['MergedOnly Detailed', 'DetailedMerged', true, true, true],
    ['None FreeBusy MergedOnly', 'FreeBusyMerged', true, true, false],
  ])('%s is answered as %s', async (view, answered, hasDigits, hasEvents, hasDetails) => {
    const [anna] = await answerTo(['anna@corp.example'], { view });
    expect(anna!.view).toBe(answered);
    expect(anna!.merged !== undefined).toBe(hasDigits);
    expect(anna!.events !== undefined).toBe(hasEvents);
    expect(anna!.events?.every((event) => event.details !== undefined) ?? false).toBe(hasDetails);
    expect(anna!.workingHours !== undefined).toBe(hasEvents);
    expect(face!.asked[0]!.details).toBe(hasDetails);
  });

  it('is a lower view where there are no details to show', async () => {
    const [bob, nothing, free] = await answerTo(['bob@corp.example', 'nothing@corp.example', 'free@corp.example']);
    expect([bob!.view, nothing!.view, free!.view]).toEqual(['FreeBusyMerged', 'FreeBusyMerged', 'FreeBusyMerged']);
    expect(nothing!.events).toEqual([]);
    expect(free).toMatchObject({ merged: '000000', events: [] });
  });

  it('invents no details of events that came without any, as a Zimbra gives them', async () => {
    const bare = { start: at('09:00'), end: at('09:30'), busyType: 'busy' as const };
    await start({ calendars: { 'bare@corp.example': { events: [bare] }, 'some@corp.example': { events: [bare, { ...bare, start: at('10:00'), end: at('10:30'), subject: 'Review' }] } } });
    const [none, some] = await answerTo(['bare@corp.example', 'some@corp.example']);
    expect([none!.view, some!.view]).toEqual(['FreeBusyMerged', 'DetailedMerged']);
    expect(emitted.at(-1)!.match(/<t:CalendarEventDetails>/g)).toHaveLength(1);
    await start();
  });

  it('without a view is FreeBusy, with digits where their length is given', async () => {
    const [plain] = await answerTo(['anna@corp.example'], { view: null, interval: null });
    const [merged] = await answerTo(['anna@corp.example'], { view: null });
    expect([plain!.view, merged!.view]).toEqual(['FreeBusy', 'FreeBusyMerged']);
  });

  it('counts slots from the start of the window, 30 minutes by default, the last one reaching beyond the end', async () => {
    const [half] = await answerTo(['bob@corp.example'], { interval: null, view: 'MergedOnly', start: '2026-03-10T09:05:00', end: '2026-03-10T10:06:00' });
    expect(half!.merged).toBe('200');
    const [five] = await answerTo(['bob@corp.example'], { interval: 5, view: 'MergedOnly', start: '2026-03-10T09:05:00', end: '2026-03-10T09:31:00' });
    expect(five!.merged).toBe('022000');
  });

  it('says NoData where nobody knows, in digits and events, also between the events of a calendar', async () => {
    const gap: FreeBusyParts = { events: [{ start: at('09:00'), end: at('11:20'), busyType: 'tentative', subject: 'seen' }], busy: [{ start: at('09:30'), end: at('10:00'), busyType: 'oof' }], known: [{ start: at('09:00'), end: at('10:30') }] };
    await start({ calendars: { ...CALENDARS, 'gap@corp.example': gap } });
    const [result] = await answerTo(['gap@corp.example']);
    expect(result!.merged).toBe('131114');
    expect(result!.events!.map(({ start: from, end, type }) => `${from.slice(11, 16)}-${end.slice(11, 16)} ${type}`)).toEqual(['09:00-11:20 Tentative', '09:30-10:00 OOF', '11:20-12:00 NoData']);
  });

  it('never cuts a second off the end of an event', async () => {
    await start({ calendars: { 'odd@corp.example': { busy: [{ start: at('09:00:00.400'), end: at('09:30:00.001'), busyType: 'busy' }] } } });
    const [odd] = await answerTo(['odd@corp.example']);
    expect(odd!.events).toEqual([{ start: '2026-03-10T09:00:00', end: '2026-03-10T09:30:01', type: 'Busy' }]);
    expect(odd!.merged).toBe('220000');
  });

  it('writes an empty array of events with an end tag, which the readers of Microsoft libraries look for', async () => {
    const { post } = await start();
    const { text } = await post(availabilityRequest(['free@corp.example'], { suggestions: true }));
    expect(text).toContain('<t:CalendarEventArray></t:CalendarEventArray>');
    expect(text).toContain('<m:SuggestionDayResultArray></m:SuggestionDayResultArray>');
  });
});

describe('working elsewhere', () => {
  const views = ['Exchange2007_SP1', 'Exchange2010_SP2', 'Exchange2012', null] as const;
  it.each(views)('is not shown to the schema of %s, which has no such type', async (version) => {
    const [bob] = await answerTo(['bob@corp.example'], { version, start: '2026-03-10T09:00:00Z', end: '2026-03-10T12:00:00Z' }, { workingElsewhereAs: 'tentative' });
    expect(bob!.events!.map((one) => one.type)).toEqual(['Busy', 'Tentative', 'NoData']);
    expect(bob!.merged).toBe('201044');
  });

  it.each(['Exchange2013', 'Exchange2013_SP1', 'Exchange2015', 'Exchange2016', 'V2015_10_05', 'V2017_07_11', 'V2018_01_08'])('is shown to %s among the events; its digit is what the site wishes', async (version) => {
    const [bob] = await answerTo(['bob@corp.example'], { version });
    expect(bob!.events!.map((one) => one.type)).toEqual(['Busy', 'WorkingElsewhere', 'NoData']);
    expect(bob!.merged).toBe('200044');
  });
});

describe('an event of working elsewhere that lies wholly under a stronger one', () => {
  const hidden: FreeBusyParts = { events: [{ start: at('09:00'), end: at('11:00'), busyType: 'busy' }, { start: at('09:30'), end: at('10:00'), busyType: 'working-elsewhere', subject: 'home' }] };
  it.each([
    ['Exchange2010', 'free', ['Busy']],
    ['Exchange2010', 'tentative', ['Busy', 'Tentative']],
    ['Exchange2016', 'free', ['Busy', 'WorkingElsewhere']],
  ] as const)('is to %s what the site wishes (%s)', async (version, workingElsewhereAs, types) => {
    await start({ calendars: { 'home@corp.example': hidden }, workingElsewhereAs });
    const [home] = await answerTo(['home@corp.example'], { version });
    expect([home!.merged, home!.events!.map((one) => one.type)]).toEqual(['222200', types]);
  });
});

describe('an answer of megabytes', () => {
  it('is whole and of the length it says, made in pieces, text beyond ASCII among it', async () => {
    const events = Array.from({ length: 3_000 }, (_, index) => ({ start: at('09:00') + index * 1_000, end: at('09:00') + index * 1_000 + 60_000, busyType: 'busy' as const, subject: `Prüfung 🗓 ${index}` }));
    await start({ calendars: { 'busy@corp.example': { events }, 'bob@corp.example': BOB } });
    const { status, text, headers } = await face!.post(availabilityRequest(['busy@corp.example', 'ghost@corp.example', 'bob@corp.example']));
    emitted.push(text);
    expect([status, headers['content-length']]).toEqual([200, String(Buffer.byteLength(text))]);
    const [busy, ghost, bob] = await readResponses(text);
    expect(busy!.events!.map((one) => one.details!['Subject'])).toEqual(events.map((one) => one.subject));
    expect([ghost!.code, bob!.merged]).toEqual(['ErrorMailRecipientNotFound', '200044']);
  });

  it('is in no piece larger than others can wait for', async () => {
    const window = { start: at('09:00'), end: at('12:00') };
    const mailbox = 'busy@corp.example' as MailboxAddress;
    const events = Array.from({ length: 10_000 }, (_, index) => ({ start: window.start + index * 1_000, end: window.start + index * 1_000 + 60_000, busyType: 'busy' as const, subject: 'x'.repeat(200) }));
    const freeBusy = freeBusyFrom(mailbox, window, { events });
    const form = { window, slotMinutes: 30, merged: true, events: true, details: true, clock: new ZoneClock(() => 0), hasWorkingElsewhere: true, workingElsewhereAs: 'free' } as const;
    const pieces = await encodeGetUserAvailabilityResponse([{ text: mailbox, mailbox, result: { mailbox, freeBusy, asOf: 0 } }], form, false);
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces.map((one) => one.text.length))).toBeLessThan(512 * 1024);
    expect(pieces.map((one) => one.text).join('').match(/<t:CalendarEvent>/g)).toHaveLength(10_000);
  });
});

describe('answers by position', () => {
  it('gives everybody an answer in their place, with a view, whoever has none', async () => {
    const asked = ['ghost@corp.example', 'bob@corp.example', '', 'no address', 'a/b@corp.example', 'BOB@Corp.Example', 'anna@corp.example', 'SMTP:anna@corp.example'];
    const responses = await answerTo(asked, { view: 'MergedOnly' });
    expect(responses.map((one) => one.code)).toEqual(['ErrorMailRecipientNotFound', 'NoError', 'ErrorInvalidSmtpAddress', 'ErrorInvalidSmtpAddress', 'ErrorMailRecipientNotFound', 'NoError', 'NoError', 'NoError']);
    expect(responses.every((one) => one.hasView)).toBe(true);
    expect(responses.map((one) => one.view)).toEqual(['None', 'MergedOnly', 'None', 'None', 'None', 'MergedOnly', 'MergedOnly', 'MergedOnly']);
    expect(responses.map((one) => one.merged)).toEqual([undefined, '200044', undefined, undefined, undefined, '200044', '222130', '222130']);
    expect(responses[0]!.text).toBe('Unable to resolve e-mail address ghost@corp.example to an Active Directory object.');
    expect(face!.asked.map((one) => one.mailboxes)).toEqual([['ghost@corp.example', 'bob@corp.example', 'anna@corp.example']]);
  });

  it('takes a mailbox without an address, or none at all, for one that cannot be read', async () => {
    const { post } = await start();
    const nil = '<t:MailboxData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>';
    const without = '<t:MailboxData><t:Email><t:Name>Somebody</t:Name></t:Email><t:AttendeeType>Room</t:AttendeeType></t:MailboxData>';
    const { status, text } = await post(availabilityRequestOf(nil + mailboxData('bob@corp.example') + without));
    emitted.push(text);
    expect([status, (await readResponses(text)).map((one) => one.code)]).toEqual([200, ['ErrorInvalidSmtpAddress', 'NoError', 'ErrorInvalidSmtpAddress']]);
  });

  it('asks nobody where no address can be read', async () => {
    expect((await answerTo(['', 'x'])).map((one) => one.code)).toEqual(['ErrorInvalidSmtpAddress', 'ErrorInvalidSmtpAddress']);
    expect(face!.asked).toEqual([]);
  });

  it('tells why only in words that are Exchange\'s own, and makes the unknown and the loop look alike', async () => {
    const calendars = Object.fromEntries(ERROR_CODES.map((code) => [`${code.toLowerCase()}@corp.example`, new BridgeError(code, 'PRIVATE words', { details: { host: 'secret.example' } })]));
    await start({ calendars });
    const responses = await answerTo(ERROR_CODES.map((code) => `${code.toLowerCase()}@corp.example`));
    const codes = Object.fromEntries(ERROR_CODES.map((code, index) => [code, responses[index]!.code]));
    expect([codes['MAILBOX_UNKNOWN'], codes['LOOP'], codes['MAILBOX_REFUSED']]).toEqual(['ErrorMailRecipientNotFound', 'ErrorMailRecipientNotFound', 'ErrorNoFreeBusyAccess']);
    expect([codes['BACKEND_UNREACHABLE'], codes['DEADLINE'], codes['NO_DATA']]).toEqual(['ErrorProxyRequestProcessingFailed', 'ErrorTimeoutExpired', 'ErrorFreeBusyGenerationFailed']);
    expect(responses.every((one) => one.view === 'None' && one.responseClass === 'Error' && /^Error\w+$/.test(one.code!))).toBe(true);
    expect(emitted.at(-1)).not.toMatch(/PRIVATE|secret/);
    const texts = ['mailbox_unknown', 'loop'].map((name) => responses[ERROR_CODES.findIndex((code) => code.toLowerCase() === name)]!.text!.replace(name, '…'));
    expect(new Set(texts).size).toBe(1);
  });

  it('echoes odd addresses escaped and short', async () => {
    const [odd, long] = await answerTo(['<&"\'>@x\u200by', `${'x'.repeat(5_000)}@corp.example`]);
    expect(odd!.code).toBe('ErrorMailRecipientNotFound');
    expect(odd!.text).toContain('<&"\'>@x');
    expect(long!.text!.length).toBeLessThan(400);
  });
});

describe('what a question may not be', () => {
  it.each<[string, Question, string]>([
    ['an end before the start', { start: '2026-03-10T12:00:00', end: '2026-03-10T09:00:00' }, 'ErrorInvalidTimeInterval'],
    ['an end at the start', { start: '2026-03-10T12:00:00', end: '2026-03-10T12:00:00' }, 'ErrorInvalidTimeInterval'],
    ['an unset time of .NET', { start: '0001-01-01T00:00:00', end: '2026-03-10T12:00:00' }, 'ErrorInvalidTimeInterval'],
    ['63 days', { start: '2026-03-10T00:00:00', end: '2026-05-12T00:00:00' }, 'ErrorTimeIntervalTooBig'],
    ['a second more than 62 days', { start: '2026-03-10T00:00:00', end: '2026-05-11T00:00:01' }, 'ErrorTimeIntervalTooBig'],
    ['7,973 years', { start: '2026-03-10T00:00:00Z', end: '9999-12-31T23:59:59Z' }, 'ErrorTimeIntervalTooBig'],
    ['an interval of 0', { interval: 0 }, 'ErrorInvalidMergedFreeBusyInterval'],
    ['an interval of 4', { interval: 4 }, 'ErrorInvalidMergedFreeBusyInterval'],
    ['an interval of −30', { interval: -30 }, 'ErrorInvalidMergedFreeBusyInterval'],
    ['an interval of 1441', { interval: 1441, end: '2026-03-12T00:00:00' }, 'ErrorInvalidMergedFreeBusyInterval'],
    ['an interval longer than the window', { interval: 181 }, 'ErrorInvalidMergedFreeBusyInterval'],
    ['an interval that is no number', { interval: 'often' }, 'ErrorSchemaValidation'],
    ['the view None', { view: 'None' }, 'ErrorInvalidFreeBusyViewType'],
    ['an empty view', { view: '' }, 'ErrorInvalidFreeBusyViewType'],
    ['a view that does not exist', { view: 'Everything' }, 'ErrorSchemaValidation'],
    ['neither a view nor suggestions', { freeBusy: false }, 'ErrorInvalidFreeBusyViewType'],
    ['a time that is none', { start: 'tomorrow' }, 'ErrorSchemaValidation'],
    ['a 30 February', { start: '2026-02-30T00:00:00' }, 'ErrorSchemaValidation'],
    ['a date without a time', { start: '2026-03-10' }, 'ErrorSchemaValidation'],
    ['a version that does not exist', { version: 'Exchange2099' }, 'ErrorInvalidServerVersion'],
    ['a version in another case', { version: 'exchange2010' }, 'ErrorInvalidServerVersion'],
    ['a version without a name', { version: '' }, 'ErrorInvalidServerVersion'],
  ])('%s is a fault of its own', async (_name, question, code) => {
    expect(await faultTo(availabilityRequest(['anna@corp.example'], question))).toBe(code);
  });

  it('bounds are inclusive: 62 days, 5 and 1440 minutes, an interval as long as the window, 100 mailboxes', async () => {
    for (const question of [
      { start: '2026-03-10T00:00:00', end: '2026-05-11T00:00:00', interval: 5 },
      { start: '2026-03-10T00:00:00', end: '2026-05-11T00:00:00', interval: 1440 },
      { interval: 180 },
    ]) {
      const [anna] = await answerTo(['anna@corp.example'], question);
      expect(anna!.code).toBe('NoError');
    }
    expect(await answerTo(Array.from({ length: 100 }, (_, index) => `p${index}@corp.example`))).toHaveLength(100);
  });

  it('101 mailboxes, and ten thousand, are refused before anybody is asked', async () => {
    expect(await faultTo(availabilityRequest(Array.from({ length: 101 }, (_, index) => `p${index}@corp.example`)))).toBe('ErrorMailboxDataArrayTooBig');
    expect(await faultTo(availabilityRequest(Array.from({ length: 10_000 }, () => 'anna@corp.example')))).toBe('ErrorMailboxDataArrayTooBig');
  });

  it('no mailbox at all is refused', async () => {
    expect(await faultTo(availabilityRequest([]))).toBe('ErrorMailboxDataArrayEmpty');
  });

  it.each([
    ['the end before the start element', (text: string) => text.replace(/(<t:StartTime>.*?<\/t:StartTime>)(<t:EndTime>.*?<\/t:EndTime>)/, '$2$1')],
    ['an element the schema does not have', (text: string) => text.replace('<m:MailboxDataArray>', '<t:Colour>red</t:Colour><m:MailboxDataArray>')],
    ['options twice', (text: string) => text.replace(/(<t:FreeBusyViewOptions>.*<\/t:FreeBusyViewOptions>)/, '$1$1')],
    ['the array in the types\' namespace', (text: string) => text.replaceAll('m:MailboxDataArray', 't:MailboxDataArray')],
    ['the options in the messages\' namespace', (text: string) => text.replaceAll('t:FreeBusyViewOptions', 'm:FreeBusyViewOptions')],
    ['https: where the namespace is http:', (text: string) => text.replace('xmlns:t="http:', 'xmlns:t="https:')],
    ['no array of mailboxes', (text: string) => text.replace(/<m:MailboxDataArray>.*<\/m:MailboxDataArray>/, '')],
    ['no time window', (text: string) => text.replace(/<t:TimeWindow>.*<\/t:TimeWindow>/, '')],
    ['an unknown kind of attendee', (text: string) => text.replace('>Required<', '>Cousin<')],
    ['a mailbox without Email', (text: string) => text.replace(/<t:Email>.*<\/t:Email>/, '')],
  ])('%s fails schema validation', async (_name, change) => {
    const good = availabilityRequest(['anna@corp.example'], { version: 'Exchange2010' });
    expect(change(good)).not.toBe(good);
    expect(await faultTo(change(good))).toBe('ErrorSchemaValidation');
  });
});

describe('suggestions', () => {
  it('are none, in a form that is valid, beside the free/busy or alone', async () => {
    const { post } = await start();
    const both = (await post(availabilityRequest(['anna@corp.example'], { suggestions: true }))).text;
    const alone = (await post(availabilityRequest(['anna@corp.example'], { suggestions: true, freeBusy: false }))).text;
    emitted.push(both, alone);
    expect(await readResponses(both)).toHaveLength(1);
    for (const text of [both, alone]) expect(text).toMatch(/<m:SuggestionsResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</);
    expect(alone).not.toContain('FreeBusyResponseArray');
    expect(face!.asked).toHaveLength(1);
  });
});
