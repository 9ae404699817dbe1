import { LIMITS } from '../../core/limits.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import type { HostAddress } from '../../platform/host-addresses.ts';
import { answerRequest } from './answer-request.ts';
import type { NotifyTaker } from './answer-request.ts';
import { openChannel } from './channel.ts';
import type { SipChannel, SipServer } from './channel.ts';
import { ClientTransactions } from './client-transactions.ts';
import type { SipTimers } from './client-transactions.ts';
import { connectionFailure } from './faults.ts';
import type { SipMessage, SipResponse } from './message.ts';
import { hostText } from './sip-uri.ts';
import { writeMessage } from './write-message.ts';

/** RFC 3261 §18.1.1's names for the Via. */
const VIA_TRANSPORTS = { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } as const;

export interface ConnectionOptions {
  readonly ca: readonly string[] | undefined;
  readonly timers: SipTimers;
  readonly takeNotify: NotifyTaker;
}

/** One open channel to the server with everything that happens on it: our transactions, and answers to what the server asks us. It does not come back by itself. */
export class ServerConnection {
  readonly #channel: SipChannel;
  readonly #transactions: ClientTransactions;
  readonly #server: SipServer;
  #isOpen = true;
  #unanswered = 0;
  /** How many the server has. */
  readonly addresses: number;

  private constructor(channel: SipChannel, transactions: ClientTransactions, server: SipServer, addresses: number) {
    this.addresses = addresses;
    this.#channel = channel;
    this.#transactions = transactions;
    this.#server = server;
  }

  /**
   * Connects to the first of the server's addresses that answers (all of them are tried, `skip` of them last).
   *
   * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, DEADLINE
   */
  static async open(server: SipServer, options: ConnectionOptions & { readonly skip: number }, signal: AbortSignal): Promise<ServerConnection> {
    let failure: unknown;
    try {
      const addresses = (await hostAddresses(server.host, LIMITS.connectTimeoutMs, signal)).slice(0, LIMITS.sipAddresses);
      for (const [index] of addresses.entries()) {
        try {
          return await ServerConnection.#to(addresses[(index + options.skip) % addresses.length]!, server, { ...options, addresses: addresses.length }, signal);
        } catch (error) {
          failure ??= error;
        }
      }
    } catch (error) {
      failure = error;
    }
    throw connectionFailure(failure);
  }

  static async #to(address: HostAddress, server: SipServer, { ca, timers, takeNotify, addresses }: ConnectionOptions & { readonly addresses: number }, signal: AbortSignal): Promise<ServerConnection> {
    const channel = await openChannel(server, address, ca, signal);
    const connection = new ServerConnection(channel, new ClientTransactions({ send: (bytes) => channel.send(bytes), isReliable: channel.isReliable, timers }), server, addresses);
    channel.read({ received: (message) => connection.#received(message, takeNotify), ended: (error) => connection.#ended(error) });
    return connection;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** `127.0.0.1:5062`, for Via and Contact; an IPv6 address in brackets. */
  get localHostPort(): string {
    return `${hostText(this.#channel.local.address)}:${this.#channel.local.port}`;
  }

  /** The top Via of a request, with rport (RFC 3581): answers come back the way the request went, through any NAT. */
  via(branch: string): string {
    return `SIP/2.0/${VIA_TRANSPORTS[this.#server.transport]} ${this.localHostPort};branch=${branch};rport`;
  }

  /** Requests in a row without an answer, while nothing else was heard either. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Sends a request and waits for its final response. @throws BridgeError BACKEND_UNREACHABLE, DEADLINE */
  async request(branch: string, method: string, bytes: Buffer, signal: AbortSignal): Promise<SipResponse> {
    try {
      return await this.#transactions.run(branch, method, bytes, signal);
    } catch (error) {
      this.#unanswered++;
      throw error;
    }
  }

  /** Whoever waits hears BACKEND_UNREACHABLE. Safe to call twice. */
  close(): void {
    this.#isOpen = false;
    this.#channel.close();
    this.#transactions.fail(connectionFailure(Object.assign(new Error('closed'), { code: 'ECONNABORTED' })));
  }

  #received(message: SipMessage, takeNotify: NotifyTaker): void {
    this.#unanswered = 0;
    if (message.kind === 'response') {
      this.#transactions.receive(message);
      return;
    }
    const answer = answerRequest(message, this.#channel.remote, takeNotify);
    if (answer !== undefined) this.#channel.send(writeMessage(answer));
  }

  #ended(error: Error): void {
    this.#isOpen = false;
    this.#transactions.fail(connectionFailure(error));
  }
}
