import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { below } from '../../../platform/http-client/below.ts';
import { problemOf } from '../answer-problem.ts';
import type { OwaAnswer, OwaConnection, OwaExchange } from '../client-connection.ts';
import { encodeFreeBusyQuery } from '../free-busy-query.ts';

export interface StoreConnectionOptions {
  readonly connection: OwaConnection;
  /** The server's root. */
  readonly url: URL;
  readonly auth: 'basic' | 'form' | 'ntlm';
  readonly clock: Clock;
}

/**
 * Requests about mailboxes. With Basic a 401 means a wrong password, or a mailbox without the right to it (exchange.md §2.2): then something is asked that needs no right, once for all who wait, and a
 * password that is refused there too is not sent again for a while. With a form OwaConnection tells the two apart.
 */
export class StoreConnection {
  readonly #options: StoreConnectionOptions;
  #asking: Promise<boolean> | undefined;
  #refused: { readonly until: Instant; readonly error: BridgeError } | undefined;

  constructor(options: StoreConnectionOptions) {
    this.#options = options;
  }

  /** The answer, whatever its status; `isLetIn` with a 401 that is about the mailbox. @throws BridgeError BACKEND_AUTH where the credentials are refused, and those of OwaConnection */
  async exchange(request: OwaExchange): Promise<OwaAnswer> {
    const { auth, clock, connection } = this.#options;
    if (this.#refused !== undefined && clock.now() < this.#refused.until) throw this.#refused.error;
    const answer = await connection.exchange(request);
    if (auth === 'form' || answer.status !== 401) return answer;
    this.#asking ??= this.#isLetIn(request).finally(() => (this.#asking = undefined));
    if (await this.#asking) return { ...answer, isLetIn: true };
    const error = problemOf(answer, 207) ?? new BridgeError('BACKEND_AUTH', 'the server refuses the credentials');
    this.#refused = { until: clock.now() + LIMITS.logonRefusedForMs, error };
    throw error;
  }

  async #isLetIn({ ctx, budget }: OwaExchange): Promise<boolean> {
    const { clock, connection, url: root } = this.#options;
    const url = below(root, '/public/');
    url.search = encodeFreeBusyQuery({ window: { start: clock.now(), end: clock.now() + HALF_AN_HOUR_MS }, intervalMinutes: 30, addresses: [NOBODY] });
    return (await connection.exchange({ method: 'GET', url, ctx, budget })).status !== 401;
  }
}

const HALF_AN_HOUR_MS = 30 * 60_000;
/** No server has it. */
const NOBODY = 'freebusy-bridge-check@bridge.invalid';

/** Whether an answer says that there is no right to the thing itself. */
export function isForbidden({ status, isLetIn }: OwaAnswer): boolean {
  return status === 403 || (status === 401 && isLetIn === true);
}

export function isGone({ status }: OwaAnswer): boolean {
  return status === 404 || status === 410;
}
