import { joinPieces } from '../freebusy/free-busy.ts';
import type { FreeBusy } from '../freebusy/free-busy.ts';
import { overlaps } from '../freebusy/interval.ts';
import type { Interval } from '../freebusy/interval.ts';

/** What an answer says about another window: nothing beyond it, and no data where the answer does not reach. The answer itself where it is about that window. */
export function narrowed(freeBusy: FreeBusy, window: Interval): FreeBusy {
  if (freeBusy.window.start === window.start && freeBusy.window.end === window.end) return freeBusy;
  const cut = joinPieces(freeBusy.mailbox, window, [{ window, freeBusy }]);
  return cut.events === undefined ? cut : { ...cut, events: cut.events.filter((event) => overlaps(event, window)) };
}
