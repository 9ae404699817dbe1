/**
 * What a stretch of time is, from the least to the most binding. The order is the precedence: where two overlap, the later
 * one wins, and it is decided here before any protocol's digit exists.
 *
 * `no-data` means that nobody knows. It outranks `free`, because an unknown time shown as free makes somebody double-book.
 */
export const BUSY_TYPES = ['free', 'no-data', 'working-elsewhere', 'tentative', 'busy', 'oof'] as const;
export type BusyType = (typeof BUSY_TYPES)[number];

/** Position in BUSY_TYPES; a higher rank wins. */
export const BUSY_RANK: Readonly<Record<BusyType, number>> = {
  free: 0,
  'no-data': 1,
  'working-elsewhere': 2,
  tentative: 3,
  busy: 4,
  oof: 5,
};

/** The one that wins where both apply. */
export function strongest(a: BusyType, b: BusyType): BusyType {
  return BUSY_RANK[a] >= BUSY_RANK[b] ? a : b;
}

/** What working elsewhere becomes in a protocol that has no word for it (Zimbra, FBTYPE, Exchange 2003); the site decides. */
export type WorkingElsewhereAs = 'free' | 'tentative' | 'busy';
