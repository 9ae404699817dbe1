import { Router } from 'express';
import { onTestFinished } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { toBridgeError } from '../../../src/core/errors.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import type { ClientAccount, ClientSignInOptions } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { setChallenge } from '../../../src/platform/http-server/challenge.ts';
import { Listener } from '../../../src/platform/http-server/listener.ts';
import type { ServerCertificate } from '../../../src/platform/http-server/listener.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import { STATUS_OF } from '../../../src/platform/http-server/status-of.ts';
import { Connection } from './ntlm-peer.ts';
import { MovableClock, requester } from './signing-in.ts';

export const BOTH: ClientAccount = { requester: requester('both'), credentials: { username: 'CORP\\both', password: 'pw-both' }, auth: ['basic', 'ntlm'] };
export const ONLY: ClientAccount = { requester: requester('only'), credentials: { username: 'only@corp.example', password: 'pw-only' }, auth: ['ntlm'] };
export const PLAIN: ClientAccount = { requester: requester('plain'), credentials: { username: 'plain', password: 'pw-plain' } };
export const ACCOUNTS: readonly ClientAccount[] = [BOTH, ONLY, PLAIN];

export interface Served {
  readonly url: string;
  readonly clock: MovableClock;
  /** `reason` and `code` of every refused request, in order. */
  readonly reasons: (string | undefined)[];
  connect(): Connection;
  /** As a reload does: other accounts, the same failures and token key. */
  reload(accounts: readonly ClientAccount[], more?: Partial<ClientSignInOptions>): void;
}

/** A face that tells who asks, behind all that a listener does around it; gone after the test. It reads no body. */
export async function serve(accounts: readonly ClientAccount[] = ACCOUNTS, more: Partial<ClientSignInOptions> & { readonly certificate?: ServerCertificate; readonly host?: string } = {}): Promise<Served> {
  const clock = new MovableClock();
  // The client that is not ours looks at its own clock.
  clock.at = Date.now();
  const failures = new FailureMemory(clock);
  const reasons: (string | undefined)[] = [];
  const appOf = (list: readonly ClientAccount[], options: Partial<ClientSignInOptions>) => {
    const signIn = new ClientSignIn({ accounts: list, failures, tokenKey: Buffer.alloc(32, 7), clock, metrics: noMetrics, ...options });
    const router = Router();
    router.use(async (request, response) => {
      try {
        response.send((await signIn.fromRequest(request)).name);
      } catch (thrown) {
        const error = toBridgeError(thrown);
        reasons.push(scopeOf(request).fields.reason ?? error.code);
        if (STATUS_OF[error.code] === 401) setChallenge(request, response);
        response.status(STATUS_OF[error.code]).send(error.publicMessage);
      }
    });
    return createApp({ trustedProxies: options.trustedProxies ?? [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics });
  };
  const { certificate, host = '127.0.0.1', ...options } = more;
  const scheme = certificate === undefined ? 'http' : 'https';
  const listener = await Listener.open(new URL(`${scheme}://${host}:0`), certificate, appOf(accounts, options), silentLogger);
  onTestFinished(() => listener.close(0));
  return {
    url: listener.url,
    clock,
    reasons,
    connect: () => {
      const connection = new Connection(listener.url);
      onTestFinished(() => connection.close());
      return connection;
    },
    reload: (list, changed = {}) => listener.setHandler(appOf(list, { ...options, ...changed })),
  };
}
