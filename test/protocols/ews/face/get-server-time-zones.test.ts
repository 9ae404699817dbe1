import { describe, expect, it, vi } from 'vitest';
import { attribute, childrenNamed, childText, descend } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { EwsFault } from '../../../../src/protocols/ews/face/faults.ts';
import { serverTimeZones } from '../../../../src/protocols/ews/face/server-time-zones.ts';
import { turnsDuring } from '../../../event-loop-turns.ts';
import { ask, bodyOf } from './asked.ts';
import type { Answer, Asking } from './asked.ts';

const zones = ({ messages }: Answer): readonly XmlElement[] => childrenNamed(descend(messages[0], 'TimeZoneDefinitions'), 'TimeZoneDefinition');
const idsOf = (answer: Answer) => zones(answer).map((one) => attribute(one, 'Id'));
const askFor = (ids: readonly string[], attributes = 'ReturnFullTimeZoneData="true"', asking?: Asking) =>
  ask(bodyOf('GetServerTimeZones', ids.length === 0 ? '' : `<m:Ids>${ids.map((id) => `<t:Id>${id}</t:Id>`).join('')}</m:Ids>`, attributes), asking);

describe('GetServerTimeZones', () => {
  it('gives all zones of Windows, each once and with a name', async () => {
    const answer = await askFor([], 'ReturnFullTimeZoneData="false"');
    const ids = idsOf(answer);
    expect(new Set(ids).size).toBe(ids.length);
    // Of CLDR's table; nobody could miss one of these.
    expect(ids).toEqual(expect.arrayContaining(['UTC', 'W. Europe Standard Time', 'India Standard Time', 'Nepal Standard Time', 'Dateline Standard Time', 'Line Islands Standard Time', 'Greenwich Standard Time', 'Morocco Standard Time']));
    expect(ids.length).toBeGreaterThan(130);
    expect(zones(answer).every((one) => (attribute(one, 'Name') ?? '') !== '' && one.children.length === 0)).toBe(true);
    expect(attribute(zones(answer).find((one) => attribute(one, 'Id') === 'Nepal Standard Time'), 'Name')).toMatch(/^\(UTC\+05:45\)/);
  });

  it('gives whole definitions of all of them', async () => {
    const answer = await askFor([], '');
    expect(zones(answer).length).toBeGreaterThan(130);
    expect(zones(answer).every((one) => childrenNamed(one, 'Periods').length === 1)).toBe(true);
  });

  it('says that Berlin goes forward on the last Sunday of March at two and back on that of October at three', async () => {
    const [berlin] = zones(await askFor(['W. Europe Standard Time']));
    expect(descend(berlin, 'Periods')?.children.map((one) => [attribute(one, 'Name'), attribute(one, 'Bias')])).toEqual([
      ['Standard', '-PT60M'],
      ['Daylight', '-PT120M'],
    ]);
    const yearly = descend(berlin, 'TransitionsGroups', 'TransitionsGroup')!.children;
    expect(yearly.map((one) => ['TimeOffset', 'Month', 'DayOfWeek', 'Occurrence'].map((name) => childText(one, name)))).toEqual([
      ['PT120M', '3', 'Sunday', '-1'],
      ['PT180M', '10', 'Sunday', '-1'],
    ]);
    expect(yearly.map((one) => childText(one, 'To'))).toEqual(descend(berlin, 'Periods')!.children.map((one) => attribute(one, 'Id')).reverse());
  });

  it('says that Sydney goes forward on the first Sunday of October and back on that of April', async () => {
    const [sydney] = zones(await askFor(['AUS Eastern Standard Time']));
    const yearly = descend(sydney, 'TransitionsGroups', 'TransitionsGroup')!.children;
    expect(yearly.map((one) => [childText(one, 'Month'), childText(one, 'Occurrence')])).toEqual([
      ['10', '1'],
      ['4', '1'],
    ]);
  });

  it('gives a zone without daylight time one period', async () => {
    const [kolkata] = zones(await askFor(['India Standard Time']));
    expect(descend(kolkata, 'Periods')?.children.map((one) => attribute(one, 'Bias'))).toEqual(['-PT330M']);
    expect(descend(kolkata, 'TransitionsGroups', 'TransitionsGroup')?.children.map((one) => one.name)).toEqual(['Transition']);
  });

  it('gives what was asked for once, whatever its case, and leaves out what nobody knows', async () => {
    expect(idsOf(await askFor(['utc', 'UTC', 'W. EUROPE STANDARD TIME', 'No Such Time', ...Array.from({ length: 10_000 }, (_, index) => `Zone ${index}`)]))).toEqual(['UTC', 'W. Europe Standard Time']);
    expect(idsOf(await askFor(['No Such Time']))).toEqual([]);
  });

  it('follows the rules of the year it is', async () => {
    // Egypt has had daylight time again since 2023.
    const [before] = zones(await askFor(['Egypt Standard Time'], '', { now: Date.parse('2022-06-01T00:00:00Z') }));
    const [after] = zones(await askFor(['Egypt Standard Time'], '', { now: Date.parse('2026-06-01T00:00:00Z') }));
    expect(descend(before, 'Periods')?.children).toHaveLength(1);
    expect(descend(after, 'Periods')?.children).toHaveLength(2);
  });

  it('makes its list once for all who ask meanwhile', async () => {
    const clock = { now: () => Date.parse('2032-06-01T00:00:00Z') };
    const [first, second] = [serverTimeZones(clock), serverTimeZones(clock)];
    expect(await second).toBe(await first);
    expect(await serverTimeZones(clock)).toBe(await first);
  });

  it('lets others have their turn while it looks for the zones that there are', async () => {
    const names = vi.spyOn(Intl, 'supportedValuesOf').mockReturnValue(Array<string>(5_000).fill('Europe/Berlin'));
    try {
      // Two dozen zones are made of these names; a turn for each of them would be too few.
      expect(await turnsDuring(() => serverTimeZones({ now: () => Date.parse('2031-06-01T00:00:00Z') }))).toBeGreaterThan(100);
    } finally {
      names.mockRestore();
    }
  });

  it('is against the schema of Exchange 2007', async () => {
    for (const version of ['Exchange2007', 'Exchange2007_SP1'] as const) {
      await expect(askFor([], '', { version })).rejects.toSatisfy((error) => error instanceof EwsFault && error.code === 'ErrorSchemaValidation');
    }
  });
});
