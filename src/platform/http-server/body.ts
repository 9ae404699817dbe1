import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import { DecompressError, decompress } from '../decompress.ts';

/**
 * The request's whole body, decompressed (gzip, deflate, br); the limit counts what comes out. Refused as soon as it is too
 * large: the rest is not waited for (Express's own body parser reads it off first).
 *
 * @throws BridgeError BODY_TOO_LARGE, or INVALID_REQUEST where the body breaks off, cannot be decompressed or has an unknown encoding
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const raw = await readRaw(request, limitBytes);
  try {
    return await decompress(raw, request.headers['content-encoding'], limitBytes);
  } catch (error) {
    if (error instanceof DecompressError && error.reason === 'too-large') throw tooLarge();
    throw new BridgeError('INVALID_REQUEST', 'the request body cannot be decompressed', { cause: error });
  }
}

async function readRaw(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else finish(tooLarge());
    };
    const finish = (error?: BridgeError): void => {
      request.off('data', onData).off('end', finish).off('close', onBroken).off('error', onBroken);
      if (error === undefined) resolve(Buffer.concat(chunks));
      else reject(error);
    };
    const onBroken = (): void => finish(new BridgeError('INVALID_REQUEST', 'the request body breaks off'));
    if (request.readableEnded) finish();
    else if (request.destroyed) onBroken();
    else request.on('data', onData).once('end', finish).once('close', onBroken).once('error', onBroken);
  });
}

function tooLarge(): BridgeError {
  return new BridgeError('BODY_TOO_LARGE', 'the request is too large');
}
