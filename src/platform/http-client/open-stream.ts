import type { Dispatcher } from 'undici';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { tokenReady } from './authentication.ts';
import { connectionError } from './connection-error.ts';
import type { HttpClientOptions } from './http-client.ts';
import { newWire } from './new-wire.ts';
import { refusalOf } from './sign-in-refusal.ts';

export interface StreamRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A server that says nothing for so long is gone. */
  readonly silenceMs: number;
  /** Ends it, whenever. */
  readonly signal: AbortSignal;
}

/** An answer that is read while it comes. */
export interface HttpStream {
  readonly status: number;
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Never more than the socket's buffer ahead of the reader. @throws BridgeError as openStream */
  readonly chunks: AsyncIterable<Buffer>;
  /** All of it at once, for an answer that turned out to be a refusal. @throws BridgeError as openStream; BACKEND_TOO_LARGE */
  whole(): Promise<Buffer>;
  /** As in HttpAnswer. */
  readonly refusal?: BridgeError | undefined;
  /** Cuts the connection; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Posts a request whose answer may not end, over a connection that belongs to it alone, signed in like every other request. Not compressed: parts must be legible as they come. No
 * redirect is followed, and nothing is sent twice. It waits for its turn, and lets the next one in at once: what hangs for hours must not take a place that lookups need.
 *
 * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_REDIRECT, BACKEND_MALFORMED, BACKEND_AUTH (as HttpClient), BACKEND_BUSY (load), DEADLINE (the signal fired)
 */
export async function openStream(options: HttpClientOptions, request: StreamRequest): Promise<HttpStream> {
  await tokenReady(options.authentication, request.signal);
  (await options.load?.enter(request.signal))?.done('given-up');
  const wire = newWire(options);
  const close = (): Promise<void> => wire.destroy();
  try {
    const { url, headers, body, silenceMs, signal } = request;
    const sent = wire.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { ...headers, 'accept-encoding': 'identity' },
      body,
      signal,
      headersTimeout: Math.min(silenceMs, LIMITS.ewsStreamAnswerMs),
      bodyTimeout: silenceMs,
    });
    // As in HttpClient: a handshake that stalls would outlast the signal.
    const answer = await untilAborted(sent, signal);
    const joined = joinedHeaders(answer.headers);
    if (answer.statusCode >= 300 && answer.statusCode < 400) {
      const target = joined['location'];
      throw new BridgeError('BACKEND_REDIRECT', 'the calendar system redirects elsewhere', { details: { target: target !== undefined && URL.canParse(target) ? new URL(target).origin : 'unreadable' } });
    }
    if ((joined['content-encoding'] ?? 'identity') !== 'identity') throw new BridgeError('BACKEND_MALFORMED', 'the answer is compressed, though not asked to be');
    const chunks = chunksOf(answer.body, signal);
    const refusal = answer.statusCode === 401 ? refusalOf(options.authentication, answer.headers) : undefined;
    return { status: answer.statusCode, headers: joined, chunks, whole: () => wholeOf(chunks), close, refusal };
  } catch (error) {
    await close();
    throw classified(error, request.signal);
  }
}

async function* chunksOf(body: Dispatcher.ResponseData['body'], signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw classified(error, signal);
  }
}

async function wholeOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > LIMITS.ewsStreamEnvelopeBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'the answer is too large', { details: { limitBytes: LIMITS.ewsStreamEnvelopeBytes } });
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function classified(error: unknown, signal: AbortSignal): BridgeError {
  if (error instanceof BridgeError) return error;
  return signal.aborted ? new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: error }) : connectionError(error);
}

function joinedHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  return joined;
}
