import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import express from 'express';
import { BridgeError } from '../../core/errors.ts';

/**
 * The request's whole body, decompressed (gzip, deflate, br); the limit counts what comes out.
 *
 * @throws BridgeError BODY_TOO_LARGE, or INVALID_REQUEST where the body breaks off, cannot be decompressed or has an unknown encoding
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const raw = express.raw({ type: () => true, limit: limitBytes, inflate: true });
  const incoming = request as IncomingMessage & { body?: unknown };
  await new Promise<void>((resolve, reject) => {
    raw(request, new ServerResponse(request), (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(bodyError(error));
    });
  });
  return Buffer.isBuffer(incoming.body) ? incoming.body : Buffer.alloc(0);
}

function bodyError(error: unknown): BridgeError {
  const type = (error as { type?: unknown }).type;
  if (type === 'entity.too.large') return new BridgeError('BODY_TOO_LARGE', 'the request is too large');
  return new BridgeError('INVALID_REQUEST', 'the request body cannot be read', { cause: error });
}
