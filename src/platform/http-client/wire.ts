import type { Dispatcher } from 'undici';
import type { HopOptions } from './interceptors.ts';

/** One request as it goes onto the wire; whoever signs in adds its Authorization. */
export interface WireRequest extends Dispatcher.RequestOptions<null>, HopOptions {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text, so that it can be sent again. */
  readonly body: string | null;
  readonly signal: AbortSignal;
  /** Told `true` before somebody else than the server is waited for (the issuer of a token), and `false` after it: that time is not the server's. */
  readonly elsewhere?: ((isElsewhere: boolean) => void) | undefined;
}

/** The way to one or more servers, signed in as configured. What it throws is undici's, or a BridgeError. */
export interface Wire {
  /** The head of the answer has come; the body is the caller's to read to its end, or to destroy. A 401 is an answer: signing in was tried. */
  request(request: WireRequest): Promise<Dispatcher.ResponseData>;
  /** Takes no more requests; ends when those under way have ended. */
  close(): Promise<void>;
  /** Ends all connections; requests under way fail. */
  destroy(): Promise<void>;
}
