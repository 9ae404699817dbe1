import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/core/clock.ts';
import { PEER, openPeerWorld } from '../peers/peer-world.ts';
import type { PeerWorld } from '../peers/peer-world.ts';
import type { JsonBody } from '../protocols/zimbra-soap/face/asking.ts';
import { ask } from './raw-http.ts';

/** A web client of Zimbra that signs in and asks in JSON, as zm-api-js-client writes it, at the built bridge between a Zimbra and an Exchange. */
let world: PeerWorld;
let token = '';
const start = Math.floor(Date.now() / DAY_MS) * DAY_MS + 2 * DAY_MS;
const end = start + 10 * HOUR_MS;

beforeAll(async () => {
  world = await openPeerWorld();
});
afterAll(() => world.close());

async function soap(body: unknown, context: Record<string, unknown> = { authToken: [{ _content: token }] }): Promise<JsonBody> {
  const answer = await ask(world.bridge.url, '/service/soap/BatchRequest', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ Body: body, Header: { context: { _jsns: 'urn:zimbra', session: { id: '1', _content: '1' }, ...context } } }),
  });
  expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  return (JSON.parse(answer.body) as { Body: JsonBody }).Body;
}

const question = (name: string): Record<string, unknown> => ({ _jsns: 'urn:zimbraMail', s: start, e: end, name });

describe('a web client', () => {
  it('signs in and sees both sides in one batch, unknown as n', async () => {
    const signedIn = await soap({ AuthRequest: { _jsns: 'urn:zimbraAccount', account: { by: 'name', _content: PEER.username }, password: { _content: PEER.password } } }, {});
    token = signedIn.AuthResponse.authToken[0]._content;
    world.exchange.add('anna@corp.example', { start: start + HOUR_MS, end: start + 2 * HOUR_MS, type: 'busy', subject: 'Budget' });
    world.zimbra.add('kim@zimbra.example', { start: start + 3 * HOUR_MS, end: start + 4 * HOUR_MS, type: 'oof', subject: 'Away' });
    const { BatchResponse } = await soap({ BatchRequest: { _jsns: 'urn:zimbra', GetFreeBusyRequest: [question('anna@corp.example,kim@zimbra.example'), question('nobody@elsewhere.example')], NoOpRequest: [{ _jsns: 'urn:zimbraMail' }] } });
    expect(BatchResponse.NoOpResponse).toHaveLength(1);
    const [known, unknown] = BatchResponse.GetFreeBusyResponse;
    expect(unknown!.usr).toEqual([{ id: 'nobody@elsewhere.example', n: [{ s: start, e: end }] }]);
    expect(known.usr).toMatchObject([
      { id: 'anna@corp.example', f: [{ s: start }, { e: end }], b: [{ s: start + HOUR_MS, e: start + 2 * HOUR_MS }] },
      { id: 'kim@zimbra.example', f: [{ s: start }, { e: end }], u: [{ s: start + 3 * HOUR_MS, e: start + 4 * HOUR_MS }] },
    ]);
  });

  it('sees an appointment with its next question, and as a conflict of a series', async () => {
    world.zimbra.add('lee@zimbra.example', { start: start + 5 * HOUR_MS, end: start + 6 * HOUR_MS, type: 'tentative', subject: 'New' });
    const { GetFreeBusyResponse } = await soap({ GetFreeBusyRequest: question('lee@zimbra.example') });
    expect(GetFreeBusyResponse.usr[0]!.t).toMatchObject([{ s: start + 5 * HOUR_MS, e: start + 6 * HOUR_MS }]);
    const compact = new Date(start + 5 * HOUR_MS).toISOString().replace(/[-:]|\.\d+/g, '');
    const { CheckRecurConflictsResponse } = await soap({
      CheckRecurConflictsRequest: {
        _jsns: 'urn:zimbraMail', s: start, e: start + 7 * DAY_MS,
        comp: [{ s: [{ d: compact }], dur: [{ h: 1 }], recur: [{ add: [{ rule: [{ freq: 'DAI', count: [{ num: 3 }] }] }] }] }],
        usr: [{ name: 'lee@zimbra.example' }, { name: 'anna@corp.example' }],
      },
    });
    expect(CheckRecurConflictsResponse.inst).toEqual([{ s: start + 5 * HOUR_MS, dur: HOUR_MS, ridZ: compact, usr: [{ name: 'lee@zimbra.example', fb: 'T' }] }]);
  });

  it('asks for the working hours of both sides', async () => {
    const { GetWorkingHoursResponse } = await soap({ GetWorkingHoursRequest: question('anna@corp.example,kim@zimbra.example') });
    expect(GetWorkingHoursResponse.usr.map((usr) => usr.id)).toEqual(['anna@corp.example', 'kim@zimbra.example']);
    for (const usr of GetWorkingHoursResponse.usr) expect([usr.n, [...(usr.f ?? []), ...(usr.u ?? [])].length > 0]).toEqual([undefined, true]);
  });
});
