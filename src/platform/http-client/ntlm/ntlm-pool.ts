import { LIMITS } from '../../../core/limits.ts';
import type { NtlmAccount } from '../../auth/ntlm/client/account.ts';
import type { HttpClientOptions } from '../http-client.ts';
import { NtlmConnection } from './ntlm-connection.ts';

interface Waiter {
  readonly take: (connection: NtlmConnection) => void;
  readonly fail: (error: Error) => void;
}

/**
 * The connections of one account to one server. Until the first sign-in has gone well there is one at a time: with a wrong password, many questions at once must not
 * be many wrong passwords at once.
 */
export class NtlmPool {
  readonly #connect: (gone: () => void) => NtlmConnection;
  readonly #open = new Set<NtlmConnection>();
  readonly #idle: NtlmConnection[] = [];
  readonly #waiting = new Set<Waiter>();
  #isProven = false;
  #isClosed = false;
  #ended: () => void = () => undefined;

  constructor(origin: string, options: HttpClientOptions, account: NtlmAccount) {
    this.#connect = (gone) => new NtlmConnection(origin, options, account, gone);
  }

  /** A connection for one request; give it back. @throws the signal's reason, Error once it is closed */
  async acquire(signal: AbortSignal): Promise<NtlmConnection> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new Error('the connections are closed');
    const ready = this.#waiting.size === 0 ? this.#take() : undefined;
    if (ready !== undefined) return ready;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        take: (connection) => {
          leave();
          resolve(connection);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => waiter.fail(signal.reason as Error);
      signal.addEventListener('abort', abort);
      this.#waiting.add(waiter);
    });
  }

  /** The request and its answer are over. */
  release(connection: NtlmConnection): void {
    if (!this.#open.has(connection)) return;
    if (this.#isClosed || !connection.isUsable) return this.drop(connection);
    this.#idle.push(connection);
    this.#serve();
  }

  /** It is of no more use. */
  drop(connection: NtlmConnection): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    void connection.destroy();
    this.#serve();
    if (this.#isClosed && this.#open.size === 0) this.#ended();
  }

  /** The account is let in. */
  prove(): void {
    if (this.#isProven) return;
    this.#isProven = true;
    this.#serve();
  }

  /** Ends when the last request has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { fail } of [...this.#waiting]) fail(new Error('the connections are closed'));
    const ended = new Promise<void>((resolve) => (this.#ended = resolve));
    for (const connection of [...this.#idle]) this.drop(connection);
    if (this.#open.size > 0) await ended;
  }

  async destroy(): Promise<void> {
    const open = [...this.#open];
    const closed = this.close();
    await Promise.all(open.map((connection) => connection.destroy()));
    for (const connection of open) this.drop(connection);
    await closed;
  }

  #take(): NtlmConnection | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#isClosed || this.#open.size >= (this.#isProven ? LIMITS.connectionsPerBackend : 1)) return undefined;
    const connection = this.#connect(() => {
      // One under way is given back by whoever has it.
      if (this.#idle.includes(connection)) this.drop(connection);
    });
    this.#open.add(connection);
    return connection;
  }

  #serve(): void {
    for (const waiter of this.#waiting) {
      const connection = this.#take();
      if (connection === undefined) return;
      waiter.take(connection);
    }
  }
}
