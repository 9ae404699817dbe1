import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ewsQueryBackEnd, systemFor } from './back-ends.ts';
import type { BackEnd, Meeting } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import type { RunningBridge } from './bridge-process.ts';
import { JUDGE_CLIENT } from './every-kind.ts';
import { ask, basic } from './raw-http.ts';

/** configuration.md, "Presence's contract", as far as this version goes. */

const MINUTE = 60_000;
const now = Math.floor(Date.now() / MINUTE) * MINUTE;
const from = (startMinutes: number, endMinutes: number, type: Meeting['type'] = 'busy'): Meeting => ({ start: now + startMinutes * MINUTE, end: now + endMinutes * MINUTE, type });
const CALENDARS: Readonly<Record<string, readonly Meeting[]>> = {
  'free@corp.example': [],
  'soon@corp.example': [from(30, 60)],
  'busy@corp.example': [from(-20, 40), from(30, 70), from(70, 90)],
  'away@corp.example': [from(-20, 40, 'oof')],
  'maybe@corp.example': [from(-20, 40, 'tentative')],
  'private@corp.example': [from(-20, 40)],
};
let bridge: RunningBridge;
let ews: BackEnd;
beforeAll(async () => {
  ews = await ewsQueryBackEnd(CALENDARS);
  bridge = await startBridge({
    deadline: '1s',
    systems: { ews: systemFor('exchange-ews', ews) },
    clients: [
      { ...JUDGE_CLIENT, mayAsk: ['ews'], presence: 'read' },
      { name: 'blind', username: 'blind', password: 'pw-of-the-blind', mayAsk: ['ews'], detail: 'details' },
    ],
    presence: { optIn: [...Object.keys(CALENDARS).filter((one) => !one.startsWith('private')), 'ghost@corp.example', 'Nowhere@Else.example'] },
  });
});
afterAll(async () => {
  await bridge.stop();
  await ews.close();
});
afterEach(() => ews.reset());

const JUDGE = basic('judge', 'pw-of-the-judge');
const presence = async (address: string, headers = JUDGE): Promise<{ status: number; body: { state?: string; until?: string | null; address?: string } & Record<string, unknown> }> => {
  const answer = await ask(bridge.url, `/api/v1/presence/${encodeURIComponent(address)}`, { headers });
  return { status: answer.status, body: JSON.parse(answer.body) as Record<string, unknown> };
};
const iso = (minutes: number): string => new Date(now + minutes * MINUTE).toISOString();

it.each([
  ['soon@corp.example', 'available', 30],
  ['busy@corp.example', 'in-a-meeting', 90],
  ['away@corp.example', 'away', 40],
])('%s is %s until the union of its intervals ends', async (address, state, until) => {
  const { status, body } = await presence(address);
  expect({ status, ...body }).toEqual({ status: 200, address, state, until: iso(until) });
});

it('is available with tentative time, until that may change or for ever', async () => {
  const { body } = await presence('maybe@corp.example');
  expect(body.state).toBe('available');
  expect((await presence('free@corp.example')).body).toMatchObject({ state: 'available', until: null });
});

it('is unknown, with 200, for an opted-in mailbox that cannot be read', async () => {
  ews.override = () => ({ status: 500 });
  expect(await presence('busy@corp.example')).toMatchObject({ status: 200, body: { state: 'unknown', until: null } });
  ews.override = () => 'silent';
  expect(await presence('busy@corp.example')).toMatchObject({ status: 200, body: { state: 'unknown' } });
  ews.reset();
  expect(await presence('ghost@corp.example')).toMatchObject({ status: 200, body: { state: 'unknown' } });
  expect(await presence('nowhere@else.example')).toMatchObject({ status: 200, body: { state: 'unknown' } });
});

it('is 404, the same, for who has not opted in, who is unknown and what is no address', async () => {
  const answers = await Promise.all(['private@corp.example', 'nobody@corp.example', 'x@gmail.com', 'nonsense', 'a/b@corp.example'].map((one) => presence(one)));
  expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(answers[0]!.status).toBe(404);
  expect(ews.requests).toHaveLength(0);
});

it('is 403 without the right, for everybody alike', async () => {
  const blind = basic('blind', 'pw-of-the-blind');
  const answers = await Promise.all(['busy@corp.example', 'private@corp.example', 'nobody@corp.example'].map((one) => presence(one, blind)));
  expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(answers[0]!.status).toBe(403);
});

it('does not mind the case of the address', async () => {
  expect((await presence('BUSY@Corp.Example')).body.state).toBe('in-a-meeting');
});

it('answers like an unknown mailbox for a path that cannot be decoded', async () => {
  expect((await ask(bridge.url, '/api/v1/presence/%zz', { headers: JUDGE })).status).toBe(404);
});

it('follows a changed opt-in after a reload', async () => {
  expect((await presence('private@corp.example')).status).toBe(404);
  await bridge.write({ listen: 'http://127.0.0.1:0', systems: { ews: systemFor('exchange-ews', ews) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'], presence: 'read' }], presence: { optIn: ['private@corp.example'] } });
  bridge.process.signal('SIGHUP');
  const end = Date.now() + 5_000;
  while ((await presence('private@corp.example')).status !== 200 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 30));
  expect((await presence('private@corp.example')).body.state).toBe('in-a-meeting');
  expect((await presence('busy@corp.example')).status).toBe(404);
});
