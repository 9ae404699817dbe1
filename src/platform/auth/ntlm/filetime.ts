const EPOCH_OFFSET_MS = 11_644_473_600_000n;

/** Epoch ms as a FILETIME: 100 ns since 1601-01-01 UTC, little-endian, 8 bytes. */
export function encodeFiletime(instant: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE((BigInt(instant) + EPOCH_OFFSET_MS) * 10_000n);
  return bytes;
}

/** The 8 bytes at `at` as epoch ms; far beyond any calendar where they are nonsense, never an error. */
export function decodeFiletime(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at) / 10_000n - EPOCH_OFFSET_MS);
}
