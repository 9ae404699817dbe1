import { afterEach, expect, it } from 'vitest';
import { ewsQueryBackEnd, systemFor } from './back-ends.ts';
import type { BackEnd, Meeting } from './back-ends.ts';
import { runCommand, startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, TRUTH, digitsOfJson } from './every-kind.ts';
import { askJson, askOwa } from './raw-http.ts';

/** How long an answer is believed, by the real command: requests at the back end are counted, no clock is moved. */

const ANNA = 'anna@corp.example';
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const config = (ews: BackEnd, cacheFor: string): Record<string, unknown> => ({
  systems: { ews: systemFor('exchange-ews', ews, { cacheFor }) },
  clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }],
});

async function world(): Promise<{ readonly ews: BackEnd; readonly bridge: RunningBridge }> {
  const ews = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
  ends.push(() => ews.close());
  const bridge = await startBridge(config(ews, '10m'));
  ends.push(() => bridge.stop());
  return { ews, bridge };
}

const digits = async (bridge: RunningBridge): Promise<string> => digitsOfJson((await askJson(bridge.url, JUDGE, [ANNA])).results[0]);
const asked = (ews: BackEnd): number => ews.requests.length;
const LATER: readonly Meeting[] = [{ start: Date.UTC(2026, 2, 2, 8), end: Date.UTC(2026, 2, 2, 12), type: 'oof' }];

it('a second question is answered without a request, through whatever face; 0s asks every time', async () => {
  const { ews, bridge } = await world();
  expect([await digits(bridge), await digits(bridge)]).toEqual([TRUTH, TRUTH]);
  expect((await askOwa(bridge.url, JUDGE, [ANNA])).digits[ANNA]).toBe(TRUTH);
  expect(asked(ews)).toBe(1);
  await bridge.write({ listen: 'http://127.0.0.1:0', ...config(ews, '0s') });
  expect((await runCommand(['reload', '--config', bridge.file])).code).toBe(0);
  for (let nth = 0; nth < 3; nth++) expect(await digits(bridge)).toBe(TRUTH);
  expect(asked(ews)).toBe(4);
});

it('a reload empties it', async () => {
  const { ews, bridge } = await world();
  await digits(bridge);
  ews.calendars = { [ANNA]: LATER };
  expect(await digits(bridge)).toBe(TRUTH);
  expect((await runCommand(['reload', '--config', bridge.file])).code).toBe(0);
  expect(await digits(bridge)).toBe('3'.repeat(16));
  expect(asked(ews)).toBe(2);
});

it('a mailbox that opts out is unknown at once, though its answer was kept, and known again afterwards', async () => {
  const { ews, bridge } = await world();
  expect(await digits(bridge)).toBe(TRUTH);
  const privacy = async (what: string): Promise<number | null> => (await runCommand(['privacy', what, ANNA, '--config', bridge.file])).code;
  expect(await privacy('opt-out')).toBe(0);
  const before = ews.requests.length;
  expect((await askJson(bridge.url, JUDGE, [ANNA])).results[0]).toMatchObject({ error: { code: 'MAILBOX_UNKNOWN' } });
  // Asked all the same: how long the answer takes must not tell that she has opted out.
  expect(ews.requests.length).toBe(before + 1);
  expect((await askOwa(bridge.url, JUDGE, [ANNA])).digits[ANNA]).toBe('4'.repeat(16));
  expect(await privacy('opt-in')).toBe(0);
  expect(await digits(bridge)).toBe(TRUTH);
});
