import { expect } from 'vitest';
import type { EncodedMessage } from '../../../src/protocols/schedule-plus/encode-free-busy-message.ts';

const MINUTE = 60_000;

/** The bits of §1.3 read by themselves: no code of the bridge in it. Each type's minutes since 1970. */
export function minutesOf(message: EncodedMessage): Readonly<Record<'merged' | 'tentative' | 'busy' | 'away', ReadonlySet<number>>> {
  const values = (tag: number): readonly string[] | undefined => message.set.filter((one) => one.tag === tag).map((one) => one.values)[0];
  const read = (monthsTag: number, blocksTag: number): ReadonlySet<number> => {
    const months = values(monthsTag);
    const blocks = values(blocksTag);
    expect(months === undefined, 'a pair is there as a whole or not at all').toBe(blocks === undefined);
    expect(message.removed.includes(monthsTag) && message.removed.includes(blocksTag), 'what is not set is removed').toBe(months === undefined);
    const minutes = new Set<number>();
    let before = 0;
    expect(months?.length).toBe(blocks?.length);
    for (const [index, text] of (months ?? []).entries()) {
      const value = Number(text);
      expect(value, 'months ascend').toBeGreaterThan(before);
      before = value;
      const year = Math.floor(value / 16);
      const month = value - year * 16;
      expect(month >= 1 && month <= 12, 'a month that exists').toBe(true);
      const first = new Date(Date.UTC(year, month - 1, 1)).getTime() / MINUTE;
      const length = new Date(Date.UTC(year, month, 1)).getTime() / MINUTE - first;
      const text64 = blocks![index]!;
      expect(text64, 'one line of base64').toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
      const bytes = Uint8Array.from(atob(text64), (character) => character.charCodeAt(0));
      expect(bytes.length % 4).toBe(0);
      expect(bytes.length, 'only months with content').toBeGreaterThan(0);
      const view = new DataView(bytes.buffer);
      let last = -1;
      for (let at = 0; at < bytes.length; at += 4) {
        const start = view.getUint16(at, true);
        const end = view.getUint16(at + 2, true);
        expect(start, 'sorted, disjoint and not adjacent').toBeGreaterThan(last);
        expect(end).toBeGreaterThan(start);
        expect(end, 'inside its month').toBeLessThanOrEqual(length);
        last = end;
        for (let minute = start; minute < end; minute++) minutes.add(first + minute);
      }
    }
    return minutes;
  };
  return { merged: read(0x684f1003, 0x68501102), tentative: read(0x68511003, 0x68521102), busy: read(0x68531003, 0x68541102), away: read(0x68551003, 0x68561102) };
}
