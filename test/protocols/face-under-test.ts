import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Router } from 'express';
import type { Clock } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { Requester } from '../../src/core/request-context.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { ServedAddresses } from '../../src/directory/served-addresses.ts';
import type { WorkingElsewhereAs } from '../../src/freebusy/busy-type.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyParts } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusySource } from '../../src/freebusy/source.ts';
import { ClientSignIn } from '../../src/platform/auth/client-sign-in.ts';
import type { ClientAccount } from '../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../src/platform/auth/failure-memory.ts';
import type { SignIn } from '../../src/platform/auth/sign-in.ts';
import { createApp } from '../../src/platform/http-server/app.ts';
import { LoadGate } from '../../src/platform/http-server/load-gate.ts';

/** What every face is made of. */
export interface FaceServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  readonly addresses: ServedAddresses;
  readonly directory?: Directory | undefined;
  readonly publicUrl: () => string;
}

export interface FaceOptions {
  /** By address in lower case; an error is that mailbox's answer, everybody else is unknown. */
  readonly calendars?: Readonly<Record<string, FreeBusyParts | BridgeError>>;
  readonly accounts?: readonly ClientAccount[];
  readonly clock?: Clock;
  readonly workingElsewhereAs?: WorkingElsewhereAs;
  readonly directory?: Directory;
}

export interface FaceUnderTest {
  readonly url: string;
  readonly port: number;
  /** The questions that reached the source. */
  readonly asked: readonly FreeBusyQuery[];
  close(): Promise<void>;
}

/** The one client of a face under test, unless `accounts` says otherwise: `asker` with `pw-of-asker`, who may ask `exchange` (corp.example, zimbra.example). */
export const ASKER: Requester = { name: 'asker', from: 'outside', mayAsk: new Set(['exchange']), detail: 'details', anonymous: false, presence: 'none' };
export const ASKER_BASIC = `Basic ${Buffer.from('asker:pw-of-asker').toString('base64')}`;

/** A face behind everything that a listener does around it, with real sign-in and calendars in memory. Close it. */
export async function faceUnderTest(make: (services: FaceServices) => Router, options: FaceOptions = {}): Promise<FaceUnderTest> {
  const clock = options.clock ?? { now: () => Date.now() };
  const asked: FreeBusyQuery[] = [];
  const source: FreeBusySource = {
    freeBusy: async (query) => {
      asked.push(query);
      return query.mailboxes.map((mailbox) => {
        const calendar = options.calendars?.[mailbox] ?? new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox');
        return calendar instanceof BridgeError ? { mailbox, error: calendar } : { mailbox, freeBusy: freeBusyFrom(mailbox, query.window, calendar), asOf: clock.now() };
      });
    },
  };
  const accounts = options.accounts ?? [{ requester: ASKER, credentials: { username: 'asker', password: 'pw-of-asker' } }];
  const named = accounts.map((account) => ({ ...account, requester: { ...account.requester, username: account.credentials?.username } }));
  const signIn = new ClientSignIn({ accounts: named, failures: new FailureMemory(clock), tokenKey: Buffer.alloc(32, 7), clock, metrics: noMetrics });
  let url = '';
  const router = make({
    source,
    signIn,
    clock,
    workingElsewhereAs: options.workingElsewhereAs ?? 'free',
    addresses: new ServedAddresses([{ name: 'exchange', domains: ['corp.example', 'zimbra.example'], mailboxes: [] }]),
    directory: options.directory,
    publicUrl: () => url,
  });
  const app = createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger: silentLogger, metrics: noMetrics });
  const server = createServer({ maxHeaderSize: LIMITS.requestHeaderBytes }, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
