import type { Dispatcher } from 'undici';
import { LIMITS } from '../../core/limits.ts';

/**
 * Reads the body of an answer that nobody wants, so that its connection can be used again.
 *
 * @returns whether it can: the server keeps it open, and the body was no longer than a refusal is
 * @throws what undici throws where the body breaks off
 */
export async function readAway({ headers, body }: Dispatcher.ResponseData): Promise<boolean> {
  // A stream that is left half-way says so by an error.
  body.on('error', () => undefined);
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMITS.refusalBodyBytes) return false;
  }
  return !/(?:^|,)\s*close\s*(?:,|$)/i.test([headers['connection'] ?? ''].flat().join(','));
}
