/** Minutes since 00:00 UTC of the first day of the month the block belongs to; `start < end`. */
export interface MinutePair {
  readonly start: number;
  readonly end: number;
}

export interface DecodedBlock {
  /** In wire order; each as the writer meant it, so an end may lie behind the month's. */
  readonly pairs: readonly MinutePair[];
  /** Bytes behind the last whole pair: something was there that cannot be read. */
  readonly leftOver: number;
  /** Pairs whose end had lost its seventeenth bit (Zimbra 8: an event that runs into the next month). */
  readonly wrapped: number;
}

const PAIR_BYTES = 4;
const WRAP = 0x10000;

/**
 * Reads one block: strictly by four bytes, `uint16 LE` start and end ([MS-OXOPFFB] 2.2.1.2). Empty text is an empty block.
 * Pairs without length are nothing (Zimbra 8 writes them for events under a minute).
 *
 * @returns undefined where the text is no base64
 */
export function decodeMinutePairs(base64: string): DecodedBlock | undefined {
  const compact = base64.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1) return undefined;
  const bytes = Buffer.from(compact, 'base64');
  const pairs: MinutePair[] = [];
  let wrapped = 0;
  for (let at = 0; at + PAIR_BYTES <= bytes.length; at += PAIR_BYTES) {
    const start = bytes.readUInt16LE(at);
    const end = bytes.readUInt16LE(at + 2);
    if (end < start) wrapped++;
    if (end !== start) pairs.push({ start, end: end < start ? end + WRAP : end });
  }
  return { pairs, leftOver: bytes.length % PAIR_BYTES, wrapped };
}

/** Writes one block in one line of base64. The pairs are sorted, disjoint and inside their month: 0 ≤ start < end ≤ 44640. */
export function encodeMinutePairs(pairs: readonly MinutePair[]): string {
  const bytes = Buffer.alloc(pairs.length * PAIR_BYTES);
  for (const [index, pair] of pairs.entries()) {
    bytes.writeUInt16LE(pair.start, index * PAIR_BYTES);
    bytes.writeUInt16LE(pair.end, index * PAIR_BYTES + 2);
  }
  return bytes.toString('base64');
}
