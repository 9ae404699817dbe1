import { unreadable } from './message.ts';
import { AV } from './names.ts';

/** One AV_PAIR ([MS-NLMP] 2.2.2.1). */
export interface AvPair {
  readonly id: number;
  readonly value: Buffer;
}

/** The pairs, closed by MsvAvEOL. */
export function encodeAvPairs(pairs: readonly AvPair[]): Buffer {
  return Buffer.concat([...pairs, { id: AV.eol, value: Buffer.alloc(0) }].map(({ id, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  }));
}

/**
 * The pairs before MsvAvEOL, in order; what follows it is padding.
 *
 * @throws BridgeError AUTH_FAILED where one points outside, or none closes the list
 */
export function decodeAvPairs(bytes: Buffer): readonly AvPair[] {
  const pairs: AvPair[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const id = bytes.readUInt16LE(at);
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (id === AV.eol) return pairs;
    if (end > bytes.length) throw unreadable();
    pairs.push({ id, value: bytes.subarray(at + 4, end) });
    at = end;
  }
  throw unreadable();
}
