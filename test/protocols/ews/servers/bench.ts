import type { MailboxAddress } from '../../../../src/directory/smtp-address.ts';
import type { FreeBusyResult } from '../../../../src/freebusy/source.ts';
import type { Authentication } from '../../../../src/platform/http-client/authentication.ts';
import type { BackEndLoad, BackEndLoads } from '../../../../src/platform/http-client/load/back-end-load.ts';
import type { ExchangeEwsOptions, ExchangeEwsSystem } from '../../../../src/protocols/ews/client.ts';
import { availability, events, response } from '../answer-text.ts';
import { NOW, systemAt } from '../ews-stub.ts';
import type { Reply, Seen } from '../ews-stub.ts';

export const box = (text: string): MailboxAddress => text as MailboxAddress;
export const people = (count: number): MailboxAddress[] => Array.from({ length: count }, (_, index) => box(`p${index}@works.example`));
export const WINDOW = { start: Date.parse('2026-06-01T09:00:00Z'), end: Date.parse('2026-06-01T11:00:00Z') };
export const addressesOf = (request: Seen): string[] => [...request.body.matchAll(/<t:Address>(.*?)<\/t:Address>/g)].map((match) => match[1]!);
/** What came of each: `busy`, `free`, or why there is nothing. */
export const outcomes = (results: readonly FreeBusyResult[]): string[] => results.map((one) => ('error' in one ? one.error.code : one.freeBusy.busy[0]?.busyType ?? 'free'));

/** Everybody is busy from nine to half past. */
export function busyAnswer(request: Seen): Reply {
  return { body: availability(...addressesOf(request).map(() => response(events(['2026-06-01T09:00:00', '2026-06-01T09:30:00', 'Busy'])))) };
}

/** Basic accounts; the password is the name's own. */
export function accounts(...names: readonly string[]): Authentication[] {
  return names.map((username) => ({ kind: 'basic', username, password: `${username}-secret` }));
}

export function accountOf(request: Seen): string {
  return Buffer.from(String(request.headers.authorization).slice(6), 'base64').toString('utf8').split(':')[0]!;
}

/** A clock that stands until it is moved. */
export interface Hands {
  now(): number;
  pass(ms: number): void;
}

export function hands(): Hands {
  let at = NOW;
  return { now: () => at, pass: (ms) => void (at += ms) };
}

export interface ToldLoad {
  readonly heldOff: number[];
  readonly concurrency: number[];
}

/** Loads that write down what they are told. */
export function tellingLoads(): BackEndLoads & { readonly told: ReadonlyMap<string, ToldLoad> } {
  const told = new Map<string, ToldLoad>();
  return {
    told,
    of: (_server, account, concurrency): BackEndLoad => {
      const one = told.get(account) ?? { heldOff: [], concurrency: [concurrency] };
      told.set(account, one);
      return { enter: async () => ({ done: () => undefined }), holdOff: (ms) => void one.heldOff.push(ms), setConcurrency: (most) => void one.concurrency.push(most) };
    },
  };
}

export function systemOf(servers: readonly URL[], over: Partial<ExchangeEwsOptions> = {}): ExchangeEwsSystem {
  return systemAt(servers[0] ?? new URL('http://127.0.0.1:1/'), { servers, ...over });
}
