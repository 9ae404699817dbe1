import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import type { BusyInterval } from '../../../../src/freebusy/free-busy.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { turnsDuring } from '../../../event-loop-turns.ts';
import { END, START, openFace, send, sendJson, xmlMessage } from './asking.ts';

/** So many appointments of half a second, as much free time behind each. */
const everyTwo = (count: number): readonly BusyInterval[] => Array.from({ length: count }, (_, index) => ({ start: START + 100 + index * 600, end: START + 400 + index * 600, busyType: 'busy' }));

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({ calendars: { 'kim@zimbra.example': {}, 'full@zimbra.example': { busy: everyTwo(1_000) }, 'huge@zimbra.example': { busy: everyTwo(50_000) }, 'down@zimbra.example': new BridgeError('BACKEND_UNREACHABLE', 'down') } });
});
afterAll(() => face.close());
beforeEach(() => void (face.asked as unknown[]).splice(0));

const freeBusy = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ _jsns: 'urn:zimbraMail', s: START, e: END, name: 'kim@zimbra.example', ...more });
const batch = (parts: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> => ({ BatchRequest: { _jsns: 'urn:zimbra', ...more, ...parts } });
const many = (count: number): string => Array.from({ length: count }, (_, index) => `u${index}@zimbra.example`).join(',');

describe('BatchRequest', () => {
  it('answers every part in its place, in lists by name as Zimbra’s own client reads them, faults among them, with HTTP 200', async () => {
    const { status, Body } = await sendJson(
      face,
      batch({
        GetFreeBusyRequest: [freeBusy({ requestId: '0' }), freeBusy({ requestId: 1, e: START }), freeBusy({ name: 'nobody@zimbra.example', requestId: 'b' })],
        GetWorkingHoursRequest: [freeBusy()],
        NoOpRequest: { _jsns: 'urn:zimbraMail' },
      }),
    );
    expect(status).toBe(200);
    const { GetFreeBusyResponse, Fault, GetWorkingHoursResponse, NoOpResponse, _jsns } = Body.BatchResponse;
    expect(_jsns).toBe('urn:zimbra');
    expect(GetFreeBusyResponse.map((one) => [one.requestId, one.usr[0]!.id])).toEqual([['0', 'kim@zimbra.example'], ['b', 'nobody@zimbra.example']]);
    expect(Fault).toMatchObject([{ requestId: '1', Reason: { Text: 'invalid request: End time must be after Start time' }, Detail: { Error: { Code: 'service.INVALID_REQUEST' } } }]);
    expect(GetWorkingHoursResponse[0].usr).toEqual([{ id: 'kim@zimbra.example', n: [{ s: START, e: END }] }]);
    expect(NoOpResponse).toEqual([{ _jsns: 'urn:zimbraMail' }]);
  });

  it('keeps the order in XML', async () => {
    const ask = (id: string, end = END): string => `<GetFreeBusyRequest xmlns="urn:zimbraMail" requestId="${id}" s="${START}" e="${end}" name="kim@zimbra.example"/>`;
    const { status, text } = await send(face, xmlMessage(`<BatchRequest xmlns="urn:zimbra" requestId="all">${ask('a')}${ask('b', 1)}${ask('c')}</BatchRequest>`));
    expect(status).toBe(200);
    const usr = `<usr id="kim@zimbra.example"><f s="${START}" e="${END}"/></usr>`;
    expect(text).toContain(`<BatchResponse xmlns="urn:zimbra" requestId="all"><GetFreeBusyResponse xmlns="urn:zimbraMail" requestId="a">${usr}</GetFreeBusyResponse><soap:Fault requestId="b"><soap:Code>`);
    expect(text).toContain(`</soap:Fault><GetFreeBusyResponse xmlns="urn:zimbraMail" requestId="c">${usr}</GetFreeBusyResponse></BatchResponse>`);
  });

  it('stops at the first fault where onerror says so', async () => {
    const parts = { GetFreeBusyRequest: [freeBusy(), freeBusy({ e: 1 }), freeBusy()] };
    const stopped = await sendJson(face, batch(parts, { onerror: 'stop' }));
    expect([stopped.Body.BatchResponse.GetFreeBusyResponse.length, stopped.Body.BatchResponse.Fault.length]).toEqual([1, 1]);
    expect(face.asked).toHaveLength(1);
    const gone = await sendJson(face, batch(parts, { onerror: 'continue' }));
    expect([gone.Body.BatchResponse.GetFreeBusyResponse.length, gone.Body.BatchResponse.Fault.length]).toEqual([2, 1]);
  });

  it('is empty where nothing stands in it', async () => {
    expect((await sendJson(face, batch({}))).Body.BatchResponse).toEqual({ _jsns: 'urn:zimbra' });
  });

  it('takes neither another batch nor a sign-in, and knows no other document: each its own fault', async () => {
    const { Body } = await sendJson(face, batch({ BatchRequest: [{ GetFreeBusyRequest: freeBusy() }], AuthRequest: [{ _jsns: 'urn:zimbraAccount', account: 'asker', password: 'pw-of-asker' }], GetInfoRequest: { _jsns: 'urn:zimbraAccount' } }));
    expect(Body.BatchResponse.Fault.map((one) => one.Detail.Error.Code)).toEqual(['service.UNKNOWN_DOCUMENT', 'service.INVALID_REQUEST', 'service.UNKNOWN_DOCUMENT']);
    expect(face.asked).toHaveLength(0);
  });

  it.each([
    ['10,000 parts', { NoOpRequest: Array.from({ length: 10_000 }, () => ({ _jsns: 'urn:zimbraMail' })) }],
    ['51 parts', { NoOpRequest: Array.from({ length: 51 }, () => ({ _jsns: 'urn:zimbraMail' })) }],
    ['501 mailboxes in two parts', { GetFreeBusyRequest: [freeBusy({ name: many(300) }), freeBusy({ name: many(201) })] }],
    ['501 mailboxes in parts of two kinds', { GetFreeBusyRequest: freeBusy({ name: many(300) }), GetWorkingHoursRequest: freeBusy({ name: many(201).replaceAll('u', 'w') }) }],
    ['50 times 500 mailboxes', { GetFreeBusyRequest: Array.from({ length: 50 }, () => freeBusy({ name: many(500) })) }],
  ])('of %s is refused as a whole, and nobody is asked', async (_what, parts) => {
    const { status, Body } = await sendJson(face, batch(parts));
    expect([status, Body.Fault.Detail.Error.Code]).toEqual([500, 'service.INVALID_REQUEST']);
    expect(face.asked).toHaveLength(0);
  });

  it('may ask for free/busy and working hours of 500 mailboxes together', async () => {
    const { Body } = await sendJson(face, batch({ GetFreeBusyRequest: freeBusy({ name: many(500) }), GetWorkingHoursRequest: freeBusy({ name: many(500) }) }));
    expect([Body.BatchResponse.GetFreeBusyResponse[0].usr.length, Body.BatchResponse.GetWorkingHoursResponse[0].usr.length]).toEqual([500, 500]);
  });

  it('lets others run while fifty parts are written, which are ready at the same time', async () => {
    const turns = await turnsDuring(() => sendJson(face, batch({ GetFreeBusyRequest: Array.from({ length: 50 }, (_, index) => freeBusy({ s: START + index, name: 'full@zimbra.example' })) })));
    // 2,000 slots a part, LIMITS.zimbraSlotsPerTurn a turn.
    expect(turns).toBeGreaterThanOrEqual(50);
  });

  it('takes turns between its parts, whatever they are, when it reads and when it writes them', async () => {
    const turns = await turnsDuring(() => sendJson(face, batch({ NoOpRequest: Array.from({ length: 50 }, () => ({ _jsns: 'urn:zimbraMail' })) })));
    expect(turns).toBeGreaterThanOrEqual(100);
  });

  it('holds no more slots than can be sent: what no longer fits is a fault, what came before stands', async () => {
    const { status, Body } = await sendJson(face, batch({ GetFreeBusyRequest: [...Array.from({ length: 7 }, (_, index) => freeBusy({ s: START + index, name: 'huge@zimbra.example' })), freeBusy({ name: 'kim@zimbra.example', requestId: 'last' })] }));
    expect([status, Body.BatchResponse.GetFreeBusyResponse.length, Body.BatchResponse.Fault.length]).toEqual([200, 5, 3]);
    expect(Body.BatchResponse.Fault[0]!.Detail.Error.Code).toBe('service.INVALID_REQUEST');
  });

  it('asks both in the same words, so that the lookup can make one question of them', async () => {
    await sendJson(face, batch({ GetFreeBusyRequest: freeBusy(), GetWorkingHoursRequest: freeBusy() }));
    expect(face.asked).toHaveLength(2);
    // A Zimbra has to be asked for them in words of their own; to every other system the lookup makes it one question (test/lookup).
    expect({ ...face.asked[0], workingHours: true }).toEqual(face.asked[1]);
  });
});
