import type { IncomingMessage } from 'node:http';
import type { Metrics } from '../../../src/core/metrics.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import type { ClientAccount } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { beginScope } from '../../../src/platform/http-server/request-scope.ts';

export const PASSWORD = 'canary-password';
export const TOKEN_KEY = Buffer.alloc(32, 7);

export function requester(name: string, changes: Partial<Requester> = {}): Requester {
  return { name, from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none', ...changes };
}

export const ZIMBRA: ClientAccount = { requester: requester('zimbra'), credentials: { username: 'CORP\\Zimbra', password: PASSWORD }, addresses: new AddressSet(['10.0.0.0/8', '2001:db8::/32']) };
export const ANYWHERE: ClientAccount = { requester: requester('anywhere'), credentials: { username: 'anywhere', password: 'pä:ß' } };
export const LOCAL: ClientAccount = { requester: requester('local', { anonymous: true }), addresses: new AddressSet(['192.168.1.0/24']) };

/** A clock that the test moves. */
export class MovableClock {
  at = Date.UTC(2026, 2, 2);
  now(): number {
    return this.at;
  }
}

export interface Bench {
  readonly signIn: ClientSignIn;
  readonly clock: MovableClock;
  readonly failures: FailureMemory;
  readonly counted: string[];
  readonly with: (accounts: readonly ClientAccount[]) => ClientSignIn;
}

export function bench(accounts: readonly ClientAccount[] = [ZIMBRA, ANYWHERE, LOCAL]): Bench {
  const clock = new MovableClock();
  const failures = new FailureMemory(clock);
  const counted: string[] = [];
  const metrics: Metrics = { ...noMetrics, signInFailed: (reason) => void counted.push(reason) };
  const make = (list: readonly ClientAccount[]): ClientSignIn => new ClientSignIn({ accounts: list, failures, tokenKey: TOKEN_KEY, clock, metrics });
  return { signIn: make(accounts), clock, failures, counted, with: make };
}

/** A request as the server would hand it on: from this address, with this Authorization header. */
export function from(address: string, authorization?: string): IncomingMessage {
  const request = { headers: authorization === undefined ? {} : { authorization }, socket: {} } as unknown as IncomingMessage;
  beginScope(request, { address, secure: false, receivedAt: 0, deadlineMs: 5_000, closed: new AbortController().signal });
  return request;
}

export const basic = (username: string, password: string): string => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
