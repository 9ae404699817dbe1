import type { BusyType } from '../../freebusy/busy-type.ts';

/** Slot elements of GetFreeBusyResponse (zimbra.md §2.2): free, tentative, busy, unavailable, no data. */
export type SlotName = 'f' | 't' | 'b' | 'u' | 'n';

const BUSY_TYPE_OF_SLOT: Readonly<Record<SlotName, BusyType>> = { f: 'free', t: 'tentative', b: 'busy', u: 'oof', n: 'no-data' };

/** What a slot element means; an element that the protocol does not have is no data, never free. */
export function busyTypeOfSlot(name: string): BusyType {
  return Object.hasOwn(BUSY_TYPE_OF_SLOT, name) ? BUSY_TYPE_OF_SLOT[name as SlotName] : 'no-data';
}

/** The slot element of each busy type. Lossy: Zimbra has no working elsewhere; `withoutWorkingElsewhere` takes it out before. */
export const SLOT_OF_BUSY_TYPE: Readonly<Record<Exclude<BusyType, 'working-elsewhere'>, SlotName>> = {
  free: 'f',
  'no-data': 'n',
  tentative: 't',
  busy: 'b',
  oof: 'u',
};
