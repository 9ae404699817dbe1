import { describe, expect, it } from 'vitest';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { NewEntry } from '../../src/sandbox/calendar-store.ts';
import { publish } from '../../src/sandbox/published-message.ts';

const at = (text: string): number => Date.parse(text);

function published(now: string, ...entries: readonly NewEntry[]) {
  const store = createCalendarStore([{ address: 'a@x.example', displayName: 'A' }]);
  for (const entry of entries) store.add('a@x.example', entry);
  return publish(store.list('a@x.example'), at(now), 3);
}

describe('the message that the stand-in Exchange 2003 publishes', () => {
  it('has the numbers and bytes of the worked example of exchange.md §1.5, in Exchange’s own style', () => {
    const message = published(
      '2026-03-01T12:00:00Z',
      { start: at('2026-03-10T09:00:00Z'), end: at('2026-03-10T10:30:00Z'), type: 'busy' },
      { start: at('2026-03-31T22:00:00Z'), end: at('2026-04-01T02:00:00Z'), type: 'busy' },
      { start: at('2026-03-18T13:15:00Z'), end: at('2026-03-18T14:00:00Z'), type: 'tentative' },
      { start: at('2026-04-06T00:00:00Z'), end: at('2026-04-11T00:00:00Z'), type: 'oof' },
    );
    const months = [32419, 32420, 32421];
    expect([message.startMinutes, message.endMinutes]).toEqual([223613280, 223745760]);
    expect(message.busy).toEqual({ months, blocks: ['vDQWNeitYK4=', 'AAB4AA==', ''] });
    expect(message.tentative).toEqual({ months, blocks: ['u2LoYg==', '', ''] });
    expect(message.away).toEqual({ months, blocks: ['', 'IBxAOA==', ''] });
    expect(message.merged).toEqual({ months, blocks: ['vDQWNeitYK4=', 'AAB4ACAcQDg=', ''] });
  });

  it('begins with the week where that is earlier than the month, and then lists a month more', () => {
    // 2 April 2026 is a Thursday; its Sunday is 29 March.
    const message = published('2026-04-02T08:00:00Z');
    expect(new Date(message.start).toISOString()).toBe('2026-03-29T00:00:00.000Z');
    expect(message.busy.months).toEqual([32419, 32420, 32421, 32422]);
  });

  it('counts months over the end of a year without the phantom months 13 to 15 and 0', () => {
    expect(published('2026-12-20T08:00:00Z').busy.months).toEqual([32428, 32433, 32434]);
  });

  it('joins entries of one type that touch or overlap, and rounds outward to minutes', () => {
    const message = published(
      '2026-03-01T00:00:00Z',
      { start: at('2026-03-01T00:10:30Z'), end: at('2026-03-01T00:20:00Z'), type: 'busy' },
      { start: at('2026-03-01T00:20:00Z'), end: at('2026-03-01T00:29:01Z'), type: 'busy' },
      { start: at('2026-03-01T00:12:00Z'), end: at('2026-03-01T00:13:00Z'), type: 'busy' },
    );
    // 10 … 30 as two little-endian 16-bit numbers: 0A 00 1E 00.
    expect(message.busy.blocks[0]).toBe('CgAeAA==');
  });
});
