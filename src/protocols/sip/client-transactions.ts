import { BridgeError } from '../../core/errors.ts';
import { noAnswer } from './faults.ts';
import { readParameterized, splitValue } from './header-value.ts';
import { headerLines, headerOf } from './message.ts';
import type { SipResponse } from './message.ts';

/** RFC 3261 §17.1.1.1, in ms. */
export interface SipTimers {
  readonly t1Ms: number;
  readonly t2Ms: number;
}

interface Transaction {
  readonly method: string;
  readonly bytes: Buffer;
  /** Provisional responses make retransmissions as rare as they get. */
  isProceeding: boolean;
  retransmission: NodeJS.Timeout | undefined;
  readonly end: (outcome: SipResponse | BridgeError) => void;
}

/**
 * Non-INVITE client transactions of one connection (RFC 3261 §17.1.2): sent again by timer E where the transport may lose messages, given up by timer F. A response is for the transaction of its Via
 * branch and method (§17.1.3); every other one, among them the repeated answers that timer K is for, is dropped.
 */
export class ClientTransactions {
  readonly #transactions = new Map<string, Transaction>();
  readonly #send: (bytes: Buffer) => void;
  readonly #isReliable: boolean;
  readonly #timers: SipTimers;

  constructor(options: { readonly send: (bytes: Buffer) => void; readonly isReliable: boolean; readonly timers: SipTimers }) {
    this.#send = options.send;
    this.#isReliable = options.isReliable;
    this.#timers = options.timers;
  }

  /** The final response. @throws BridgeError BACKEND_UNREACHABLE (no answer in 64 T1, or the connection ended), DEADLINE (the signal fired) */
  run(branch: string, method: string, bytes: Buffer, signal: AbortSignal): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const end = (outcome: SipResponse | BridgeError): void => {
        if (!this.#transactions.delete(branch)) return;
        clearTimeout(patience);
        clearTimeout(transaction.retransmission);
        signal.removeEventListener('abort', stop);
        if (outcome instanceof BridgeError) reject(outcome);
        else resolve(outcome);
      };
      const stop = (): void => end(new BridgeError('DEADLINE', 'no answer in time', { temporary: true }));
      const patience = setTimeout(() => end(noAnswer()), TIMER_F * this.#timers.t1Ms);
      const transaction: Transaction = { method, bytes, isProceeding: false, retransmission: undefined, end };
      this.#transactions.set(branch, transaction);
      if (signal.aborted) {
        stop();
        return;
      }
      signal.addEventListener('abort', stop, { once: true });
      this.#send(bytes);
      if (!this.#isReliable) this.#retransmitLater(transaction, this.#timers.t1Ms);
    });
  }

  receive(response: SipResponse): void {
    const [via = ''] = splitValue(headerLines(response, 'via')[0] ?? '', ',');
    const transaction = this.#transactions.get(readParameterized(via).parameters.get('branch') ?? '');
    const [, method] = /^\d{1,10}[ \t]+(\S+)$/.exec(headerOf(response, 'cseq') ?? '') ?? [];
    if (transaction === undefined || transaction.method !== method) return;
    if (response.status >= 200) transaction.end(response);
    else transaction.isProceeding = true;
  }

  /** The connection is gone: everybody who waits hears it. */
  fail(error: BridgeError): void {
    for (const transaction of [...this.#transactions.values()]) transaction.end(error);
  }

  #retransmitLater(transaction: Transaction, afterMs: number): void {
    transaction.retransmission = setTimeout(() => {
      this.#send(transaction.bytes);
      this.#retransmitLater(transaction, transaction.isProceeding ? this.#timers.t2Ms : Math.min(2 * afterMs, this.#timers.t2Ms));
    }, afterMs);
  }
}

/** Timer F is 64 T1 (RFC 3261 §17.1.2.2). */
const TIMER_F = 64;
