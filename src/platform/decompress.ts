import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';

/** Why a body could not be decompressed; both directions turn it into an error of their own. */
export class DecompressError extends Error {
  override readonly name = 'DecompressError';
  readonly reason: 'too-large' | 'unknown-encoding' | 'damaged';

  constructor(reason: DecompressError['reason'], cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}

const zlibInflate = promisify(inflate) as Decoder;
const zlibInflateRaw = promisify(inflateRaw) as Decoder;

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  // IIS sends deflate without the zlib header that RFC 9110 §8.4.1.2 asks for.
  ['deflate', async (body, options) => (hasZlibHeader(body) ? zlibInflate(body, options) : zlibInflateRaw(body, options))],
  ['br', promisify(brotliDecompress)],
] as [string, Decoder][]);

function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

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
