import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { OVER } from '../../../core/over.ts';
import type { RequestContext } from '../../../core/request-context.ts';
import { RequestBudget } from '../../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import type { EwsConnection, Exchange, RequestManner } from '../connection.ts';
import type { EwsOperation } from '../names.ts';

/** Sends what subscriptions need; every request has its own time limit. */
export class WatchWire {
  readonly connection: EwsConnection;
  readonly clock: Clock;
  readonly #timeoutMs: number;
  /** When the server last answered anything, whatever it was. */
  heardAt: number | undefined;

  constructor(connection: EwsConnection, clock: Clock, timeoutMs: number) {
    this.connection = connection;
    this.clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws BridgeError as EwsConnection.call; DEADLINE after the time limit */
  async call(operation: EwsOperation, body: XmlNode, manner: RequestManner, signal: AbortSignal, seen: Pick<Exchange, 'inspect' | 'dated' | 'cookies' | 'asking'> = {}): Promise<XmlElement> {
    if (signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
    const stop = new AbortController();
    const over = (): void => stop.abort(OVER);
    const timer = setTimeout(over, this.#timeoutMs);
    signal.addEventListener('abort', over, { once: true });
    try {
      const ctx: RequestContext = { requestId: randomUUID(), requester: THE_BRIDGE, hops: 0, deadline: this.clock.now() + this.#timeoutMs, signal: stop.signal };
      const inspect: Exchange['inspect'] = (envelope) => {
        this.heardAt = this.clock.now();
        seen.inspect?.(envelope);
      };
      return (await this.connection.call(operation, body, { ctx, budget: new RequestBudget(), manner, ...seen, inspect })).body;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
    }
  }
}

const THE_BRIDGE = { name: 'presence', from: 'outside', mayAsk: 'all', detail: 'none', anonymous: false, presence: 'none' } as const;
