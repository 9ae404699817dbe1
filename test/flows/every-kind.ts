import { openBackEnd, systemFor, KINDS } from './back-ends.ts';
import type { BackEnd, Calendars, Kind, Meeting } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { WINDOW, askJson, askOwa, askSoap, basic } from './raw-http.ts';
import type { JsonResult } from './raw-http.ts';

/** A bridge with one system of every kind, and one client who may ask all of them. */
export interface House {
  readonly bridge: RunningBridge;
  readonly backEnds: Readonly<Record<Kind, BackEnd>>;
  close(): Promise<void>;
}

export const DOMAINS: Readonly<Record<Kind, string>> = {
  'exchange-webdav': 'webdav.example',
  'exchange-webdav public-folder': 'webdav-pf.example',
  'exchange-ews': 'ews.example',
  'exchange-ews public-folder': 'ews-pf.example',
  zimbra: 'zimbra-side.example',
  ifb: 'ifb.example',
};
export const NAMES: Readonly<Record<Kind, string>> = {
  'exchange-webdav': 'webdav',
  'exchange-webdav public-folder': 'webdav-pf',
  'exchange-ews': 'ews',
  'exchange-ews public-folder': 'ews-pf',
  zimbra: 'zimbra',
  ifb: 'ifb',
};

const at = (hour: number, minute = 0): number => Date.UTC(2026, 2, 2, hour, minute);

/** 08:00–12:00Z in quarters: 0000 2222 0000 1100. */
export const MEETINGS: readonly Meeting[] = [
  { start: at(9), end: at(10), type: 'busy', subject: 'Budget', location: 'Room 2' },
  { start: at(11), end: at(11, 30), type: 'tentative' },
];
export const TRUTH = '0000222200001100';
/** Another person's: 3333 0000 0000 0000. */
export const OTHER_MEETINGS: readonly Meeting[] = [{ start: at(8), end: at(9), type: 'oof' }];
export const OTHER_TRUTH = '3333000000000000';
export const NOTHING_KNOWN = '4444444444444444';

export const JUDGE = basic('judge', 'pw-of-the-judge');
export const JUDGE_CLIENT = { name: 'judge', username: 'judge', password: 'pw-of-the-judge', mayAsk: Object.values(NAMES), detail: 'details' };

export async function openHouse(more: Record<string, unknown> = {}, systems: Record<string, unknown> = {}): Promise<House> {
  const backEnds = {} as Record<Kind, BackEnd>;
  const configured: Record<string, unknown> = {};
  for (const kind of KINDS) {
    const domain = DOMAINS[kind];
    const calendars: Calendars = { [`anna@${domain}`]: MEETINGS, [`ben@${domain}`]: OTHER_MEETINGS };
    backEnds[kind] = await openBackEnd(kind, calendars, domain);
    configured[NAMES[kind]] = systemFor(kind, backEnds[kind], { domains: [domain] });
  }
  const bridge = await startBridge({ systems: { ...configured, ...systems }, clients: [JUDGE_CLIENT], deadline: '3s', ...more });
  return {
    bridge,
    backEnds,
    close: async () => {
      await bridge.stop();
      for (const kind of KINDS) await backEnds[kind].close();
    },
  };
}

const DIGIT_OF_TYPE: Readonly<Record<string, string>> = { free: '0', tentative: '1', busy: '2', oof: '3', 'no-data': '4', 'working-elsewhere': '0' };
const DIGIT_OF_LETTER: Readonly<Record<string, string>> = { f: '0', t: '1', b: '2', u: '3', n: '4' };

/** One JSON result as digits of a quarter each; an error is no data throughout. */
export function digitsOfJson(result: JsonResult | undefined): string {
  if (result?.busy === undefined) return NOTHING_KNOWN;
  return quarters((start, end) => result.busy!.filter((one) => Date.parse(one.start) < end && Date.parse(one.end) > start).map((one) => DIGIT_OF_TYPE[one.type]!));
}

function quarters(look: (start: number, end: number) => readonly string[]): string {
  return Array.from({ length: 16 }, (_, index) => {
    const start = WINDOW.start + index * 900_000;
    return look(start, start + 900_000)[0] ?? '0';
  }).join('');
}

/** What the three faces say of each address, as digits. */
export async function threeFaces(bridge: RunningBridge, addresses: readonly string[]): Promise<{ readonly json: readonly string[]; readonly owa: readonly string[]; readonly soap: readonly string[] }> {
  const [json, owa, soap] = await Promise.all([askJson(bridge.url, JUDGE, addresses), askOwa(bridge.url, JUDGE, addresses), askSoap(bridge.url, JUDGE, addresses)]);
  return {
    json: addresses.map((_, index) => (json.status === 200 ? digitsOfJson(json.results[index]) : `status ${json.status}`)),
    owa: addresses.map((address) => (owa.status === 200 ? owa.digits[address] ?? 'missing' : `status ${owa.status}`)),
    soap: addresses.map((address) => {
      const slots = soap.slots[address];
      if (slots === undefined) return `missing (status ${soap.status})`;
      return quarters((start, end) => slots.filter((one) => one.start < end && one.end > start).map((one) => DIGIT_OF_LETTER[one.letter]!));
    }),
  };
}

export function allSay(...digits: readonly string[]): { readonly json: readonly string[]; readonly owa: readonly string[]; readonly soap: readonly string[] } {
  return { json: digits, owa: digits, soap: digits };
}
