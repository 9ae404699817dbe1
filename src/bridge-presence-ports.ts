import { hostname } from 'node:os';
import type { Config } from './config/config.ts';
import { BridgeError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import { isLoopback } from './core/loopback.ts';
import type { NotificationPort } from './core/notification-port.ts';
import { HttpCallBack } from './platform/call-back/http-call-back.ts';
import { HttpuCallBack } from './platform/call-back/httpu-call-back.ts';
import { answerOrphan } from './protocols/ews/watch/send-notification.ts';

/** Where Exchange calls us: TCP for EWS push, UDP for WebDAV, both on `notificationPort`; each only where a gateway needs it. */
export interface PresencePorts {
  /** Undefined: none is needed, or none could be opened. */
  readonly http: NotificationPort | undefined;
  readonly httpu: NotificationPort | undefined;
  /** Opens what is needed for the first time; tries what is to be rebound. @throws BridgeError CONFIGURATION where the port is taken, unless `isPatient` */
  prepare(config: Config, options: { readonly isPatient: boolean }): Promise<void>;
  /** Rebinds; what was subscribed with the old port keeps it until it has moved. Where that fails the old one stays, which is logged and pending. */
  apply(config: Config): Promise<void>;
  /** Closes what no gateway needs any more. */
  endUnneeded(config: Config): Promise<void>;
  /** What still has to move, one line each. */
  pending(): readonly string[];
  close(): Promise<void>;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly publicHost: string;
  /** For EWS only; HTTPU is what it is. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
}

export function presencePorts(logger: Logger): PresencePorts {
  return new Ports(logger);
}

/** Where Exchange reaches us by what is configured: `notificationHost`, else the host of publicUrl, else that of the first listener; IPv6 without brackets. */
export function callBackHost({ presence, publicUrl, listen }: Config): string {
  const named = presence.parameters.notificationHost ?? (publicUrl === undefined ? listen[0]!.host : new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''));
  return named === '0.0.0.0' || named === '::' ? hostname() : named;
}

class Ports implements PresencePorts {
  readonly #logger: Logger;
  #http: HttpCallBack | undefined;
  #httpu: HttpuCallBack | undefined;
  #trouble: string | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get http(): NotificationPort | undefined {
    return this.#http;
  }

  get httpu(): NotificationPort | undefined {
    return this.#httpu;
  }

  async prepare(config: Config, { isPatient }: { readonly isPatient: boolean }): Promise<void> {
    const place = placeOf(config);
    try {
      if (needsHttp(config)) await this.#prepareHttp(place);
      if (needsHttpu(config)) await this.#prepareHttpu(place);
      this.#trouble = undefined;
    } catch (error) {
      if (!isPatient || !(error instanceof BridgeError)) throw error;
      this.#trouble = error.publicMessage;
      this.#logger.error({ code: error.code, reason: error.publicMessage }, 'Exchange cannot call: calendars are watched without its notifications until a reload finds the port free');
    }
  }

  async apply(config: Config): Promise<void> {
    const place = placeOf(config);
    try {
      if (needsHttp(config)) await this.#http?.rebind({ ...place, onUnknown: answerOrphan });
      if (needsHttpu(config)) await this.#httpu?.rebind(place);
    } catch (error) {
      // The rest of the configuration is in force by now: half of it would be worse than a former port.
      if (!(error instanceof BridgeError)) throw error;
      this.#trouble = error.publicMessage;
      this.#logger.error({ code: error.code, reason: error.publicMessage }, 'the notification port stays where it was until the next reload');
    }
  }

  async endUnneeded(config: Config): Promise<void> {
    const [http, httpu] = [needsHttp(config) ? undefined : this.#http, needsHttpu(config) ? undefined : this.#httpu];
    if (http !== undefined) this.#http = undefined;
    if (httpu !== undefined) this.#httpu = undefined;
    await Promise.all([http?.close(), httpu?.close()]);
  }

  pending(): readonly string[] {
    return [
      ...(this.#trouble === undefined ? [] : [`notifications: ${this.#trouble}`]),
      ...((this.#http?.oldPorts ?? 0) > 0 ? ['subscriptions are moving to the new notification port; the old one answers until then'] : []),
    ];
  }

  async close(): Promise<void> {
    await Promise.all([this.#http?.close(), this.#httpu?.close()]);
  }

  /** The first time it stays open; afterwards a port that is to be another one is tried and let go. */
  async #prepareHttp(place: Place): Promise<void> {
    if (this.#http === undefined) this.#http = await HttpCallBack.open({ ...place, onUnknown: answerOrphan }, this.#logger);
    else if (this.#http.port === place.port && (this.#http.scheme === 'https') !== (place.tls !== undefined)) throw new BridgeError('CONFIGURATION', 'another notificationScheme needs another notificationPort, so that subscriptions can move');
    else if (this.#http.port !== place.port) await (await HttpCallBack.open(place, this.#logger)).close();
  }

  async #prepareHttpu(place: Place): Promise<void> {
    if (this.#httpu === undefined) this.#httpu = await HttpuCallBack.open(place, this.#logger);
    else if (this.#httpu.port !== place.port) await (await HttpuCallBack.open(place, this.#logger)).close();
  }
}

function placeOf(config: Config): Place {
  const { notificationPort, notificationListen, notificationScheme } = config.presence.parameters;
  const tls = notificationScheme === 'https' && config.tls !== undefined ? { certificate: config.tls.certificate, key: config.tls.key.reveal() } : undefined;
  const publicHost = callBackHost(config);
  const everywhere = publicHost.includes(':') ? '::' : '0.0.0.0';
  return { host: notificationListen ?? (isLoopback(publicHost) ? loopbackOf(publicHost) : everywhere), port: notificationPort, publicHost, tls };
}

function loopbackOf(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}

function needsHttp({ presence }: Config): boolean {
  return presence.gateways.some(({ type, notifications }) => type === 'ews' && (notifications === 'auto' || notifications === 'push'));
}

function needsHttpu({ presence }: Config): boolean {
  return presence.gateways.some(({ type, notifications }) => type === 'webdav' && notifications !== 'poll');
}
