import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childText, childrenNamed, child } from '../../src/platform/xml/element.ts';
import { schemaComplaints } from '../protocols/ews/face-schema.ts';
import { availabilityRequest, readResponses } from '../protocols/ews/face-questions.ts';
import type { ReadResponse } from '../protocols/ews/face-questions.ts';
import { PEER, openPeerWorld } from '../peers/peer-world.ts';
import type { PeerWorld } from '../peers/peer-world.ts';
import { CAN_VALIDATE } from '../shared.ts';
import { systemFor, zimbraBackEnd } from './back-ends.ts';
import type { BackEnd } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { ask, askJson, askOwa, askSoap, basic, postSoap, soapEnvelope } from './raw-http.ts';

/** Working hours of a Zimbra's mailboxes, which it tells only where it is asked for them (zimbra.md §2.5), on the faces that show them. */

const KIM = 'kim@zimbra.example';
/** Tuesday; everybody at the sandbox's Zimbra works from 8 to 17 in Berlin, which is one hour ahead of UTC until the 29th. */
const TUESDAY = Date.UTC(2026, 2, 10);
const HOUR_MS = 3_600_000;

async function askEws(base: string, headers: Record<string, string>, view: string): Promise<{ readonly text: string; readonly responses: readonly ReadResponse[] }> {
  const { body } = await ask(base, '/EWS/Exchange.asmx', { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8', ...headers }, body: availabilityRequest([KIM], { view }) });
  return { text: body, responses: await readResponses(body) };
}

const askHours = (base: string, headers: Record<string, string>, names: string, start: number, end: number): ReturnType<typeof postSoap> =>
  postSoap(base, headers, soapEnvelope(`<GetWorkingHoursRequest xmlns="urn:zimbraMail" s="${start}" e="${end}" name="${names}"/>`));

describe('working hours of the sandbox’s Zimbra', () => {
  let world: PeerWorld;
  const peer = basic(PEER.username, PEER.password);
  beforeAll(async () => {
    world = await openPeerWorld();
  });
  afterAll(() => world.close());

  it.each(['FreeBusy', 'FreeBusyMerged', 'Detailed', 'DetailedMerged'])('stand in the %s view of EWS, valid by its schema', async (view) => {
    const { text, responses } = await askEws(world.bridge.url, peer, view);
    const periods = childrenNamed(child(responses[0]!.workingHours, 'WorkingPeriodArray'), 'WorkingPeriod');
    expect(periods.map((one) => ['DayOfWeek', 'StartTimeInMinutes', 'EndTimeInMinutes'].map((name) => childText(one, name)))).toEqual([['Monday Tuesday Wednesday Thursday Friday', '420', '960']]);
    expect(childText(child(responses[0]!.workingHours, 'TimeZone'), 'Bias')).toBe('0');
    if (CAN_VALIDATE) expect(schemaComplaints([text])).toBe('');
  });

  it('are f and u at the Zimbra face, n for who is unknown', async () => {
    const { body } = await askHours(world.bridge.url, peer, `${KIM},nobody@zimbra.example`, TUESDAY, TUESDAY + 24 * HOUR_MS);
    const slot = (letter: string, start: number, end: number): string => `<${letter} s="${TUESDAY + start * HOUR_MS}" e="${TUESDAY + end * HOUR_MS}"/>`;
    expect(body).toContain(`<usr id="${KIM}">${slot('u', 0, 7)}${slot('f', 7, 16)}${slot('u', 16, 24)}</usr>`);
    expect(body).toContain(`<usr id="nobody@zimbra.example">${slot('n', 0, 24)}</usr>`);
  });
});

describe('questions that do not show working hours', () => {
  let bridge: RunningBridge;
  let zimbra: BackEnd;
  const client = (name: string, detail: string): Record<string, unknown> => ({ name, username: name, password: `pw-of-${name}`, mayAsk: ['zimbra'], detail });
  const as = (name: string): Record<string, string> => basic(name, `pw-of-${name}`);
  const kinds = (): readonly string[] => zimbra.requests.map((one) => /<(\w+)Request[ >]/.exec(one.body)?.[1] ?? '').filter((one) => one !== 'Auth').sort();
  beforeAll(async () => {
    zimbra = await zimbraBackEnd({ [KIM]: [] });
    bridge = await startBridge({ systems: { zimbra: systemFor('zimbra', zimbra, { domains: ['zimbra.example'] }) }, clients: [client('typed', 'busy-type'), client('narrow', 'free-busy'), client('detailed', 'details')] });
  });
  afterAll(async () => {
    await bridge.stop();
    await zimbra.close();
  });

  it('send a Zimbra GetFreeBusy and nothing else: OWA, JSON, GetFreeBusy, EWS in digits, a client that sees only whether time is taken', async () => {
    const { url } = bridge;
    const questions: readonly (() => Promise<unknown>)[] = [
      () => askOwa(url, as('typed'), [KIM]),
      () => askJson(url, as('detailed'), [KIM]),
      () => askSoap(url, as('typed'), [KIM]),
      () => askEws(url, as('typed'), 'MergedOnly'),
      () => askEws(url, as('narrow'), 'FreeBusy'),
      () => askHours(url, as('narrow'), KIM, TUESDAY, TUESDAY + HOUR_MS),
    ];
    for (const question of questions) {
      zimbra.reset();
      await question();
      expect(kinds()).toEqual(['GetFreeBusy']);
    }
    zimbra.reset();
    await askEws(url, as('typed'), 'FreeBusy');
    expect(kinds()).toEqual(['GetFreeBusy', 'GetWorkingHours']);
  });

  it('and those that do are answered with free/busy where the server knows no working hours', async () => {
    // It takes every question for GetFreeBusy.
    const { responses } = await askEws(bridge.url, as('typed'), 'FreeBusyMerged');
    expect([responses[0]!.code, responses[0]!.merged, responses[0]!.workingHours]).toEqual(['NoError', '000000', undefined]);
  });
});
