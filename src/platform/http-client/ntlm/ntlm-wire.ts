import type { Dispatcher } from 'undici';
import { LIMITS } from '../../../core/limits.ts';
import { ntlmAccount } from '../../auth/ntlm/client/account.ts';
import type { NtlmAccount } from '../../auth/ntlm/client/account.ts';
import type { Authentication } from '../authentication.ts';
import type { HttpClientOptions } from '../http-client.ts';
import type { Wire, WireRequest } from '../wire.ts';
import { ConnectionGone } from './ntlm-connection.ts';
import { NtlmPool } from './ntlm-pool.ts';

/** Requests over connections on which one account has signed in by NTLMv2. A password is tried once for a request. */
export class NtlmWire implements Wire {
  readonly #options: HttpClientOptions;
  readonly #account: NtlmAccount;
  readonly #pools = new Map<string, NtlmPool>();

  constructor(options: HttpClientOptions, { username, password }: Extract<Authentication, { readonly password: string }>) {
    this.#options = options;
    this.#account = ntlmAccount(username, password);
  }

  /** @throws BridgeError BACKEND_AUTH where no sign-in comes about, and what undici throws */
  async request(request: WireRequest): Promise<Dispatcher.ResponseData> {
    const pool = this.#poolOf(request.origin);
    for (let tries = 1; ; tries++) {
      const connection = await pool.acquire(request.signal);
      try {
        const answer = await connection.request(request);
        if (answer.statusCode !== 401) pool.prove();
        // Read, destroyed or broken off, it closes.
        answer.body.once('close', () => pool.release(connection));
        return answer;
      } catch (error) {
        pool.drop(connection);
        if (!(error instanceof ConnectionGone) || tries >= LIMITS.signInsPerRequest) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #poolOf(origin: string): NtlmPool {
    const pool = this.#pools.get(origin) ?? new NtlmPool(origin, this.#options, this.#account);
    this.#pools.set(origin, pool);
    return pool;
  }
}
