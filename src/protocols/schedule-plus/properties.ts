/**
 * The message's properties as they came: 16-bit property id → its values as text, in wire order, empty ones kept (months and
 * blocks run in parallel). Integers are decimal or `0x…`, binaries base64 with or without white space, times ISO 8601.
 */
export type RawProperties = ReadonlyMap<number, readonly string[]>;

/** 16-bit ids of what is read, exchange.md §1.2 ([MS-OXOPFFB] 2.2.1). */
export const PROPERTY = {
  subject: 0x0037,
  normalizedSubject: 0x0e1d,
  legacyExchangeDn: 0x6849,
  publishStart: 0x6847,
  publishEnd: 0x6848,
  rangeTimestamp: 0x6868,
} as const;

/** What a month/block pair says of the time in it. `merged` is busy and away in one. */
export const PAIR_TYPES = ['merged', 'busy', 'tentative', 'away'] as const;
export type PairType = (typeof PAIR_TYPES)[number];

/** The two ids of each pair, the MAPI type of each, and so all that a reader has to ask for. */
export const PAIR_PROPERTIES: Readonly<Record<PairType, { readonly months: number; readonly blocks: number }>> = {
  merged: { months: 0x684f, blocks: 0x6850 },
  tentative: { months: 0x6851, blocks: 0x6852 },
  busy: { months: 0x6853, blocks: 0x6854 },
  away: { months: 0x6855, blocks: 0x6856 },
};

/** 32-bit tags (id ‖ MAPI type) of every property that `decodeFreeBusyMessage` reads; the subject comes by `0x0037001F`. */
export const PROPERTY_TAGS: readonly number[] = [
  0x0037001f, 0x0e1d001f, 0x6849001f, 0x68470003, 0x68480003, 0x68680040, 0x684f1003, 0x68501102, 0x68511003, 0x68521102, 0x68531003,
  0x68541102, 0x68551003, 0x68561102,
];

/** 32-bit tags of what is written (exchange.md §1.2, column "Write": M and R). Texts are Unicode. */
export const WRITTEN_TAGS = {
  subject: 0x0037001f,
  normalizedSubject: 0x0e1d001f,
  legacyExchangeDn: 0x6849001f,
  publishStart: 0x68470003,
  publishEnd: 0x68480003,
  rangeTimestamp: 0x68680040,
  resourceType: 0x68410003,
  disableFullFidelity: 0x10f2000b,
  messageLocaleId: 0x3ff10003,
  merged: { months: 0x684f1003, blocks: 0x68501102 },
  tentative: { months: 0x68511003, blocks: 0x68521102 },
  busy: { months: 0x68531003, blocks: 0x68541102 },
  away: { months: 0x68551003, blocks: 0x68561102 },
} as const;

/**
 * An integer as Exchange (decimal) and Zimbra 8 (`0x0d541160`) write it; undefined for anything else, negative and above
 * 32 bits included.
 */
export function integerOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return value <= 0xffffffff ? value : undefined;
}
