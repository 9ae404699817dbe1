import { describe, expect, it } from 'vitest';
import { ianaFromWindows, windowsFromIana } from '../../src/timezones/windows-zones.ts';

// exchange.md §6.3: CLDR's territory 001, then what is met besides.
const SHEET: Readonly<Record<string, string>> = {
  'W. Europe Standard Time': 'Europe/Berlin',
  'Romance Standard Time': 'Europe/Paris',
  'Central Europe Standard Time': 'Europe/Budapest',
  'Central European Standard Time': 'Europe/Warsaw',
  'GMT Standard Time': 'Europe/London',
  'Greenwich Standard Time': 'Atlantic/Reykjavik',
  'GTB Standard Time': 'Europe/Bucharest',
  'FLE Standard Time': 'Europe/Kiev',
  'Eastern Standard Time': 'America/New_York',
  'Central Standard Time (Mexico)': 'America/Mexico_City',
  'US Eastern Standard Time': 'America/Indianapolis',
  'US Mountain Standard Time': 'America/Phoenix',
  'India Standard Time': 'Asia/Calcutta',
  'Nepal Standard Time': 'Asia/Katmandu',
  'Lord Howe Standard Time': 'Australia/Lord_Howe',
  'Russia Time Zone 10': 'Asia/Srednekolymsk',
  'UTC-02': 'Etc/GMT+2',
  'UTC+13': 'Etc/GMT-13',
  UTC: 'Etc/UTC',
  'Kamchatka Standard Time': 'Asia/Kamchatka',
  'Mid-Atlantic Standard Time': 'Etc/GMT+2',
};

const MEMBERS: Readonly<Record<string, string>> = {
  'Europe/Amsterdam': 'W. Europe Standard Time',
  'Europe/Rome': 'W. Europe Standard Time',
  'Europe/Vienna': 'W. Europe Standard Time',
  'Europe/Brussels': 'Romance Standard Time',
  'Europe/Madrid': 'Romance Standard Time',
  'Europe/Prague': 'Central Europe Standard Time',
  'Europe/Zagreb': 'Central European Standard Time',
  'Europe/Athens': 'GTB Standard Time',
  'Europe/Helsinki': 'FLE Standard Time',
  'Europe/Kyiv': 'FLE Standard Time',
  'Europe/Lisbon': 'GMT Standard Time',
  'Asia/Kolkata': 'India Standard Time',
  'Asia/Kathmandu': 'Nepal Standard Time',
  'Asia/Yangon': 'Myanmar Standard Time',
  'America/Nuuk': 'Greenland Standard Time',
  'America/Argentina/Buenos_Aires': 'Argentina Standard Time',
  'America/Indiana/Indianapolis': 'US Eastern Standard Time',
  'Etc/UTC': 'UTC',
};

describe('Windows ids and IANA names', () => {
  it.each(Object.entries(SHEET))('%s is %s', (id, name) => {
    expect(ianaFromWindows(id)).toBe(name);
  });

  it.each(Object.entries(MEMBERS))('%s belongs to %s', (name, id) => {
    expect(windowsFromIana(name)).toBe(id);
  });

  it('does not care about case and blanks in a Windows id', () => {
    expect(ianaFromWindows(' w. europe STANDARD time ')).toBe('Europe/Berlin');
    expect(ianaFromWindows('tzone://Microsoft/Utc')).toBe('Etc/UTC');
  });

  it.each(['Customized Time Zone', 'tzone://Microsoft/Custom', 'tzone://Microsoft/Local', 'Europe/Berlin', '', 'constructor', '__proto__'])(
    'knows no IANA zone for %j',
    (id) => {
      expect(ianaFromWindows(id)).toBeUndefined();
    },
  );

  it.each(['Mars/Olympus', '', 'constructor'])('knows no Windows id for %j', (name) => {
    expect(windowsFromIana(name)).toBeUndefined();
  });
});
