import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';

/** What can be known of a file without reading it. */
export interface FileState {
  readonly size: number;
  /** Epoch milliseconds, with fractions. */
  readonly modifiedAt: number;
}

export interface FileContent extends FileState {
  readonly bytes: Buffer;
  /** SHA-256, the first 32 hexadecimal digits. */
  readonly hash: string;
}

/** @throws BridgeError BACKEND_UNREACHABLE where there is no such file, or it cannot be looked at; BACKEND_TOO_LARGE */
export async function stateOf(path: string): Promise<FileState> {
  const found = await stat(path).catch((error: unknown) => unreadable(error));
  if (!found.isFile()) throw new BridgeError('BACKEND_UNREACHABLE', 'it is no file');
  if (found.size > LIMITS.galFileBytes) throw new BridgeError('BACKEND_TOO_LARGE', `the file has more than ${LIMITS.galFileBytes} bytes`, { details: { bytes: found.size } });
  return { size: found.size, modifiedAt: found.mtimeMs };
}

/**
 * Reads a whole file, in slices, others having their turn between them.
 *
 * @throws BridgeError as `stateOf`; BACKEND_BUSY where it was written to meanwhile; the signal's reason where it fires
 */
export async function readWhole(path: string, signal: AbortSignal): Promise<FileContent> {
  const before = await stateOf(path);
  const handle = await open(path, 'r').catch((error: unknown) => unreadable(error));
  try {
    const bytes = Buffer.allocUnsafe(before.size);
    const hash = createHash('sha256');
    const pace = new Pace(LIMITS.galFileSliceBytes);
    let length = 0;
    while (length < before.size) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(bytes, length, Math.min(LIMITS.galFileSliceBytes, before.size - length), length);
      if (bytesRead === 0) break;
      hash.update(bytes.subarray(length, length + bytesRead));
      length += bytesRead;
      if (pace.spend(bytesRead)) await pace.turn();
    }
    const after = await stateOf(path);
    if (length !== before.size || after.size !== before.size || after.modifiedAt !== before.modifiedAt) throw new BridgeError('BACKEND_BUSY', 'the file is being written', { temporary: true });
    return { ...before, bytes, hash: hash.digest('hex').slice(0, 32) };
  } finally {
    await handle.close();
  }
}

function unreadable(error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const words: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EACCES: 'the bridge may not read the file' };
  throw new BridgeError('BACKEND_UNREACHABLE', words[code] ?? `the file cannot be read: ${code}`, { temporary: true, details: { reason: code }, cause: error });
}
