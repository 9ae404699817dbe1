import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { guidedWalk } from '../../src/sandbox/walk.ts';
import type { WalkOptions } from '../../src/sandbox/walk.ts';
import { startTinyBridge } from './tiny-bridge.ts';
import type { TinyBridgeOptions } from './tiny-bridge.ts';

const clock = { now: () => Date.parse('2026-11-21T10:00:00Z') };
/** Half hours from 07:00 to 19:00 UTC by hand, from what people.ts says about their day. */
const DIGITS: Readonly<Record<string, string>> = {
  'anna@legacy.example': '000022222110000020000000',
  'bernd@legacy.example': '000000000000220000000000',
  'clara@corp.example': '000220112100000000203330',
  'kim@zimbra.example': '000022210000110000333300',
};
/** The same after the walk itself has added an appointment from 13:00 to 14:00. */
const ANNA_AFTERWARDS = '000022222110330020000000';
const UNKNOWN = '4'.repeat(24);

let sandbox: Sandbox;
let bridge: Server | undefined;
let replicating: { stop(): Promise<void> } | undefined;
let lines: string[];
beforeEach(async () => {
  sandbox = await createSandbox({ clock, pointerDirectory: false });
  lines = [];
});
afterEach(async () => {
  bridge?.closeAllConnections();
  bridge?.close();
  bridge = undefined;
  await replicating?.stop();
  replicating = undefined;
  await sandbox.close();
});

/** Autodiscover and GetUserAvailability of the same bridge, by hand. */
async function answerAcrossForests(request: IncomingMessage, response: ServerResponse, digitsOf: (address: string) => string | undefined): Promise<void> {
  const asked = await text(request);
  if (request.url?.startsWith('/autodiscover/') === true) {
    const known = asked.includes('<EMailAddress>01B62C6D-4324-448f-9884-5FEC6D18A7E2@zimbra.example<');
    const protocol = known ? `<Protocol><Type>EXPR</Type><ASUrl>http://${request.headers.host!}/EWS/Exchange.asmx</ASUrl></Protocol>` : '';
    return void response.end(`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account>${protocol}</Account></Response></Autodiscover>`);
  }
  const views = [...asked.matchAll(/<t:Address>([^<]*)</g)].map(([, address]) => digitsOf(address!)).map((digits) => `<FreeBusyResponse><FreeBusyView>${digits === undefined ? '' : `<MergedFreeBusy>${digits}</MergedFreeBusy>`}</FreeBusyView></FreeBusyResponse>`);
  response.end(`<Envelope><Body><GetUserAvailabilityResponse><FreeBusyResponseArray>${views.join('')}</FreeBusyResponseArray></GetUserAvailabilityResponse></Body></Envelope>`);
}

/** The OWA face of a bridge made of a table, with the mistake that the test is about. */
async function walkWith(digitsOf: (address: string) => string | undefined, options: WalkOptions = {}): Promise<boolean> {
  bridge = createServer((request, response) => {
    if (request.headers.authorization === undefined) return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="b"' }).end();
    const url = new URL(request.url ?? '', 'http://x');
    if (request.method === 'POST') return void answerAcrossForests(request, response, digitsOf);
    const repeat = 30 / Number(url.searchParams.get('interval'));
    const items = url.searchParams.getAll('u').map((one) => one.replace('SMTP:', '')).map((address) => {
      const digits = digitsOf(address);
      return digits === undefined ? '' : `<item><email>${address}</email><fbdata>${[...digits].map((digit) => digit.repeat(repeat)).join('')}</fbdata></item>`;
    });
    response.end(`<response><recipients>${items.join('')}</recipients></response>`);
  });
  await new Promise<void>((resolve) => bridge!.listen(0, '127.0.0.1', resolve));
  return guidedWalk(sandbox, `http://127.0.0.1:${(bridge.address() as AddressInfo).port}`, sandbox.clients, (line) => lines.push(line), { drawing: 'ascii', ...options });
}

function honest(address: string): string {
  if (address === 'clara@corp.example' && sandbox.exchangeEws.mode === 'silent') return UNKNOWN;
  if (address === 'anna@legacy.example' && sandbox.calendars.exchange2003.list(address).some((one) => one.subject === 'Doctor')) return ANNA_AFTERWARDS;
  return DIGITS[address] ?? UNKNOWN;
}

const mistakes = (): readonly string[] => lines.filter((line) => line.includes('NOT AS'));

describe('the guided walk', () => {
  it('is content with a bridge that tells the truth, and shows it', async () => {
    const isGood = await walkWith(honest);
    expect(mistakes()).toEqual([]);
    expect(isGood).toBe(true);
    const text = lines.join('\n');
    expect(text).toContain('anna@legacy.example   ....#####--.....#.......');
    expect(text).toContain('anna@legacy.example  ....#####--.@@..#.......');
    expect(text).toContain('nobody@corp.example  ????????????????????????');
    expect(text).toContain('GET /public/?cmd=freebusy&start=2026-11-21T07:00:00+00:00&end=2026-11-21T19:00:00+00:00&interval=15&u=SMTP:clara@corp.example');
    expect(text).toMatch(/curl -s -u curl:\S+ '\S+\/api\/v1\/freebusy\?/);
    expect(text).toMatch(/sandbox add anna@legacy\.example/);
    expect(text).not.toMatch(/sandbox add kim@zimbra\.example/);
    expect(text).toMatch(/invitations.*travel by mail/);
    expect(lines.every((line) => /^[\x20-\x7e]*$/.test(line))).toBe(true);
  });

  it.each([
    ['an unknown user as free', (address: string) => (address === 'nobody@corp.example' ? '0'.repeat(24) : honest(address))],
    ['nobody at all in the answer', () => undefined],
    ['one slot wrong', (address: string) => (address === 'kim@zimbra.example' ? honest(address).replace('333', '222') : honest(address))],
    ['old data while the back end is off', (address: string) => (address === 'clara@corp.example' ? DIGITS[address] : honest(address))],
    ['old data after an appointment was added in Exchange', (address: string) => (address === 'anna@legacy.example' ? DIGITS[address] : honest(address))],
  ])('is not content with %s', async (_, digitsOf) => {
    expect(await walkWith(digitsOf)).toBe(false);
    expect(lines.join('\n')).toContain('NOT AS IT MUST BE');
    expect(sandbox.exchangeEws.mode).toBe('up');
  });

  it('is not content with a bridge that is not there, and leaves the stand-ins switched on', async () => {
    expect(await guidedWalk(sandbox, 'http://127.0.0.1:9', sandbox.clients, (line) => lines.push(line), { drawing: 'ascii' })).toBe(false);
    expect(sandbox.exchangeEws.mode).toBe('up');
  });
});

describe('the guided walk past a bridge that replicates', () => {
  const walkPast = async (options: TinyBridgeOptions, patienceMs?: number): Promise<boolean> => {
    const exchanges = options.skipsEws === true ? [sandbox.exchange2003] : [sandbox.exchange2003, sandbox.exchangeEws];
    const ready = exchanges.map((one) => one.nextPublished(`${one.organisation}/cn=Recipients/cn=room-linden`));
    replicating = startTinyBridge(sandbox, options);
    await Promise.all(ready);
    return walkWith(honest, { replication: true, ...(patienceMs === undefined ? {} : { patienceMs }) });
  };

  it('shows the notification, what is written, the message decoded and the time it took', async () => {
    const isGood = await walkPast({});
    expect(mistakes()).toEqual([]);
    expect(isGood).toBe(true);
    const text = lines.join('\n');
    expect(text).toMatch(/0 ms {2}added at Zimbra: kim@zimbra\.example, busy, 14:30 to 15:30/);
    expect(text).toMatch(/\d+ ms {2}AdminWaitSetResponse seq="[\d.-]+" names the account of kim@zimbra\.example/);
    expect(text).toMatch(/\d+ ms {2}PROPPATCH of USER-\/CN=RECIPIENTS\/CN=KIM in EX:\/o=Sandbox\S* .*of Exchange 2003/);
    expect(text).toMatch(/\d+ ms {2}UpdateItem of USER-\/CN=RECIPIENTS\/CN=KIM in EX:\/o=Corp/);
    expect(text).toContain('published  2026-11-20 00:00 to 2026-12-21 00:00');
    expect(text).toContain('busy       Nov 2026: 21. 09:00-10:30, 21. 14:30-15:30');
    expect(text).toContain('away       Nov 2026: 21. 16:00-18:00');
    expect(text).toMatch(/\d+ ms from the change in Zimbra to the message in Exchange 2003/);
    expect(text).toMatch(/\d+ ms from the change in Zimbra to the message in Exchange \(EWS\)/);
    // Kim's row of step 3 with the new appointment, and Mia, who denies it.
    expect(text).toContain('kim@zimbra.example  ....###-....--.##.@@@@..');
    expect(text).toContain('mia@zimbra.example  ????????????????????????');
    expect(text).toMatch(/sandbox add kim@zimbra\.example/);
    expect(lines.every((line) => /^[\x20-\x7e]*$/.test(line))).toBe(true);
    expect(sandbox.exchangeEws.published().map((one) => one.subject)).toContain('USER-/CN=RECIPIENTS/CN=LARSEN');
  });

  it.each([
    ['writes into one Exchange only', { skipsEws: true }, /Exchange \(EWS\) has no message about kim@zimbra\.example/],
    ['leaves out what is tentative', { distort: (entries) => entries.filter((one) => one.type !== 'tentative') }, /does not show it .* is free, not tentative/],
    ['is a quarter of an hour late', { distort: (entries) => entries.map((one) => ({ ...one, start: one.start + 900_000 })) }, /does not show it/],
    ['makes busy of oof', { distort: (entries) => entries.map((one) => ({ ...one, type: 'busy' as const })) }, /does not show it/],
    ['writes what is not there', { distort: (entries) => [...entries, { ...entries[0]!, start: entries[0]!.start - 7_200_000, end: entries[0]!.start - 3_600_000 }].sort((a, b) => a.start - b.start) }, /does not show it/],
  ] satisfies readonly (readonly [string, TinyBridgeOptions, RegExp])[])('is not content with one that %s', async (_, options, said) => {
    expect(await walkPast(options, 700)).toBe(false);
    expect(mistakes().join('\n')).toMatch(said);
  });

  it('is not content with one that never hears of the change', async () => {
    replicating = startTinyBridge(sandbox);
    await Promise.all([sandbox.exchange2003, sandbox.exchangeEws].map((one) => one.nextPublished(`${one.organisation}/cn=Recipients/cn=room-linden`)));
    await replicating.stop();
    expect(await walkWith(honest, { replication: true, patienceMs: 300 })).toBe(false);
    expect(mistakes().join('\n')).toMatch(/Exchange 2003 does not show it after 300 ms: 2026-11-21 14:30 to 2026-11-21 15:30 is free, not busy/);
  });
});
