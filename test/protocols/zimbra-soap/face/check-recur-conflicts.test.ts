import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../src/core/clock.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { turnsDuring } from '../../../event-loop-turns.ts';
import { openFace, send, sendJson, xmlMessage } from './asking.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const between = (from: string, to: string): { readonly start: number; readonly end: number } => ({ start: utc(from), end: utc(to) });

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({
    clock: { now: () => utc('2009-01-01T00:00') },
    calendars: {
      // 12:00 in Los Angeles is 20:00 UTC in winter and 19:00 in summer.
      'kim@zimbra.example': {
        busy: [
          { ...between('2009-01-05T20:30', '2009-01-05T20:45'), busyType: 'tentative' },
          { ...between('2009-01-05T20:45', '2009-01-05T23:00'), busyType: 'busy' },
          { ...between('2009-01-26T19:00', '2009-01-26T20:00'), busyType: 'busy' },
          { ...between('2009-04-06T19:00', '2009-04-06T20:00'), busyType: 'oof' },
          { ...between('2009-01-12T20:00', '2009-01-12T20:30'), busyType: 'busy' },
          { ...between('2009-02-02T20:00', '2009-02-02T21:00'), busyType: 'no-data' },
        ],
      },
      'lee@zimbra.example': { busy: [{ ...between('2009-01-12T22:00', '2009-01-12T22:30'), busyType: 'tentative' }, { ...between('2009-01-05T00:00', '2009-01-06T00:00'), busyType: 'working-elsewhere' }] },
      'free@zimbra.example': {},
      'crowded@zimbra.example': { busy: Array.from({ length: 20_000 }, (_, index) => ({ start: utc('2009-01-06T00:00') + index * 10 * MINUTE_MS, end: utc('2009-01-06T00:05') + index * 10 * MINUTE_MS, busyType: 'busy' })) },
    },
  });
});
afterAll(() => face.close());
beforeEach(() => void (face.asked as unknown[]).splice(0));

const LOS_ANGELES = '<tz dayoff="-420" stdoff="-480" id="America/Los_Angeles"><standard sec="0" min="0" hour="2" wkday="1" week="1" mon="11"/><daylight min="0" wkday="1" sec="0" week="2" mon="3" hour="2"/></tz>';
/** zm-soap-harness, CheckRecurConflictsRequest.xml, "test 1", with our users. */
const HARNESS = `<comp><s tz="America/Los_Angeles" d="20090105T120000"/><e tz="America/Los_Angeles" d="20090105T130000"/><recur><add><rule freq="WEE"><count num="52"></count><interval ival="1"></interval></rule></add></recur></comp>
<except><exceptId tz="America/Los_Angeles" d="20090112T120000"/><s tz="America/Los_Angeles" d="20090112T130000"/><e tz="America/Los_Angeles" d="20090112T150000"/></except>
<cancel><exceptId tz="America/Los_Angeles" d="20090119T120000"/></cancel>`;
const RANGE = 's="1230768000000" e="1262304000000"';
const USERS = '<usr name="kim@zimbra.example"/><usr name="lee@zimbra.example"/>';
const ask = (content: string, attributes = RANGE): ReturnType<typeof send> => send(face, xmlMessage(`<CheckRecurConflictsRequest xmlns="urn:zimbraMail" ${attributes}>${content}</CheckRecurConflictsRequest>`));

const WEEKLY = '<recur><add><rule freq="WEE"><count num="3"/></rule></add></recur>';
interface Found {
  readonly at: string;
  readonly minutes: number;
  readonly ridZ: string;
  readonly users: string;
}
async function instances(content: string, attributes = `${RANGE} all="1"`): Promise<readonly Found[]> {
  const { status, text } = await ask(content, attributes);
  expect([status, text.includes('CheckRecurConflictsResponse xmlns="urn:zimbraMail"')]).toEqual([200, true]);
  return [...text.matchAll(/<inst s="(-?\d+)" dur="(\d+)"(?: allDay="1" tzo="(-?\d+)")? ridZ="(\w+)"(?:\/>|>(.*?)<\/inst>)/g)].map(([, s, dur, , ridZ, users]) => ({
    at: new Date(Number(s)).toISOString().slice(0, 16),
    minutes: Number(dur) / 60_000,
    ridZ: ridZ!,
    users: [...(users ?? '').matchAll(/<usr name="(\w+)@zimbra.example" fb="(\w)"\/>/g)].map(([, name, letter]) => `${name} ${letter}`).join(', '),
  }));
}

describe('CheckRecurConflictsRequest', () => {
  it('finds the conflicts of the harness’ series: exception moved, cancellation gone, local time kept over the change of clocks', async () => {
    const { text } = await ask(LOS_ANGELES + HARNESS + USERS);
    const inst = (s: string, dur: number, ridZ: string, users: string): string => `<inst s="${utc(s)}" dur="${dur}" ridZ="${ridZ}">${users}</inst>`;
    const usr = (name: string, fb: string): string => `<usr name="${name}@zimbra.example" fb="${fb}"/>`;
    expect(/<soap:Body>(.*)<\/soap:Body>/.exec(text)?.[1]).toBe(
      `<CheckRecurConflictsResponse xmlns="urn:zimbraMail">${[
        inst('2009-01-05T20:00', HOUR_MS, '20090105T200000Z', usr('kim', 'B')),
        inst('2009-01-12T21:00', 2 * HOUR_MS, '20090112T200000Z', usr('lee', 'T')),
        inst('2009-02-02T20:00', HOUR_MS, '20090202T200000Z', usr('kim', 'N')),
        inst('2009-04-06T19:00', HOUR_MS, '20090406T190000Z', usr('kim', 'O')),
      ].join('')}</CheckRecurConflictsResponse>`,
    );
    expect(face.asked).toHaveLength(1);
    expect(face.asked[0]!.window).toEqual({ start: utc('2009-01-05T20:00'), end: utc('2009-12-28T21:00') });
  });

  it('gives all instances where all is asked for, 51 of 52 here', async () => {
    const found = await instances(LOS_ANGELES + HARNESS + USERS);
    expect(found).toHaveLength(51);
    expect(found.filter(({ users }) => users !== '')).toHaveLength(4);
    expect(found.some(({ ridZ }) => ridZ === '20090119T200000Z')).toBe(false);
  });

  it('counts somebody of whom nothing is known as N at every instance, never as free', async () => {
    const found = await instances(`<comp><s d="20090105T120000Z"/><dur h="1"/>${WEEKLY}</comp><usr name="nobody@zimbra.example"/><usr name="free@zimbra.example"/><usr id="1f2e3d4c-0000-4000-8000-000000000001"/>`, RANGE);
    expect(found.map(({ at, users }) => [at, users])).toEqual([['2009-01-05T12:00', 'nobody N'], ['2009-01-12T12:00', 'nobody N'], ['2009-01-19T12:00', 'nobody N']]);
  });

  it('takes all-day appointments from midnight to midnight of their zone', async () => {
    const found = await ask(`${LOS_ANGELES}<comp><s tz="America/Los_Angeles" d="20090308"/><e tz="America/Los_Angeles" d="20090309"/></comp><usr name="nobody@zimbra.example"/>`);
    // The clocks go forward on that day: 23 hours.
    expect(found.text).toContain(`<inst s="${utc('2009-03-08T08:00')}" dur="${23 * HOUR_MS}" allDay="1" tzo="${-8 * HOUR_MS}" ridZ="20090308"><usr `);
    const sameDay = await instances('<comp><s d="20090308"/><e d="20090308"/></comp>');
    expect(sameDay.map(({ minutes }) => minutes)).toEqual([1_440]);
  });

  it('reads what the web client sends in JSON, lists of everything', async () => {
    const { Body } = await sendJson(face, {
      CheckRecurConflictsRequest: {
        _jsns: 'urn:zimbraMail', s: utc('2009-01-01T00:00'), e: utc('2010-01-01T00:00'), all: 1, excludeUid: 'x',
        comp: [{ allDay: false, s: [{ d: '20090105T210000', tz: 'Europe/Berlin', u: 1 }], e: [{ d: '20090105T220000', tz: 'Europe/Berlin' }], recur: [{ add: [{ rule: [{ freq: 'DAI', interval: [{ ival: 1 }], count: [{ num: 2 }] }] }] }] }],
        usr: [{ name: 'kim@zimbra.example', l: 10 }],
      },
    });
    expect(Body.CheckRecurConflictsResponse).toEqual({
      inst: [
        { s: utc('2009-01-05T20:00'), dur: HOUR_MS, ridZ: '20090105T200000Z', usr: [{ name: 'kim@zimbra.example', fb: 'B' }] },
        { s: utc('2009-01-06T20:00'), dur: HOUR_MS, ridZ: '20090106T200000Z' },
      ],
      _jsns: 'urn:zimbraMail',
    });
  });

  it('adds dates and takes them and rules away', async () => {
    const found = await instances(
      `<comp><s tz="Europe/Berlin" d="20090302T100000"/><dur m="30"/><recur>
        <add><rule freq="WEE"><until d="20090330"/><byday><wkday day="MO"/><wkday day="WE"/></byday></rule>
          <dates tz="Europe/Berlin"><dtval><s d="20090307T100000"/></dtval><dtval><s d="20090308T100000"/><dur h="3"/></dtval><dtval><s d="20090314T100000Z"/><e d="20090314T113000Z"/></dtval></dates></add>
        <exclude><rule freq="WEE"><interval ival="2"/><byday><wkday day="WE"/></byday></rule><dates tz="America/New_York"><dtval><s d="20090316T050000"/></dtval></dates></exclude>
      </recur></comp>`,
    );
    expect(found.map(({ at, minutes }) => `${at.slice(5)} ${minutes}`)).toEqual([
      '03-02T09:00 30', '03-07T09:00 30', '03-08T09:00 180', '03-09T09:00 30', '03-11T09:00 30', '03-14T10:00 90',
      '03-23T09:00 30', '03-25T09:00 30', '03-30T08:00 30',
    ]);
  });

  it('keeps to the range, and to what is to come where none is given', async () => {
    const series = '<comp><s d="20081225T120000Z"/><e d="20081225T130000Z"/><recur><add><rule freq="DAI"/></add></recur></comp>';
    const days = (await instances(series, `s="${utc('2009-02-01T12:30')}" e="${utc('2009-02-03T12:00')}" all="1"`)).map(({ at }) => at.slice(5));
    expect(days).toEqual(['02-01T12:00', '02-02T12:00']);
    const open = await instances(series, 'all="1"');
    expect([open[0]!.at, open.length]).toEqual(['2009-01-01T12:00', 730]);
    expect(await instances(series, 's="5" e="4" all="1"')).toEqual([]);
  });

  it('knows zones by IANA name, by definition and by Windows name', async () => {
    const odd = '<tz id="Here" stdoff="345" dayoff="405"><standard week="-1" wkday="1" mon="10" hour="2" min="0" sec="0"/><daylight week="2" wkday="1" mon="3" hour="2" min="0" sec="0"/></tz>';
    for (const [zone, definition, winter, summer] of [
      ['Asia/Kathmandu', '', '06:15', '06:15'],
      ['Here', odd, '06:15', '05:15'],
      ['W. Europe Standard Time', '', '11:00', '10:00'],
      // What is known wins over what came along.
      ['Europe/Berlin', odd.replace('Here', 'Europe/Berlin'), '11:00', '10:00'],
    ] as const) {
      const found = await instances(`${definition}<comp><s tz="${zone}" d="20090105T120000"/><dur h="1"/></comp><comp><s tz="${zone}" d="20090706T120000"/><dur h="1"/></comp>`);
      expect([zone, ...found.map(({ at }) => at.slice(11))]).toEqual([zone, winter, summer]);
    }
  });

  it('moves what falls into the hour that does not exist, and takes the later of the hour that comes twice', async () => {
    const found = await instances('<comp><s tz="Europe/Berlin" d="20090329T023000"/><dur h="1"/></comp><comp><s tz="Europe/Berlin" d="20091025T023000"/><dur h="1"/></comp>');
    expect(found.map(({ at }) => at)).toEqual(['2009-03-29T01:30', '2009-10-25T01:30']);
  });

  it('answers with nothing where there is no appointment', async () => {
    expect((await ask(USERS)).text).toContain('<CheckRecurConflictsResponse xmlns="urn:zimbraMail"/>');
    expect((await ask('<cancel/>' + USERS)).status).toBe(200);
    expect(face.asked).toHaveLength(0);
  });

  const comp = (recur: string, more = '<dur h="1"/>', start = 'd="20090105T120000Z"'): string => `<comp><s ${start}/>${more}<recur><add>${recur}</add></recur></comp>${USERS}`;
  it.each([
    ['letters for times (harness, test 5)', HARNESS + USERS, 's="aaa" e="bbb"'],
    ['a date that is none (harness, test 6)', '<comp><s d="aaa"/><e d="bbb"/></comp>', RANGE],
    ['the 30th of February', '<comp><s d="20090230"/><dur d="1"/></comp>', RANGE],
    ['no start', '<comp><e d="20090105T120000Z"/></comp>', RANGE],
    ['neither end nor duration', '<comp><s d="20090105T120000Z"/></comp>', RANGE],
    ['an end before the start', '<comp><s d="20090105T120000Z"/><e d="20090105T110000Z"/></comp>', RANGE],
    ['a negative duration', '<comp><s d="20090105T120000Z"/><dur neg="1" h="1"/></comp>', RANGE],
    ['a duration of a million weeks', '<comp><s d="20090105"/><dur w="1000000"/></comp>', RANGE],
    ['an unknown zone', '<comp><s tz="Nowhere/Else" d="20090105T120000"/><dur h="1"/></comp>', RANGE],
    ['a zone of 100,000 letters', `<comp><s tz="${'x'.repeat(100_000)}" d="20090105T120000"/><dur h="1"/></comp>`, RANGE],
    ['a frequency that does not exist', comp('<rule freq="toString"/>'), RANGE],
    ['an interval of 0', comp('<rule freq="DAI"><interval ival="0"/></rule>'), RANGE],
    ['a count of −1', comp('<rule freq="DAI"><count num="-1"/></rule>'), RANGE],
    ['a month 13', comp('<rule freq="DAI"><bymonth molist="13"/></rule>'), RANGE],
    ['a thousand million seconds', comp('<rule freq="SEC"><count num="1000000000"/></rule>'), RANGE],
    ['every second of every minute for ever', comp(`<rule freq="DAI"><bysecond seclist="${Array.from({ length: 60 }, (_, index) => index).join(',')}"/><byminute minlist="${Array.from({ length: 60 }, (_, index) => index).join(',')}"/></rule>`), RANGE],
    ['a day that never comes', comp('<rule freq="DAI"><bymonth molist="2"/><bymonthday modaylist="30"/><count num="2"/></rule>'), 's="1230768000000" e="253402300799999"'],
    ['2,001 instances', comp('<rule freq="DAI"/>'), `s="1230768000000" e="${1230768000000 + 2_010 * DAY_MS}"`],
    ['a list without end', comp(`<rule freq="DAI"><bymonthday modaylist="${'1,'.repeat(100_000)}1"/></rule>`), RANGE],
    ['10,000 appointments', '<comp><s d="20090105T120000Z"/><dur h="1"/></comp>'.repeat(10_000), RANGE],
    ['10,000 dates', comp(`<dates>${'<dtval><s d="20090105T120000Z"/></dtval>'.repeat(10_000)}</dates>`), RANGE],
    ['21 spellings of a zone', `<comp><s d="20090105T120000Z"/><dur h="1"/><recur><add><dates>${Array.from({ length: 21 }, (_, index) => `<dtval><s tz="Europe/${'paris'.replace(/./g, (letter, at: number) => ((index >> at) & 1 ? letter.toUpperCase() : letter))}" d="20090105T120000"/></dtval>`).join('')}</dates></add></recur></comp>`, RANGE],
    ['401 weekdays', comp(`<rule freq="YEA"><byday>${'<wkday day="MO"/>'.repeat(401)}</byday></rule>`), RANGE],
    ['501 users', `<comp><s d="20090105T120000Z"/><dur h="1"/></comp>${Array.from({ length: 501 }, (_, index) => `<usr name="u${index}@b.example"/>`).join('')}`, RANGE],
    ['1,826 instances for 100 users', `${comp('<rule freq="DAI"/>')}${Array.from({ length: 100 }, (_, index) => `<usr name="u${index}@b.example"/>`).join('')}`, `s="1230768000000" e="${1230768000000 + 1_826 * DAY_MS}"`],
  ])('refuses %s with service.INVALID_REQUEST, and asks nobody', async (_what, content, attributes) => {
    const { status, text } = await ask(content, attributes);
    expect([status, /<Code>([^<]*)<\/Code>/.exec(text)?.[1]]).toEqual([500, 'service.INVALID_REQUEST']);
    expect(face.asked).toHaveLength(0);
  });

  it.each(['YEA', 'MON'])('comes to an end with an interval beyond all dates (%s)', async (frequency) => {
    expect(await instances(comp(`<rule freq="${frequency}"><interval ival="999999999999999"/></rule>`))).toMatchObject([{ at: '2009-01-05T12:00' }]);
  });

  it('spends what an expansion may cost once, over all parts of a batch', async () => {
    const part = (requestId: string): string => `<CheckRecurConflictsRequest xmlns="urn:zimbraMail" requestId="${requestId}" s="1230768000000" e="${Date.UTC(2342, 0, 1)}">${comp('<rule freq="MON"><bymonth molist="2"/><bymonthday modaylist="30"/></rule>')}</CheckRecurConflictsRequest>`;
    const { text } = await send(face, xmlMessage(`<BatchRequest xmlns="urn:zimbra">${part('a')}${part('b')}</BatchRequest>`));
    expect([...text.matchAll(/<(soap:Fault|CheckRecurConflictsResponse)[^>]* requestId="(\w)"/g)].map(([, name, id]) => [id, name])).toEqual([
      ['a', 'CheckRecurConflictsResponse'],
      ['b', 'soap:Fault'],
    ]);
  });

  it('lets others run while an appointment is compared with fifty full calendars', async () => {
    const spellings = Array.from({ length: 50 }, (_, index) => `<usr name="${'crowded'.replace(/./g, (letter, at: number) => ((index >> at) & 1 ? letter.toUpperCase() : letter))}@zimbra.example"/>`);
    const turns = await turnsDuring(async () => expect((await ask(`<comp><s d="20090105"/><dur d="200"/></comp>${spellings.join('')}`)).text.match(/fb="B"/g)).toHaveLength(50));
    // 20,000 stretches a calendar, as many a turn.
    expect(turns).toBeGreaterThanOrEqual(50);
  });

  it('lets others run while 1,900 instances are found', async () => {
    const turns = await turnsDuring(() => ask(`<comp><s tz="America/New_York" d="20090105T120000"/><dur h="1"/><recur><add><rule freq="DAI"/></add></recur></comp>${USERS}`, `s="1230768000000" e="${1230768000000 + 1_900 * DAY_MS}" all="1"`));
    expect(turns).toBeGreaterThanOrEqual(20);
  });
});
