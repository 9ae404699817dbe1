import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { FreeBusyParts } from '../../../../src/freebusy/free-busy.ts';
import { ianaFromWindows } from '../../../../src/timezones/windows-zones.ts';
import { CAN_VALIDATE } from '../../../shared.ts';
import { child } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { askedZone } from '../../../../src/protocols/ews/face/asked-zone.ts';
import { ZoneClocks } from '../../../../src/protocols/ews/face/zone-clock.ts';
import { availabilityRequest, ewsFace, readFault, readResponses, TYPES, zoneXml } from '../face-questions.ts';
import type { EwsFace, Question, ReadResponse } from '../face-questions.ts';
import { schemaComplaints } from '../face-schema.ts';

/** Wall clock of a zone by the runtime's tzdata: the judge of every expectation here. */
function wall(zone: string, instant: number): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return format.format(instant).replace(' ', 'T');
}

const ZONES = {
  'Europe/Berlin': zoneXml({ bias: -60, standard: [0, '03:00:00', 5, 10, 'Sunday'], daylight: [-60, '02:00:00', 5, 3, 'Sunday'] }),
  'America/New_York': zoneXml({ bias: 300, standard: [0, '02:00:00', 1, 11, 'Sunday'], daylight: [-60, '02:00:00', 2, 3, 'Sunday'] }),
  'Australia/Lord_Howe': zoneXml({ bias: -630, standard: [0, '02:00:00', 1, 4, 'Sunday'], daylight: [-30, '02:00:00', 1, 10, 'Sunday'] }),
  'Asia/Kathmandu': zoneXml({ bias: -345, standard: [0, '02:00:00', 5, 10, 'Sunday'], daylight: [0, '02:00:00', 1, 3, 'Sunday'] }),
  'Pacific/Chatham': zoneXml({ bias: -765, standard: [0, '03:45:00', 1, 4, 'Sunday'], daylight: [-60, '02:45:00', 5, 9, 'Sunday'] }),
  'Asia/Kolkata': zoneXml({ bias: -330, standard: [0, '00:00:00', 0, 0, 'Sunday'], daylight: [0, '00:00:00', 0, 0, 'Sunday'] }),
} as const;

const WINDOWS_IDS: Readonly<Record<string, string>> = {
  'Europe/Berlin': 'W. Europe Standard Time',
  'America/New_York': 'Eastern Standard Time',
  'Australia/Lord_Howe': 'Lord Howe Standard Time',
  'Asia/Kathmandu': 'Nepal Standard Time',
  'Pacific/Chatham': 'Chatham Islands Standard Time',
  'Asia/Kolkata': 'India Standard Time',
  'Africa/Casablanca': 'Morocco Standard Time',
  'America/Sao_Paulo': 'E. South America Standard Time',
};

const context = (id: string, inside = ''): string => `<t:TimeZoneContext><t:TimeZoneDefinition Id="${id}">${inside}</t:TimeZoneDefinition></t:TimeZoneContext>`;

/** One busy hour every seven hours, off the grid, over the given stretch: some lie on both sides of every switch. */
function everySevenHours(from: number, to: number): FreeBusyParts {
  const busy = [];
  for (let start = from + 17 * 60_000; start < to; start += 7 * 3_600_000) busy.push({ start, end: start + 3_600_000, busyType: 'busy' as const });
  return { busy };
}

let face: EwsFace | undefined;
const emitted: string[] = [];

async function ask(calendar: FreeBusyParts, question: Question): Promise<{ readonly result: ReadResponse | undefined; readonly fault: string | undefined; readonly asked: EwsFace['asked'] }> {
  face = await ewsFace({ calendars: { 'kim@corp.example': calendar } });
  const { status, text } = await face.post(availabilityRequest(['kim@corp.example'], question));
  if (status !== 200) return { result: undefined, fault: (await readFault(text))?.code, asked: face.asked };
  emitted.push(text);
  return { result: (await readResponses(text))[0], fault: undefined, asked: face.asked };
}

afterEach(async () => {
  await face?.close();
  face = undefined;
});

afterAll(() => {
  if (CAN_VALIDATE) expect(schemaComplaints(emitted)).toBe('');
});

// Both halves of 2026, with every switch of these zones inside.
const STRETCHES = [
  { from: Date.UTC(2026, 2, 1, 12), to: Date.UTC(2026, 3, 20, 12) },
  { from: Date.UTC(2026, 8, 20, 12), to: Date.UTC(2026, 10, 8, 12) },
];

/** Both ends on the wall clock; an hour that has no length there (it goes from one 01:17 to the other) begins an hour earlier. */
function onTheWall(zone: string, start: number, end: number): readonly [string, string] {
  const [from, to] = [wall(zone, start), wall(zone, end)];
  return [from < to ? from : new Date(Date.parse(`${to}Z`) - 3_600_000).toISOString().slice(0, 19), to];
}

async function agreesWithTzdata(zone: string, question: Question): Promise<void> {
  for (const { from, to } of STRETCHES) {
    const calendar = everySevenHours(from, to);
    const { result, asked } = await ask(calendar, { ...question, start: wall(zone, from), end: wall(zone, to), view: 'FreeBusyMerged', interval: 15 });
    expect(asked[0]?.window).toEqual({ start: from, end: to });
    expect(result!.events!.length).toBeGreaterThan(100);
    expect(result!.events!.map((event) => [event.start, event.end])).toEqual(calendar.busy!.map((one) => onTheWall(zone, one.start, Math.min(one.end, to))));
    expect(result!.merged!.length).toBe((to - from) / 900_000);
    await face!.close();
    face = undefined;
  }
}

describe('the zone of a question', () => {
  it.each(Object.entries(ZONES))('%s as a SerializableTimeZone: window and events agree with tzdata over every switch', async (zone, xml) => {
    await agreesWithTzdata(zone, { zone: xml });
  });

  it.each(Object.entries(WINDOWS_IDS))('%s as TimeZoneContext %s alone agrees with tzdata too, in zones whose rules no yearly form can say', async (zone, id) => {
    await agreesWithTzdata(zone, { zone: '', header: context(id) });
  });

  it('is the request\'s own TimeZone where a TimeZoneContext stands beside it', async () => {
    await agreesWithTzdata('Asia/Kathmandu', { zone: ZONES['Asia/Kathmandu'], header: context('W. Europe Standard Time') });
  });

  it('follows the law of each year, as a TimeZoneContext', async () => {
    // Brazil gave up daylight time in 2019.
    for (const year of [2018, 2026]) {
      const start = Date.UTC(year, 0, 10, 12);
      const calendar = everySevenHours(start, start + 5 * 86_400_000);
      const { result } = await ask(calendar, { zone: '', header: context('E. South America Standard Time'), start: wall('America/Sao_Paulo', start), end: wall('America/Sao_Paulo', start + 5 * 86_400_000), view: 'FreeBusy' });
      expect(result!.events!.map((event) => event.start)).toEqual(calendar.busy!.map((one) => wall('America/Sao_Paulo', one.start)));
      await face!.close();
    }
    expect(wall('America/Sao_Paulo', Date.UTC(2018, 0, 10, 12))).toBe('2018-01-10T10:00:00');
  });

  it.each([
    ['Month 0 on both, as a stock Zimbra sends it', zoneXml({ bias: 0, standard: [0, '00:00:00', 1, 0, 'Sunday'], daylight: [0, '00:00:00', 1, 0, 'Sunday'] }), 0],
    ['Month 0 with a bias', zoneXml({ bias: -60, standard: [0, '00:00:00', 1, 0, 'Sunday'], daylight: [-60, '00:00:00', 1, 0, 'Sunday'] }), 60],
    ['equal switches', zoneXml({ bias: 480, standard: [0, '02:00:00', 1, 1, 'Sunday'], daylight: [-60, '02:00:00', 1, 1, 'Sunday'] }), -480],
    ['DavMail\'s March and October without a bias', zoneXml({ bias: 0, standard: [0, '02:00:00', 1, 3, 'Sunday'], daylight: [0, '02:00:00', 1, 10, 'Sunday'] }), 0],
  ])('%s has no daylight time', async (_name, zone, offsetMinutes) => {
    const { asked } = await ask({}, { zone, start: '2026-07-10T00:00:00', end: '2026-07-11T00:00:00' });
    const start = Date.UTC(2026, 6, 10) - offsetMinutes * 60_000;
    expect(asked[0]!.window).toEqual({ start, end: start + 86_400_000 });
  });

  it.each([
    ['Z', '2026-03-10T09:00:00Z', '2026-03-10T12:00:00.000Z'],
    ['an offset', '2026-03-10T14:45:00+05:45', '2026-03-10T04:00:00-08:00'],
    ['one naive, one with an offset', '2026-03-10T10:00:00', '2026-03-10T12:00:00Z'],
  ])('does not move times with %s; the answer is in the zone all the same', async (_name, start, end) => {
    const { result, asked } = await ask({ busy: [{ start: Date.UTC(2026, 2, 10, 9, 30), end: Date.UTC(2026, 2, 10, 10), busyType: 'busy' }] }, { zone: ZONES['Europe/Berlin'], start, end });
    expect(asked[0]!.window).toEqual({ start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 12) });
    expect(result).toMatchObject({ merged: '020000', events: [{ start: '2026-03-10T10:30:00', end: '2026-03-10T11:00:00' }] });
  });

  it('is standard time in the hour that comes twice, and the offset before it in the hour that never comes', async () => {
    const twice = await ask({}, { zone: ZONES['Europe/Berlin'], start: '2026-10-25T02:30:00', end: '2026-10-25T04:00:00' });
    expect(twice.asked[0]!.window).toEqual({ start: Date.UTC(2026, 9, 25, 1, 30), end: Date.UTC(2026, 9, 25, 3) });
    await face!.close();
    const never = await ask({}, { zone: '', header: context('W. Europe Standard Time'), start: '2026-03-29T02:30:00', end: '2026-03-29T04:30:00' });
    expect(never.asked[0]!.window).toEqual({ start: Date.UTC(2026, 2, 29, 1, 30), end: Date.UTC(2026, 2, 29, 2, 30) });
  });

  it.each([
    ['half an hour over the seam', [0, 45], [1, 15], '2026-10-25T01:45:00', '2026-10-25T02:15:00'],
    ['an hour over it', [0, 30], [1, 30], '2026-10-25T01:30:00', '2026-10-25T02:30:00'],
    ['before it', [0, 10], [0, 20], '2026-10-25T02:10:00', '2026-10-25T02:20:00'],
    ['three hours', [0, 0], [3, 0], '2026-10-25T02:00:00', '2026-10-25T04:00:00'],
  ] as const)('never shows an event that ends before it begins: %s in the night when an hour comes twice', async (_name, from, to, start, end) => {
    const stretch = { start: Date.UTC(2026, 9, 25, ...from), end: Date.UTC(2026, 9, 25, ...to), busyType: 'busy' as const };
    const { result } = await ask({ busy: [stretch] }, { zone: ZONES['Europe/Berlin'], start: '2026-10-25T00:00:00', end: '2026-10-25T06:00:00' });
    expect(result!.events).toEqual([{ start, end, type: 'Busy' }]);
  });

  it('ends in the year 9999, where an absence "for ever" may end behind it', async () => {
    const events = [{ start: Date.UTC(9999, 11, 30), end: Date.UTC(9999, 11, 31, 23, 59, 59), busyType: 'oof' as const }];
    const { result } = await ask({ events }, { zone: ZONES['Asia/Kathmandu'], start: '9999-12-29T00:00:00', end: '9999-12-31T24:00:00' });
    expect(result!.events).toMatchObject([{ start: '9999-12-30T05:45:00', end: '9999-12-31T23:59:59' }]);
  });

  it('is one clock however the same rules are spelled, and never more clocks than are kept', async () => {
    const clocks = new ZoneClocks();
    const clockOf = async (zone: string) => {
      const timeZone = child(await readXml(`<a xmlns:t="${TYPES}">${zone}</a>`), 'TimeZone');
      return askedZone({ timeZone, header: undefined, version: 'Exchange2016', isNaive: true }, clocks);
    };
    const berlin = await clockOf(ZONES['Europe/Berlin']);
    expect(await clockOf(ZONES['Europe/Berlin'].replaceAll('><', `>${'\n'.padEnd(40)}<`).replace('>-60<', '> -060 <'))).toBe(berlin);
    expect(await clockOf(ZONES['Asia/Kathmandu'])).not.toBe(berlin);
    for (let bias = 0; bias < 200; bias++) await clockOf(ZONES['Europe/Berlin'].replace('>-60<', `>${bias}<`));
    expect(await clockOf(ZONES['Europe/Berlin'])).not.toBe(berlin);
  });

  it('lets 62 days on the wall clock pass where autumn makes them an hour longer', async () => {
    const { asked } = await ask({}, { zone: ZONES['Europe/Berlin'], start: '2026-10-01T00:00:00', end: '2026-12-02T00:00:00' });
    expect(asked[0]!.window.end - asked[0]!.window.start).toBe(62 * 86_400_000 + 3_600_000);
  });
});

describe('no zone at all', () => {
  it.each(['Exchange2010', 'Exchange2010_SP2', 'Exchange2013', 'Exchange2016'])('is UTC to the schema of %s', async (version) => {
    const { result, asked } = await ask({ busy: [{ start: Date.UTC(2026, 2, 10, 9, 30), end: Date.UTC(2026, 2, 10, 10), busyType: 'busy' }] }, { zone: '', version });
    expect(asked[0]!.window).toEqual({ start: Date.UTC(2026, 2, 10, 9), end: Date.UTC(2026, 2, 10, 12) });
    expect(result!.events).toEqual([{ start: '2026-03-10T09:30:00', end: '2026-03-10T10:00:00', type: 'Busy' }]);
  });

  it.each(['Exchange2007', 'Exchange2007_SP1', null])('is ErrorTimeZone to %s where a time is naive, because 2007 has no default', async (version) => {
    expect((await ask({}, { zone: '', version })).fault).toBe('ErrorTimeZone');
    expect((await ask({}, { zone: '', version, start: '2026-03-10T09:00:00Z', end: '2026-03-10T12:00:00Z' })).result?.merged).toBe('000000');
  });

  it.each([
    ['a context that names a zone nobody knows', context('Middle Earth Standard Time')],
    ['a context without an id', '<t:TimeZoneContext><t:TimeZoneDefinition/></t:TimeZoneContext>'],
    ['a context without a definition', '<t:TimeZoneContext/>'],
    ['a definition whose group is missing', context('Customized Time Zone', '<t:Periods><t:Period Bias="PT60M" Name="Standard" Id="s"/></t:Periods><t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>')],
    ['a definition whose bias is no duration', context('Customized Time Zone', '<t:Periods><t:Period Bias="60" Name="Standard" Id="s"/></t:Periods>')],
  ])('%s is ErrorTimeZone', async (_name, header) => {
    expect((await ask({}, { zone: '', header })).fault).toBe('ErrorTimeZone');
  });

  it.each([
    ['a month 13', ZONES['Europe/Berlin'].replace('<t:Month>10<', '<t:Month>13<')],
    ['a day that its year does not have', ZONES['Europe/Berlin'].replace('<t:DayOrder>5</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>', '<t:DayOrder>31</t:DayOrder><t:Month>2</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Year>2026</t:Year>')],
    ['a day that is none', ZONES['Europe/Berlin'].replaceAll('Sunday', 'Someday')],
    ['a bias of a week', ZONES['Europe/Berlin'].replace('<t:Bias>-60<', '<t:Bias>-10080<')],
    ['a time that is none', ZONES['Europe/Berlin'].replace('03:00:00', '3 pm')],
  ])('%s in the TimeZone is ErrorTimeZone', async (_name, zone) => {
    expect((await ask({}, { zone })).fault).toBe('ErrorTimeZone');
  });
});

describe('a full TimeZoneDefinition under an id of the client\'s own', () => {
  const halves = (standard: string, daylight: string): string =>
    `<t:Periods><t:Period Bias="PT1H" Name="Standard" Id="s"/><t:Period Bias="${standard}" Name="Standard" Id="std"/><t:Period Bias="${daylight}" Name="Daylight" Id="dlt"/></t:Periods>`;
  const yearly = (to: string, offset: string, month: number, occurrence: number): string =>
    `<t:RecurringDayTransition><t:To Kind="Period">${to}</t:To><t:TimeOffset>${offset}</t:TimeOffset><t:Month>${month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>${occurrence}</t:Occurrence></t:RecurringDayTransition>`;

  it('is read: Berlin', async () => {
    const groups = `<t:TransitionsGroups><t:TransitionsGroup Id="0">${yearly('dlt', 'PT2H', 3, -1)}${yearly('std', 'PT3H', 10, -1)}</t:TransitionsGroup></t:TransitionsGroups>`;
    const inside = `${halves('-PT60M', '-PT2H')}${groups}<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition></t:Transitions>`;
    await agreesWithTzdata('Europe/Berlin', { zone: '', header: context('Customized Time Zone', inside) });
  });

  it('is read: New York, whose standard half stands first, after another law until 2007', async () => {
    const groups =
      `<t:TransitionsGroups><t:TransitionsGroup Id="0"><t:Transition><t:To Kind="Period">s</t:To></t:Transition></t:TransitionsGroup>` +
      `<t:TransitionsGroup Id="1">${yearly('std', 'PT2H', 11, 1)}${yearly('dlt', 'PT2H', 3, 2)}</t:TransitionsGroup></t:TransitionsGroups>`;
    const changes = `<t:Transitions><t:Transition><t:To Kind="Group">0</t:To></t:Transition><t:AbsoluteDateTransition><t:To Kind="Group">1</t:To><t:DateTime>2007-01-01T00:00:00</t:DateTime></t:AbsoluteDateTransition></t:Transitions>`;
    const header = context('tzone://Microsoft/Custom', `${halves('PT5H', 'PT4H')}${groups}${changes}`);
    await agreesWithTzdata('America/New_York', { zone: '', header });
    const { asked } = await ask({}, { zone: '', header, start: '2006-07-01T00:00:00', end: '2006-07-02T00:00:00' });
    expect(asked[0]!.window.start).toBe(Date.UTC(2006, 6, 1, 1));
  });

  it('counts less than a Windows id that we know', async () => {
    await agreesWithTzdata('Europe/Berlin', { zone: '', header: context('W. Europe Standard Time', halves('PT5H', 'PT4H')) });
    expect(ianaFromWindows('W. Europe Standard Time')).toBe('Europe/Berlin');
  });
});
