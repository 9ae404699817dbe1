import { SECOND_MS } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { BUSY_RANK } from '../../freebusy/busy-type.ts';
import type { BusyType, WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { BusyInterval, FreeBusy } from '../../freebusy/free-busy.ts';
import { alignOutward } from '../../freebusy/interval.ts';
import type { Interval } from '../../freebusy/interval.ts';

/** What iCalendar can say of a stretch; `free` is what no stretch covers. */
export type WrittenBusyType = Exclude<BusyType, 'free' | 'working-elsewhere'>;

export interface WrittenStretch extends Interval {
  readonly busyType: WrittenBusyType;
}

/** Free/busy as it is written: whole seconds, in order, disjoint. */
export interface WrittenFreeBusy {
  readonly window: Interval;
  readonly stretches: readonly WrittenStretch[];
}

/**
 * Cuts free/busy to what iCalendar can say. Times become whole seconds, outward: no part of a second that is taken is shown as free, and where two types share a
 * second the stronger has it. The part of a second by which the window grows is no data. Working elsewhere becomes what the site says.
 * Long answers are worked through with turns of the event loop between.
 */
export async function writtenStretches(freeBusy: FreeBusy, workingElsewhereAs: WorkingElsewhereAs): Promise<WrittenFreeBusy> {
  const window = alignOutward(freeBusy.window, SECOND_MS);
  const pace = new Pace(LIMITS.stretchesPerTurn);
  const out: WrittenStretch[] = [];
  for (const stretch of [...edge(window.start, freeBusy.window.start), ...freeBusy.busy, ...edge(freeBusy.window.end, window.end)]) {
    const busyType = stretch.busyType === 'working-elsewhere' ? workingElsewhereAs : stretch.busyType;
    if (busyType !== 'free') append(out, { ...alignOutward(stretch, SECOND_MS), busyType });
    if (pace.spend(1)) await pace.turn();
  }
  return { window, stretches: out };
}

function edge(start: number, end: number): readonly BusyInterval[] {
  return start < end ? [{ start, end, busyType: 'no-data' }] : [];
}

/** Puts a stretch behind those there are. It may share one second with the last of them, and with short ones before: the stronger keeps it. Equal neighbours become one. */
function append(out: WrittenStretch[], next: WrittenStretch): void {
  let { start } = next;
  for (let last = out.at(-1); last !== undefined && last.end >= start; last = out.at(-1)) {
    if (last.busyType === next.busyType) {
      out[out.length - 1] = { ...last, end: Math.max(last.end, next.end) };
      return;
    }
    if (last.end === start) break;
    if (BUSY_RANK[last.busyType] > BUSY_RANK[next.busyType]) {
      start = last.end;
      break;
    }
    if (last.start < start) {
      out[out.length - 1] = { ...last, end: start };
      break;
    }
    out.pop();
  }
  if (start < next.end) out.push({ ...next, start });
}
