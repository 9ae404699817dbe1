import { describe, expect, it } from 'vitest';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { NewEntry } from '../../src/sandbox/calendar-store.ts';

const ANNA = 'anna@exch.example';
const HOUR: NewEntry = { start: 0, end: 3_600_000, type: 'busy' };

describe('the calendars of a stand-in', () => {
  it('tell what came, changed and went, by the mailbox’s own spelling, until nobody listens', () => {
    const store = createCalendarStore([{ address: 'Anna@exch.example', displayName: 'Anna' }]);
    const heard: (readonly [string, readonly (readonly [string, string])[]])[] = [];
    const stop = store.onChange((address, changes) => heard.push([address, changes.map(({ kind, entry }) => [kind, entry.type] as const)]));
    const one = store.add(ANNA, HOUR);
    store.update(ANNA, one.id, { type: 'oof' });
    store.remove(ANNA, one.id);
    store.add(ANNA, HOUR);
    store.add(ANNA, { ...HOUR, type: 'free' });
    store.clear(ANNA);
    stop();
    store.add(ANNA, HOUR);
    expect(heard).toEqual([
      ['Anna@exch.example', [['created', 'busy']]],
      ['Anna@exch.example', [['modified', 'oof']]],
      ['Anna@exch.example', [['deleted', 'oof']]],
      ['Anna@exch.example', [['created', 'busy']]],
      ['Anna@exch.example', [['created', 'free']]],
      ['Anna@exch.example', [['deleted', 'busy'], ['deleted', 'free']]],
    ]);
  });

  it('keep privacy and sensitivity in step', () => {
    const store = createCalendarStore([{ address: ANNA, displayName: 'Anna' }]);
    const one = store.add(ANNA, { ...HOUR, private: true });
    const seen = (): unknown => store.list(ANNA).map((entry) => [entry.private, entry.sensitivity]);
    expect(seen()).toEqual([[true, 'private']]);
    store.update(ANNA, one.id, { sensitivity: 'personal' });
    expect(seen()).toEqual([[false, 'personal']]);
    store.update(ANNA, one.id, { start: 60_000 });
    expect(seen()).toEqual([[false, 'personal']]);
    store.update(ANNA, one.id, { sensitivity: 'confidential' });
    expect(seen()).toEqual([[true, 'confidential']]);
  });

  it('refuse what is no entry, and stay in order', () => {
    const store = createCalendarStore([{ address: ANNA, displayName: 'Anna' }]);
    const late = store.add(ANNA, { ...HOUR, start: 1_000_000 });
    const early = store.add(ANNA, HOUR);
    expect(store.list(ANNA).map((one) => one.id)).toEqual([early.id, late.id]);
    store.update(ANNA, early.id, { start: 2_000_000 });
    expect(store.list(ANNA).map((one) => one.id)).toEqual([late.id, early.id]);
    expect(() => store.update(ANNA, early.id, { end: 5 })).toThrow(RangeError);
    expect(() => store.update(ANNA, 'nothing', {})).toThrow(RangeError);
    expect(() => store.add('ghost@exch.example', HOUR)).toThrow(RangeError);
    expect(store.remove(ANNA, 'nothing')).toBe(false);
  });
});
