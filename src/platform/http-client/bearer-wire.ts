import type { Dispatcher } from 'undici';
import type { TokenSource } from './authentication.ts';
import { readAway } from './read-away.ts';
import type { Wire, WireRequest } from './wire.ts';

/** Requests with a bearer token (RFC 6750 §2.1). A token that is answered 401 is given up, and the request sent once more with the next; the server has not taken the first. */
export class BearerWire implements Wire {
  readonly #wire: Wire;
  readonly #tokens: TokenSource;

  constructor(wire: Wire, tokens: TokenSource) {
    this.#wire = wire;
    this.#tokens = tokens;
  }

  /** @throws BridgeError as TokenSource, and what undici throws */
  async request(request: WireRequest): Promise<Dispatcher.ResponseData> {
    const token = await this.#token(request);
    const answer = await this.#wire.request(withToken(request, token));
    if (answer.statusCode !== 401) return answer;
    this.#tokens.refused(token);
    answer.body.on('error', () => undefined);
    const next = await this.#token(request).catch((error: unknown) => {
      answer.body.destroy();
      throw error;
    });
    if (next === token) return answer;
    await readAway(answer);
    const second = await this.#wire.request(withToken(request, next));
    if (second.statusCode === 401) this.#tokens.refused(next);
    return second;
  }

  async #token({ signal, elsewhere }: WireRequest): Promise<string> {
    elsewhere?.(true);
    const token = await this.#tokens.token(signal);
    elsewhere?.(false);
    return token;
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  async destroy(): Promise<void> {
    await this.#wire.destroy();
  }
}

function withToken({ elsewhere: _, ...request }: WireRequest, token: string): WireRequest {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}
