import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import express from 'express';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import type { WorkingElsewhereAs } from '../../../src/freebusy/busy-type.ts';
import { ServedAddresses } from '../../../src/directory/served-addresses.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { BusyInterval } from '../../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusySource } from '../../../src/freebusy/source.ts';
import { basicCredentials } from '../../../src/platform/auth/basic-credentials.ts';
import type { SignIn } from '../../../src/platform/auth/sign-in.ts';
import { child, childText, childrenNamed } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { owaWebdavEndpoint } from '../../../src/protocols/owa-webdav/endpoint.ts';
import type { PushedMessages } from '../../../src/protocols/schedule-plus/pushed-messages.ts';

export const NOW = Date.UTC(2026, 2, 1);

/** What the memory source knows; everybody else is unknown. */
export type Calendars = Readonly<Record<string, readonly BusyInterval[]>>;

export interface Face {
  readonly port: number;
  readonly url: string;
  /** The questions that reached the source. */
  readonly asked: FreeBusyQuery[];
  readonly close: () => Promise<void>;
}

/** The endpoint on an express app on loopback, with accounts `name → password` and calendars in memory. */
export async function startFace(accounts: Readonly<Record<string, string>>, calendars: Calendars, workingElsewhereAs: WorkingElsewhereAs = 'free', pushed?: PushedMessages): Promise<Face> {
  const asked: FreeBusyQuery[] = [];
  const source: FreeBusySource = {
    freeBusy: async (query) => {
      asked.push(query);
      return query.mailboxes.map((mailbox) => {
        const busy = calendars[mailbox];
        if (busy === undefined) return { mailbox, error: new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox') };
        return { mailbox, freeBusy: freeBusyFrom(mailbox, query.window, { busy }), asOf: NOW };
      });
    },
  };
  const app = express();
  app.use(owaWebdavEndpoint({ source, signIn: fakeSignIn(accounts), clock: { now: () => NOW }, workingElsewhereAs, addresses: new ServedAddresses([{ name: 'exchange', domains: ['corp.example'], mailboxes: [] }]), publicUrl: () => 'https://bridge.example', pushed }));
  app.use((_request, response) => void response.status(404).send('nobody'));
  const server = createServer({ maxHeaderSize: LIMITS.requestHeaderBytes }, app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Among the accounts: whoever sends no credentials is this one. */
export const ANONYMOUS = '(anonymous)';

function fakeSignIn(accounts: Readonly<Record<string, string>>): SignIn {
  const requester = (name: string): Requester => ({ name, username: name, from: 'zimbra', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'none' });
  const failed = (): BridgeError => new BridgeError('AUTH_FAILED', 'wrong user name or password');
  const signIn: SignIn = {
    withPreauth: async () => Promise.reject(new BridgeError('AUTH_FAILED', 'not here')),
    fromRequest: async (request) => {
      const credentials = basicCredentials(request);
      if (credentials === undefined && Object.hasOwn(accounts, ANONYMOUS)) return { ...requester('anonymous'), anonymous: true };
      if (credentials === undefined) throw new BridgeError('AUTH_REQUIRED', 'sign in first');
      return signIn.withPassword(credentials.username, credentials.password, request);
    },
    withPassword: async (username, password) => {
      if (username === 'slow') throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many failed attempts', { retryAfterMs: 4500 });
      if (!Object.hasOwn(accounts, username) || accounts[username] !== password) throw failed();
      return requester(username);
    },
    anonymous: () => undefined,
    expiryOf: () => 0,
    issueToken: (who, purpose) => `0_${Buffer.from(JSON.stringify([who.name, purpose])).toString('hex')}`,
    fromToken: async (token, purpose) => {
      if (token === 'expired') throw new BridgeError('AUTH_EXPIRED', 'the token has expired');
      const hex = /^0_([0-9a-f]+)$/.exec(token)?.[1];
      if (hex === undefined) throw failed();
      const [name, madeFor] = JSON.parse(Buffer.from(hex, 'hex').toString()) as [string, string];
      if (madeFor !== purpose) throw failed();
      return requester(name);
    },
  };
  return signIn;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes one after another over one connection, waiting for each answer; nothing is added or changed. */
export async function sendRaw(port: number, requests: readonly (Buffer | ((before: readonly RawAnswer[]) => Buffer))[]): Promise<readonly RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const answers: RawAnswer[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  const arrived = (async function* () {
    for await (const chunk of socket as AsyncIterable<Buffer>) yield chunk;
  })();
  for (const request of requests) {
    socket.write(typeof request === 'function' ? request(answers) : request);
    for (;;) {
      const taken = takeAnswer(buffered);
      if (taken !== undefined) {
        answers.push(taken.answer);
        buffered = taken.rest;
        break;
      }
      const next = await arrived.next();
      if (next.done === true) throw new Error('the connection ended before the answer');
      buffered = Buffer.concat([buffered, next.value]);
    }
  }
  socket.destroy();
  return answers;
}

function takeAnswer(bytes: Buffer): { readonly answer: RawAnswer; readonly rest: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const length = Number(headers['content-length'] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const body = bytes.subarray(end + 4, end + 4 + length).toString('utf8');
  return { answer: { status: Number(first.split(' ')[1]), headers, body }, rest: bytes.subarray(end + 4 + length) };
}

/** Reads an answer as Zimbra does: recipients/item directly below the root, by local name, fbdata not trimmed. */
export async function recipientsOf(body: string): Promise<readonly { readonly email: string | undefined; readonly fbdata: string }[]> {
  const items = childrenNamed(child(await readXml(body), 'recipients'), 'item');
  return items.map((item) => ({ email: childText(item, 'email'), fbdata: child(item, 'fbdata')?.text ?? '' }));
}
