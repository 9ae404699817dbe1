import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

/** Why a body could not be decompressed; both directions turn it into an error of their own. */
export class DecompressError extends Error {
  override readonly name = 'DecompressError';
  readonly reason: 'too-large' | 'unknown-encoding' | 'damaged';

  constructor(reason: DecompressError['reason'], cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
] as [string, Decoder][]);

/**
 * Undoes a Content-Encoding; the limit counts what comes out, so that a small bomb stays small.
 *
 * @throws DecompressError
 */
export async function decompress(body: Buffer, encoding: string | undefined, limitBytes: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity' || body.length === 0) return body;
  const decoder = DECODERS.get(name);
  if (decoder === undefined) throw new DecompressError('unknown-encoding');
  try {
    return await decoder(body, { maxOutputLength: limitBytes });
  } catch (error) {
    throw new DecompressError(error instanceof RangeError ? 'too-large' : 'damaged', error);
  }
}
