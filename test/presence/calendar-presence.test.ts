import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { RequestContext } from '../../src/core/request-context.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../src/freebusy/source.ts';
import { CalendarPresence } from '../../src/presence/calendar-presence.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../src/presence/from-free-busy.ts';
import { ASKER, context } from '../freebusy/asking.ts';
import { ANNA, at, KIM, span } from '../freebusy/oracle.ts';

const DAY = 24 * 60;

function presence(answer: (query: FreeBusyQuery) => readonly FreeBusyResult[]): { readonly of: CalendarPresence; readonly asked: (readonly [FreeBusyQuery, RequestContext])[] } {
  const asked: [FreeBusyQuery, RequestContext][] = [];
  const source = {
    freeBusy: async (query: FreeBusyQuery, ctx: RequestContext): Promise<readonly FreeBusyResult[]> => {
      asked.push([query, ctx]);
      return answer(query);
    },
  };
  return { of: new CalendarPresence({ source, optIn: new Set([ANNA]), mapping: DEFAULT_PRESENCE_MAPPING, clock: { now: () => at(10) + 12_345 } }), asked };
}

describe('presence from the calendar', () => {
  it('asks the bridge for itself, about the mailbox only, without subjects, from this minute on', async () => {
    const { of, asked } = presence((query) => [{ mailbox: ANNA, freeBusy: freeBusyFrom(ANNA, query.window, { busy: [{ ...span(0, 30), busyType: 'busy' }] }), asOf: at(0) }]);
    const ctx = context({ hops: 2, viaZimbra: true, requester: { ...ASKER, name: 'im', mayAsk: new Set(), detail: 'none' } });
    expect(await of.presenceOf(ANNA, ctx)).toEqual({ state: 'in-a-meeting', until: at(30) });
    const [[query, sent]] = asked as [(typeof asked)[0]];
    expect(query).toEqual({ mailboxes: [ANNA], window: span(10, 10 + 35 * DAY), details: false });
    expect(sent.requester).toMatchObject({ mayAsk: 'all', from: 'outside', detail: 'busy-type' });
    // The loop guard holds for presence too.
    expect([sent.hops, sent.viaZimbra, sent.deadline, sent.signal]).toEqual([2, true, ctx.deadline, ctx.signal]);
  });

  it('asks nobody about a mailbox that has not opted in', async () => {
    const { of, asked } = presence(() => []);
    expect(await of.presenceOf(KIM, context())).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it.each([
    ['failed', (): readonly FreeBusyResult[] => [{ mailbox: ANNA, error: new BridgeError('DEADLINE', 'x') }]],
    ['is missing', (): readonly FreeBusyResult[] => []],
    ['knows nothing', (query: FreeBusyQuery): readonly FreeBusyResult[] => [{ mailbox: ANNA, freeBusy: freeBusyFrom(ANNA, query.window, { known: [] }), asOf: at(0) }]],
  ])('is unknown where the answer %s', async (_name, answer) => {
    expect(await presence(answer).of.presenceOf(ANNA, context())).toEqual({ state: 'unknown', until: null });
  });
});
