import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { Router } from 'express';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { ServedAddresses } from '../../src/directory/served-addresses.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { FreeBusy } from '../../src/freebusy/free-busy.ts';
import type { FreeBusySource } from '../../src/freebusy/source.ts';
import { ClientSignIn } from '../../src/platform/auth/client-sign-in.ts';
import { FailureMemory } from '../../src/platform/auth/failure-memory.ts';
import { createApp } from '../../src/platform/http-server/app.ts';
import { LoadGate } from '../../src/platform/http-server/load-gate.ts';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import { answerMessages } from './child-process.ts';
import { knownCalendar } from './known-calendar.ts';
import { AUTHORIZATION_OF_FACE } from './ews-face-question.ts';

/** `hello` or `face`; the answer tells the port and how much memory is in use. */
export interface FaceServerWork {
  readonly serve?: 'hello' | 'face';
}

const [username, password] = Buffer.from(AUTHORIZATION_OF_FACE.slice(6), 'base64').toString().split(':') as [string, string];

/** Everybody's calendar is known beforehand, for each window once: what is measured is the face. */
function knownSource(): FreeBusySource {
  const known = new Map<string, FreeBusy>();
  const of = (mailbox: MailboxAddress, start: number, end: number): FreeBusy => {
    const key = `${mailbox} ${start} ${end}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = knownCalendar(mailbox, { start, end });
    known.set(key, made);
    return made;
  };
  return { freeBusy: async ({ mailboxes, window }) => mailboxes.map((mailbox) => ({ mailbox, freeBusy: of(mailbox, window.start, window.end), asOf: 0 })) };
}

function face(): RequestListener {
  const requester = { name: 'bench', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' } as const;
  const signIn = new ClientSignIn({ accounts: [{ requester, credentials: { username, password } }], failures: new FailureMemory(systemClock), tokenKey: Buffer.alloc(32, 1), clock: systemClock, metrics: noMetrics });
  const endpoint = ewsEndpoint({ source: knownSource(), signIn, clock: systemClock, workingElsewhereAs: 'free', addresses: new ServedAddresses([]) });
  return createApp({ trustedProxies: [], deadlineMs: 5_000, always: Router(), gate: new LoadGate(), routers: [endpoint], logger: silentLogger, metrics: noMetrics });
}

function hello(): RequestListener {
  return express().get('/', (_request, response) => response.send('hello'));
}

let port = 0;

answerMessages(async ({ serve }: FaceServerWork) => {
  if (serve !== undefined) {
    const server = createServer(serve === 'hello' ? hello() : face()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }
  globalThis.gc?.();
  return { port, heapBytes: process.memoryUsage().heapUsed, rssBytes: process.memoryUsage().rss };
});
