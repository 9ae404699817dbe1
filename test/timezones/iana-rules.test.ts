import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import { localFromUtc, UTC_ZONE } from '../../src/timezones/bias-rules.ts';
import { serializableTimeZoneFor } from '../../src/timezones/iana-rules.ts';
import { localByIntl, SHEET_ZONES } from './sheet-zones.ts';

const HOUR = 3_600_000;

describe('an IANA zone as a SerializableTimeZone', () => {
  for (const { name, zone } of SHEET_ZONES) {
    it(`${name} of 2026 is the row of exchange.md §6.1`, () => {
      expect(serializableTimeZoneFor(name, 2026)).toEqual(zone);
    });
  }

  it('Kolkata has a bias of −330 and no daylight time', () => {
    const zone = serializableTimeZoneFor('Asia/Kolkata', 2026);
    expect(zone.biasMinutes).toBe(-330);
    expect([zone.standard.biasMinutes, zone.daylight.biasMinutes]).toEqual([0, 0]);
  });

  it('Ireland, whose winter tzdata calls the exception, is read by its offsets', () => {
    expect(serializableTimeZoneFor('Europe/Dublin', 2026)).toEqual(SHEET_ZONES.find((one) => one.name === 'Europe/London')!.zone);
  });

  it('is UTC in years whose rules the form cannot hold over New Year', () => {
    // Morocco stops its summer time for Ramadan, which wanders; Gaza does too.
    for (const year of [2024, 2025]) expect(serializableTimeZoneFor('Africa/Casablanca', year)).toBe(UTC_ZONE);
    expect(serializableTimeZoneFor('Asia/Gaza', 2026)).toBe(UTC_ZONE);
  });

  it('refuses a name that is no zone', () => {
    expect(() => serializableTimeZoneFor('Mars/Olympus', 2026)).toThrow(BridgeError);
  });

  it('agrees with Intl all through its year, for every zone there is', () => {
    const zones = Intl.supportedValuesOf('timeZone').filter((_, index) => index % 9 === 0);
    const wrong: string[] = [];
    for (const name of zones) {
      for (const year of [2024, 2026, 2028]) {
        const zone = serializableTimeZoneFor(name, year);
        if (zone === UTC_ZONE) continue;
        for (let at = Date.UTC(year, 0, 2); at < Date.UTC(year, 11, 30); at += 5 * HOUR) {
          // 24:00 laws are written 23:59:59, so the second before a switch may differ; whole hours never do.
          if (localFromUtc(zone, at) !== localByIntl(name, at)) wrong.push(`${name} ${new Date(at).toISOString()}`);
        }
      }
    }
    expect(zones.length).toBeGreaterThan(40);
    expect(wrong.slice(0, 10)).toEqual([]);
  });
});
