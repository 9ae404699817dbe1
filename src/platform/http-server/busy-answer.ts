import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * How a face says in its protocol's own words that the bridge has too much to do: without signing anybody in and without waiting for the body. Retry-After is set.
 *
 * @param retryAfterMs how long the client should stay away
 * @returns false for a request that is not its own; nothing has been done with it then
 */
export type BusyAnswer = (request: IncomingMessage, response: ServerResponse, retryAfterMs: number) => boolean;

/** The path of a request's target as it was sent, in origin or absolute form. */
export function sentPath(request: IncomingMessage): string {
  return (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
}

/** Writes an answer that is there as a whole. */
export function sendWhole(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store' }).end(body);
}
