import { randomBytes } from 'node:crypto';
import { LIMITS } from '../../core/limits.ts';
import { BridgeError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import type { NotifyTaker } from './answer-request.ts';
import type { SipServer } from './channel.ts';
import type { SipTimers } from './client-transactions.ts';
import { readParameterized } from './header-value.ts';
import { headerOf, NO_BODY } from './message.ts';
import type { SipHeader, SipRequest, SipResponse } from './message.ts';
import { MAGIC_COOKIE } from './names.ts';
import { ServerConnection } from './server-connection.ts';
import { isChallenge, SignIn } from './sign-in.ts';
import { writeMessage } from './write-message.ts';

export interface SipClientOptions {
  readonly server: SipServer;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** PEM; with tls, replaces Node's own authorities. */
  readonly ca?: readonly string[] | undefined;
  /** Default: RFC 3261's. Tests shorten them. */
  readonly timers?: SipTimers | undefined;
}

/** What a request is about; everything else is added: Via, From and To, Call-ID, CSeq, Max-Forwards, credentials. */
export interface SipQuestion {
  readonly method: 'PUBLISH' | 'SUBSCRIBE' | 'OPTIONS';
  /** Request-URI; From and To are the same. */
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body?: Uint8Array;
  /** `contact` is ours on the connection that the request takes. */
  readonly hasContact?: boolean;
  /** Names the dialog that a SUBSCRIBE begins, before it is sent. */
  readonly callId?: string;
  readonly fromTag?: string;
}

const DEFAULT_TIMERS: SipTimers = { t1Ms: LIMITS.sipT1Ms, t2Ms: LIMITS.sipT2Ms };

/** Of one kind for a request: one for new credentials, one more because the nonce was stale. */
const CHALLENGES = 2;

/** A user agent client (RFC 3261 §8.1) of one server: keeps a connection, opens another where it was lost, signs in. Requests are independent of each other and may run at the same time. */
export class SipClient {
  readonly #options: SipClientOptions;
  readonly #signIn: SignIn;
  readonly #takers = new Map<string, NotifyTaker>();
  readonly #ending = new AbortController();
  #connection: Promise<ServerConnection> | undefined;
  /** Of the server's addresses, how many did not serve us well. */
  #skip = 0;

  constructor(options: SipClientOptions) {
    this.#options = options;
    this.#signIn = new SignIn(options.username, options.password);
  }

  /** Whether the server has asked for a sign-in so far. */
  get wasChallenged(): boolean {
    return this.#signIn.wasAsked;
  }

  /**
   * The final response to a request, whatever its status; challenges are answered. A connection refused is tried at the server's other addresses, silence makes the next request begin with another one.
   *
   * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_AUTH, DEADLINE
   */
  async request(question: SipQuestion, signal: AbortSignal): Promise<SipResponse> {
    const callId = question.callId ?? newId();
    const fromTag = question.fromTag ?? newId();
    const challenged = { 401: 0, 407: 0 };
    for (let sequence = 1; ; sequence++) {
      const response = await this.#send(question, { callId, fromTag, sequence }, signal);
      if (!isChallenge(response.status)) return response;
      this.#signIn.take(response.status, response, challenged[response.status] > 0);
      if (++challenged[response.status] > CHALLENGES) throw new BridgeError('BACKEND_AUTH', 'the presence server calls every nonce stale', { temporary: true, details: { status: response.status } });
    }
  }

  /** Hears NOTIFYs of the dialog until the answer is called. */
  onNotify(callId: string, take: NotifyTaker): () => void {
    this.#takers.set(callId, take);
    return () => void this.#takers.delete(callId);
  }

  /** Opens the connection, where there is none. @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, DEADLINE */
  async connect(signal: AbortSignal): Promise<void> {
    await this.#connected(signal);
  }

  /** Requests under way end. Safe to call twice. */
  close(): void {
    this.#ending.abort();
    void this.#connection?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  async #send(question: SipQuestion, ids: { readonly callId: string; readonly fromTag: string; readonly sequence: number }, signal: AbortSignal): Promise<SipResponse> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#connected(signal);
      const branch = MAGIC_COOKIE + newId();
      try {
        return await connection.request(branch, question.method, writeMessage(this.#requestOn(connection, branch, question, ids)), signal);
      } catch (error) {
        if (connection.isOpen && connection.unanswered < LIMITS.sipUnanswered) throw error;
        // A dead connection, or a server that is: the next one begins with another of its addresses.
        connection.close();
        this.#skip++;
        // Over UDP only a request finds out that nobody listens there; another address may do.
        if (!isRefused(error) || this.#options.server.transport !== 'udp' || attempt >= connection.addresses) throw error;
      }
    }
  }

  #requestOn(connection: ServerConnection, branch: string, { method, uri, headers, body = NO_BODY, hasContact = false }: SipQuestion, ids: { readonly callId: string; readonly fromTag: string; readonly sequence: number }): SipRequest {
    const { transport } = this.#options.server;
    const contact = `<sip:${connection.localHostPort}${transport === 'udp' ? '' : `;transport=${transport}`}>`;
    return {
      kind: 'request',
      method,
      uri,
      headers: [
        { name: 'Via', value: connection.via(branch) },
        { name: 'Max-Forwards', value: '70' },
        { name: 'From', value: `<${uri}>;tag=${ids.fromTag}` },
        { name: 'To', value: `<${uri}>` },
        { name: 'Call-ID', value: ids.callId },
        { name: 'CSeq', value: `${ids.sequence} ${method}` },
        ...(hasContact ? [{ name: 'Contact', value: contact }] : []),
        ...this.#signIn.headersFor(method, uri),
        ...headers,
      ],
      body,
    };
  }

  async #connected(signal: AbortSignal): Promise<ServerConnection> {
    const current = this.#connection;
    const kept = current === undefined ? undefined : await untilAborted(current.catch(() => undefined), signal);
    if (kept?.isOpen === true) return kept;
    if (this.#ending.signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true });
    // Whoever comes first opens it for all; nobody's signal ends it for the others.
    if (this.#connection === current) this.#connection = undefined;
    this.#connection ??= this.#open();
    return untilAborted(this.#connection, signal);
  }

  #open(): Promise<ServerConnection> {
    const { server, ca, timers = DEFAULT_TIMERS } = this.#options;
    const takeNotify: NotifyTaker = (request) => this.#takers.get(headerOf(request, 'call-id') ?? '')?.(request) ?? false;
    const opening = ServerConnection.open(server, { ca, timers, skip: this.#skip, takeNotify }, this.#ending.signal);
    opening.catch(() => {
      if (this.#connection === opening) this.#connection = undefined;
    });
    return opening;
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof BridgeError && error.details['reason'] === 'ECONNREFUSED';
}

/** The tag of a From or To header (RFC 3261 §19.3); undefined where there is none. */
export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : readParameterized(value).parameters.get('tag');
}

/** For branches, tags and Call-IDs: unique in space and time (RFC 3261 §8.1.1.4), and not to be guessed. */
export function newId(): string {
  return randomBytes(12).toString('hex');
}
