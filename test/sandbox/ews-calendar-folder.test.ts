import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore, NewEntry } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { CAN_VALIDATE } from '../shared.ts';
import { askEws, expectValid, M, textOf } from './ews-talk.ts';

const at = (text: string): number => Date.parse(text);
const ANNA = 'anna@exch.example';
const AS_ANNA = { as: ANNA };
const NOON: NewEntry = { start: at('2026-03-10T12:00:00Z'), end: at('2026-03-10T13:00:00Z'), type: 'busy', subject: 'Lunch & more' };

let server: ExchangeEws;
let calendars: CalendarStore;
beforeEach(async () => {
  calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }, { address: 'bob@exch.example', displayName: 'Bob' }]);
  server = createExchangeEws({ username: 'svc', password: 'pass', domain: 'EXCH', calendars, clock: { now: () => at('2026-03-10T08:00:00Z') }, folderNameOf: (address) => (address === ANNA ? '予定表' : 'Calendar') });
  await server.listen();
});
afterEach(() => server.close());

const OWN = '<t:DistinguishedFolderId Id="calendar"/>';
const of = (address: string): string => `<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>${address}</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`;
const getFolder = (ids: string, shape = 'Default'): string => `<m:GetFolder ${M}><m:FolderShape><t:BaseShape>${shape}</t:BaseShape></m:FolderShape><m:FolderIds>${ids}</m:FolderIds></m:GetFolder>`;
const fields = (...uris: readonly string[]): string => `<t:AdditionalProperties>${uris.map((uri) => `<t:FieldURI FieldURI="${uri}"/>`).join('')}</t:AdditionalProperties>`;
const findItem = (options: { readonly shape?: string; readonly view?: string; readonly ids?: string; readonly traversal?: string } = {}): string =>
  `<m:FindItem ${M} Traversal="${options.traversal ?? 'Shallow'}"><m:ItemShape>${options.shape ?? '<t:BaseShape>AllProperties</t:BaseShape>'}</m:ItemShape>${options.view ?? '<m:CalendarView StartDate="2026-03-10T00:00:00Z" EndDate="2026-03-11T00:00:00Z"/>'}<m:ParentFolderIds>${options.ids ?? OWN}</m:ParentFolderIds></m:FindItem>`;
const codes = (text: string): readonly string[] => [...text.matchAll(/<m:ResponseCode>([^<]*)</g)].map((match) => match[1]!);

describe('the calendar folder of the stand-in Exchange', () => {
  it('is found by its name for all languages, by its id, and with somebody’s address', async () => {
    const { text } = await askEws(server, getFolder(OWN), AS_ANNA);
    expect([textOf(text, 'DisplayName'), textOf(text, 'FolderClass'), codes(text)]).toEqual(['予定表', 'IPF.Appointment', ['NoError']]);
    const id = /<t:FolderId Id="([^"]*)"/.exec(text)![1]!;
    const several = await askEws(server, getFolder(`<t:FolderId Id="${id}"/>${of('bob@exch.example')}${of('ghost@exch.example')}<t:DistinguishedFolderId Id="inbox"/>`, 'IdOnly'));
    expect(codes(several.text)).toEqual(['NoError', 'NoError', 'ErrorNonExistentMailbox', 'ErrorFolderNotFound']);
    expect(several.text).not.toContain('DisplayName');
    expect(codes((await askEws(server, getFolder(OWN))).text)).toEqual(['ErrorNonExistentMailbox']);
  });

  it('tells each kind of entry as it is, to its owner', async () => {
    const tell = async (entry: Partial<NewEntry>): Promise<readonly (string | undefined)[]> => {
      calendars.clear(ANNA);
      calendars.add(ANNA, { ...NOON, ...entry });
      const { text } = await askEws(server, findItem(), AS_ANNA);
      return ['Start', 'End', 'LegacyFreeBusyStatus', 'IsAllDayEvent', 'IsCancelled', 'MyResponseType', 'Sensitivity'].map((name) => textOf(text, name)).slice(entry.start === undefined ? 2 : 0);
    };
    expect(await tell({ start: at('2026-03-09T23:00:00Z'), end: at('2026-03-10T23:00:00Z'), isAllDay: true, type: 'free' })).toEqual(['2026-03-09T23:00:00Z', '2026-03-10T23:00:00Z', 'Free', 'true', 'false', 'Unknown', 'Normal']);
    expect(await tell({ reply: 'declined', type: 'tentative' })).toEqual(['Tentative', 'false', 'false', 'Decline', 'Normal']);
    expect(await tell({ isCancelled: true, private: true })).toEqual(['Busy', 'false', 'true', 'Unknown', 'Private']);
    expect(await tell({ type: 'working-elsewhere', sensitivity: 'confidential', reply: 'not-answered' })).toEqual(['Free', 'false', 'false', 'NoResponseReceived', 'Confidential']);
    server.setGeneration(2013);
    expect(await tell({ type: 'working-elsewhere', reply: 'organizer' })).toEqual(['WorkingElsewhere', 'false', 'false', 'Organizer', 'Normal']);
  });

  it('shows what was asked for and no more, within the view', async () => {
    calendars.add(ANNA, NOON);
    calendars.add(ANNA, { ...NOON, start: at('2026-03-11T00:00:00Z'), end: at('2026-03-11T01:00:00Z') });
    calendars.add(ANNA, { ...NOON, start: at('2026-03-10T14:00:00Z'), end: at('2026-03-10T15:00:00Z') });
    const { text } = await askEws(server, findItem({ shape: `<t:BaseShape>IdOnly</t:BaseShape>${fields('calendar:Start', 'calendar:LegacyFreeBusyStatus')}` }), AS_ANNA);
    expect([...text.matchAll(/<t:CalendarItem><t:ItemId [^>]*\/><t:Start>([^<]*)<\/t:Start><t:LegacyFreeBusyStatus>Busy<\/t:LegacyFreeBusyStatus><\/t:CalendarItem>/g)].map((match) => match[1])).toEqual(['2026-03-10T12:00:00Z', '2026-03-10T14:00:00Z']);
    expect(text).not.toContain('Lunch');
    const one = (await askEws(server, findItem({ view: '<m:CalendarView MaxEntriesReturned="1" StartDate="2026-03-10T00:00:00Z" EndDate="2026-03-11T00:00:00Z"/>' }), AS_ANNA)).text;
    expect(one).toContain('TotalItemsInView="2" IncludesLastItemInRange="false"');
  });

  it.each([
    ['a view that ends before it begins', { view: '<m:CalendarView StartDate="2026-03-11T00:00:00Z" EndDate="2026-03-10T00:00:00Z"/>' }, 'ErrorCalendarEndDateIsEarlierThanStartDate'],
    ['three years', { view: '<m:CalendarView StartDate="2026-03-11T00:00:00Z" EndDate="2029-03-10T00:00:00Z"/>' }, 'ErrorCalendarViewRangeTooBig'],
    ['no view', { view: '' }, 'ErrorSchemaValidation'],
    ['a field that it does not have', { shape: `<t:BaseShape>IdOnly</t:BaseShape>${fields('item:Body')}` }, 'ErrorInvalidPropertyRequest'],
    ['no shape', { shape: '' }, 'ErrorSchemaValidation'],
    ['a deep traversal', { traversal: 'SoftDeleted' }, 'ErrorInvalidOperation'],
  ])('refuses %s', async (_, options, code) => {
    const { text } = await askEws(server, findItem(options), AS_ANNA);
    expect(textOf(text, 'ResponseCode')).toBe(code);
  });

  it('counts declined meetings for nobody who asks for free/busy, cancelled ones as they are', async () => {
    const zone = '<t:TimeZone><t:Bias>0</t:Bias>' + ['Standard', 'Daylight'].map((one) => `<t:${one}Time><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>0</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:${one}Time>`).join('') + '</t:TimeZone>';
    const request = `<m:GetUserAvailabilityRequest ${M}>${zone}<m:MailboxDataArray><t:MailboxData><t:Email><t:Address>${ANNA}</t:Address></t:Email><t:AttendeeType>Required</t:AttendeeType></t:MailboxData></m:MailboxDataArray><t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>2026-03-10T12:00:00</t:StartTime><t:EndTime>2026-03-10T14:00:00</t:EndTime></t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>60</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>FreeBusyMerged</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>`;
    const merged = async (entry: Partial<NewEntry>): Promise<string | undefined> => {
      calendars.clear(ANNA);
      calendars.add(ANNA, { ...NOON, ...entry });
      return textOf((await askEws(server, request)).text, 'MergedFreeBusy');
    };
    expect([await merged({}), await merged({ reply: 'declined' }), await merged({ isCancelled: true }), await merged({ reply: 'tentative', type: 'tentative' })]).toEqual(['20', '00', '20', '10']);
  });

  it.skipIf(!CAN_VALIDATE)('answers by Microsoft’s schema', async () => {
    calendars.add(ANNA, { ...NOON, location: 'Cellar', reply: 'accepted' });
    const asked = [getFolder(OWN), getFolder(`${OWN}<t:DistinguishedFolderId Id="inbox"/>${of('ghost@x.example')}`, 'IdOnly'), findItem(), findItem({ shape: '<t:BaseShape>Default</t:BaseShape>' }), findItem({ shape: `<t:BaseShape>IdOnly</t:BaseShape>${fields('calendar:UID')}` }), findItem({ traversal: 'SoftDeleted' })];
    const answers = await Promise.all(asked.map((operation) => askEws(server, operation, AS_ANNA)));
    expectValid(...answers.map((one) => one.text), ...asked.map((one) => `<s:Body>${one}</s:Body>`));
  });
});
