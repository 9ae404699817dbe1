const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Takes folds out of octets that have not been decoded yet: a simple writer folds after 75 octets, in the middle of a character too,
 * and only before decoding can that be put together again (RFC 5545 §3.1).
 */
export function unfoldOctets(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(LF)) return bytes;
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const feed = bytes[at] === CR && bytes[at + 1] === LF ? at + 1 : at;
    const next = bytes[feed + 1];
    if (bytes[feed] === LF && (next === SPACE || next === TAB) && length > 0) at = feed + 1;
    else out[length++] = bytes[at]!;
  }
  return out.subarray(0, length);
}
