import { describe, expect, it } from 'vitest';
import { readXml } from '../../../src/platform/xml/read.ts';
import { writeXml } from '../../../src/platform/xml/write.ts';
import { decodeTimeZone, encodeTimeZone } from '../../../src/protocols/ews/time-zone.ts';
import { decodeWorkingHours } from '../../../src/protocols/ews/working-hours.ts';

// exchange.md §3.2, and month 0 as a stock Zimbra sends it (ews-server/availability-month0.request.xml).
const BERLIN =
  '<t:TimeZone xmlns:t="urn:t"><t:Bias>-60</t:Bias><t:StandardTime><t:Bias>0</t:Bias><t:Time>03:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime><t:DaylightTime><t:Bias>-60</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone>';
const MONTH_0 = BERLIN.replace('<t:Month>10<', '<t:Month>0<').replace('<t:Month>3<', '<t:Month>0<').replaceAll('<t:DayOrder>5<', '<t:DayOrder>0<');

function hours(days: string, start = '480', end = '1020', zone = BERLIN): string {
  return `<t:WorkingHours xmlns:t="urn:t">${zone}<t:WorkingPeriodArray><t:WorkingPeriod><t:DayOfWeek>${days}</t:DayOfWeek><t:StartTimeInMinutes>${start}</t:StartTimeInMinutes><t:EndTimeInMinutes>${end}</t:EndTimeInMinutes></t:WorkingPeriod></t:WorkingPeriodArray></t:WorkingHours>`;
}

describe('working hours', () => {
  it.each([
    ['Monday Tuesday', ['Monday', 'Tuesday']],
    ['Weekday', ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday']],
    ['WeekendDay', ['Sunday', 'Saturday']],
    ['Day', ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']],
    [' Friday\n Monday Friday ', ['Monday', 'Friday']],
    ['', []],
  ])('of %j are on %j', async (text, days) => {
    expect(decodeWorkingHours(await readXml(hours(text)))?.periods).toEqual([{ days, startMinute: 480, endMinute: 1020 }]);
  });

  it.each([
    ['a day nobody has', hours('Funday')],
    ['a start that is no number', hours('Monday', 'eight')],
    ['an end behind midnight', hours('Monday', '480', '1441')],
    ['no time zone', hours('Monday', '480', '1020', '')],
    ['no periods', `<t:WorkingHours xmlns:t="urn:t">${BERLIN}</t:WorkingHours>`],
  ])('with %s are left out', async (_name, text) => {
    expect(decodeWorkingHours(await readXml(text))).toBeUndefined();
  });
});

describe('a SerializableTimeZone on the wire', () => {
  it('is read, and written back in the order of the schema', async () => {
    const zone = decodeTimeZone(await readXml(BERLIN))!;
    expect(zone).toEqual({
      biasMinutes: -60,
      standard: { biasMinutes: 0, secondOfDay: 10_800, dayOrder: 5, month: 10, dayOfWeek: 'Sunday' },
      daylight: { biasMinutes: -60, secondOfDay: 7_200, dayOrder: 5, month: 3, dayOfWeek: 'Sunday' },
    });
    expect(writeXml(encodeTimeZone('t:TimeZone', zone)).replace(/^<\?xml.*?\?>/, '')).toBe(BERLIN.replace(' xmlns:t="urn:t"', ''));
  });

  it('may have Month 0 and DayOrder 0, and a Year with a day of the month', async () => {
    expect(decodeTimeZone(await readXml(MONTH_0))?.standard).toMatchObject({ month: 0, dayOrder: 0 });
    const ofOneYear = BERLIN.replaceAll('<t:DayOrder>5<', '<t:DayOrder>29<').replaceAll('</t:DayOfWeek>', '</t:DayOfWeek><t:Year>2026</t:Year>');
    expect(decodeTimeZone(await readXml(ofOneYear))?.daylight).toMatchObject({ year: 2026, dayOrder: 29 });
  });

  it.each([
    ['a bias of two days', BERLIN.replace('>-60<', '>-2880<')],
    ['a bias that is no number', BERLIN.replace('>-60<', '>-60.5<')],
    ['a time that does not exist', BERLIN.replace('03:00:00', '24:00:00')],
    ['a thirteenth month', BERLIN.replace('<t:Month>10<', '<t:Month>13<')],
    ['a sixth Sunday', BERLIN.replace('<t:DayOrder>5<', '<t:DayOrder>6<')],
    ['a last Sunday written as −1', BERLIN.replace('<t:DayOrder>5<', '<t:DayOrder>-1<')],
    ['a day of recurrences only', BERLIN.replace('>Sunday<', '>Weekday<')],
    ['one switch only', BERLIN.replace(/<t:DaylightTime>.*<\/t:DaylightTime>/, '')],
  ])('with %s is none', async (_name, text) => {
    expect(decodeTimeZone(await readXml(text))).toBeUndefined();
  });
});
