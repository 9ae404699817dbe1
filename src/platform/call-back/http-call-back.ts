import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { NotificationPort } from '../../core/notification-port.ts';
import { CallBackServer } from './call-back-server.ts';
import type { CallBackServerOptions, OnCall } from './call-back-server.ts';
import { SourceRate } from './source-rate.ts';

export interface HttpCallBackOptions extends CallBackServerOptions {
  /** Name or address that servers call; IPv6 without brackets. */
  readonly publicHost: string;
  /** Against which calls are counted; tests stop it. Taken from the first options only. */
  readonly clock?: Clock | undefined;
}

/** Where Exchange calls back over HTTP (EWS push). The port can be changed while it is in use: the old one stays open until nobody has a path there (A62, A63). */
export class HttpCallBack implements NotificationPort {
  readonly #logger: Logger;
  readonly #rate: SourceRate;
  readonly #old = new Set<CallBackServer>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new Set<Promise<void>>();
  #options: HttpCallBackOptions;
  #server: CallBackServer;
  #generation = 1;
  #isClosed = false;

  private constructor(options: HttpCallBackOptions, server: CallBackServer, rate: SourceRate, logger: Logger) {
    this.#options = options;
    this.#server = server;
    this.#rate = rate;
    this.#logger = logger;
  }

  /** @throws BridgeError CONFIGURATION when the port cannot be opened */
  static async open(options: HttpCallBackOptions, logger: Logger): Promise<HttpCallBack> {
    const rate = new SourceRate(LIMITS.callBacksPerSecond, LIMITS.callBackAddresses, options.clock ?? systemClock);
    return new HttpCallBack(options, await CallBackServer.open(options, rate, logger), rate, logger);
  }

  get scheme(): 'http' | 'https' {
    return this.#options.tls === undefined ? 'http' : 'https';
  }

  get generation(): number {
    return this.#generation;
  }

  /** The port that was really taken. */
  get port(): number {
    return this.#server.port;
  }

  /** Former ports that still have paths. */
  get oldPorts(): number {
    return this.#old.size;
  }

  /** @throws BridgeError CONFIGURATION after close */
  open(onCall: OnCall): { readonly url: string; close(): void } {
    if (this.#isClosed) throw new BridgeError('CONFIGURATION', 'nothing listens for notifications any more');
    const server = this.#server;
    const added = server.add(onCall);
    const { publicHost } = this.#options;
    const host = publicHost.includes(':') ? `[${publicHost}]` : publicHost;
    const close = (): void => {
      added.remove();
      if (this.#old.has(server)) this.#endIfUnused(server);
    };
    return { url: `${this.scheme}://${host}:${server.port}${added.path}`, close };
  }

  /**
   * Listens elsewhere from now on, or is called by another name. The new port is open before anything is given up.
   *
   * @throws BridgeError CONFIGURATION when the new port cannot be opened; everything is as before
   */
  async rebind(options: HttpCallBackOptions): Promise<void> {
    if (this.#isClosed) throw new BridgeError('CONFIGURATION', 'nothing listens for notifications any more');
    const former = this.#server;
    if (former.isAt(options)) {
      if (options.tls !== undefined) former.setCertificate(options.tls);
      const hasMoved = options.publicHost !== this.#options.publicHost;
      this.#options = options;
      if (!hasMoved) return;
    } else {
      this.#server = await this.#openBeside(options, former);
      this.#options = options;
      this.#old.add(former);
    }
    this.#generation += 1;
    for (const listener of [...this.#listeners]) listener();
    if (former !== this.#server) this.#endIfUnused(former);
  }

  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends all ports, whoever has paths there; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    for (const server of [this.#server, ...this.#old]) this.#end(server, 0);
    this.#old.clear();
    await Promise.all(this.#closing);
  }

  /** Another address with the same port cannot be open beside the old one (0.0.0.0 has them all): then the old one is closed first, and opened again where the new one fails. */
  async #openBeside(options: HttpCallBackOptions, former: CallBackServer): Promise<CallBackServer> {
    try {
      return await CallBackServer.open(options, this.#rate, this.#logger);
    } catch (error) {
      if (options.port !== former.port || options.host === this.#options.host) throw error;
      await former.close(0);
      try {
        return await CallBackServer.open(options, this.#rate, this.#logger);
      } catch (again) {
        this.#server = await CallBackServer.open({ ...this.#options, port: options.port }, this.#rate, this.#logger);
        // Its paths are gone with the old one.
        this.#generation += 1;
        for (const listener of [...this.#listeners]) listener();
        throw again;
      }
    }
  }

  #endIfUnused(server: CallBackServer): void {
    if (server.paths > 0) return;
    this.#old.delete(server);
    // The call that made it superfluous is still being answered.
    this.#end(server, LIMITS.callBackRequestMs);
  }

  #end(server: CallBackServer, graceMs: number): void {
    const closing = server.close(graceMs).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
