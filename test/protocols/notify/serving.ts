import { Router } from 'express';
import { createHmac } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { noMetrics } from '../../../src/core/metrics.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import { ClientSignIn } from '../../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import { notifyEndpoint } from '../../../src/protocols/notify/endpoint.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { ask, keepingLogger, serve } from '../../platform/http-server/serving.ts';
import type { Answer } from '../../platform/http-server/serving.ts';

export const NOW = Date.UTC(2026, 10, 21, 10);
export const SECONDS = NOW / 1000;
export const SECRET = 'whsec-0123456789abcdef';

export interface Told {
  readonly system: string;
  readonly mailboxes: readonly string[];
}

export interface Door {
  readonly url: string;
  readonly told: readonly Told[];
  readonly lines: ReturnType<typeof keepingLogger>['lines'];
  post(body: string | Buffer, headers?: Record<string, string>, method?: string): Promise<Answer & { readonly json: unknown }>;
}

export interface DoorOptions {
  /** Empty: none is configured. */
  readonly secret?: string;
  /** Thrown by whoever stores. */
  readonly failure?: Error;
  /** An anonymous client of zimbra at 127.0.0.1. */
  readonly anonymous?: boolean;
}

const HOMES: Readonly<Record<string, string>> = { 'zimbra.example': 'zimbra', 'branch.example': 'branch' };

/** The face behind a real listener, with real sign-in: clients `zimbra`, `branch` and `outside`, each named after its `from`, with its name as password. */
export async function openDoor({ secret = SECRET, failure, anonymous = false }: DoorOptions = {}): Promise<Door> {
  const clock = { now: () => NOW };
  const failures = new FailureMemory(clock);
  const named = ['zimbra', 'branch', 'outside'].map((from) => ({ requester: { ...ASKER, name: from, from }, credentials: { username: from, password: from } }));
  const nobody = { requester: { ...ASKER, name: 'cron', from: 'zimbra', anonymous: true }, addresses: new AddressSet(['127.0.0.1']) };
  const signIn = new ClientSignIn({ accounts: anonymous ? [...named, nobody] : named, failures, tokenKey: Buffer.alloc(32), clock, metrics: noMetrics });
  const told: Told[] = [];
  const feed = {
    homeOf: (mailbox: MailboxAddress) => HOMES[mailbox.slice(mailbox.indexOf('@') + 1)],
    changed: async (system: string, mailboxes: readonly MailboxAddress[]) => {
      if (failure !== undefined) throw failure;
      told.push({ system, mailboxes });
    },
  };
  const router = notifyEndpoint({ signIn, secret: secret === '' ? undefined : secret, clock, feed, failures });
  const { logger, lines } = keepingLogger();
  const listener = await serve(createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [router], logger, metrics: noMetrics }));
  onTestFinished(() => listener.close(0));
  return {
    url: listener.url,
    told,
    lines,
    post: async (body, headers = {}, method = 'POST') => {
      const answer = await ask(listener.url, '/notify', { method, headers, body });
      return { ...answer, json: answer.body === '' ? undefined : (JSON.parse(answer.body) as unknown) };
    },
  };
}

export function basic(name: string, password = name): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}

/** HMAC-SHA256 of "t.body", by node:crypto and the contract's words. */
export function sign(body: string | Buffer, { t = String(SECONDS), secret = SECRET }: { readonly t?: string; readonly secret?: string } = {}): string {
  const message = Buffer.concat([Buffer.from(`${t}.`), Buffer.from(body)]);
  return createHmac('sha256', Buffer.from(secret, 'utf8')).update(message).digest('hex');
}

export function signed(body: string | Buffer, options: { readonly t?: string; readonly secret?: string } = {}): Record<string, string> {
  return { 'x-signature': `t=${options.t ?? SECONDS},v1=${sign(body, options)}` };
}

export const about = (...mailboxes: readonly unknown[]): string => JSON.stringify({ mailboxes });
