import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { NotificationPort } from '../../core/notification-port.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { RequestContext } from '../../core/request-context.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { CalendarGateway, CalendarWatch, WatchListener } from '../../presence/gateway.ts';
import type { KeptTexts } from '../../presence/publisher.ts';
import { ExchangeEwsSystem } from './client.ts';
import { EwsConnection } from './connection.ts';
import type { EwsEndpoint } from './connection.ts';
import { EwsKnowledge } from './servers/knowledge.ts';
import { EwsCalendarWatch } from './watch/calendar-watch.ts';
import { probeGateway } from './watch/gateway-probe.ts';
import type { WatchTiming } from './watch/watch-timing.ts';
import type { WayName } from './watch/way.ts';
import { WatchWire } from './watch/wire.ts';

export interface EwsPresenceGatewayOptions extends Omit<EwsEndpoint, 'concurrency'> {
  /** Unique; first in every line about it. */
  readonly description: string;
  /** `auto`: push where Exchange can reach us, else streaming, pull, and asking; another is used or, where the server refuses it, calendars are polled. */
  readonly notifications: 'auto' | 'push' | 'streaming' | 'pull' | 'poll';
  /** StatusFrequency of push subscriptions, 1 to 1440 (A41–A43). */
  readonly statusFrequencyMinutes: number;
  /** Whether a changed frequency reaches subscriptions when Exchange next speaks, or at once (A45). */
  readonly apply: 'gradual' | 'now';
  /** Of one request for subscriptions; readings are the caller's. */
  readonly timeoutMs: number;
  /** Requests for subscriptions at the same time. */
  readonly concurrency: number;
  /** EwsEndpoint.concurrency: of everything together that asks as its account. */
  readonly accountConcurrency?: number | undefined;
  /** Where Exchange calls; undefined: nowhere. */
  readonly callBack: NotificationPort | undefined;
  /** Whether Exchange can reach it, by what is configured. */
  readonly isReachable: boolean;
  readonly memory: KeptTexts;
  readonly listener: WatchListener;
  /** Where the mailbox that the check makes up would live, if none is named. */
  readonly probeDomain?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing?: Partial<WatchTiming> | undefined;
}

/** An Exchange as a presence gateway over EWS ("Exchange -- EWS Server"): reads by GetUserAvailability, hears by subscriptions under impersonation. */
export class EwsPresenceGateway implements CalendarGateway {
  readonly type = 'ews';
  readonly description: string;
  readonly source: FreeBusySource;
  readonly watch: CalendarWatch;
  readonly #options: EwsPresenceGatewayOptions;
  readonly #system: ExchangeEwsSystem;
  readonly #connection: EwsConnection;
  readonly #wire: WatchWire;
  readonly #watch: EwsCalendarWatch;

  constructor(given: EwsPresenceGatewayOptions) {
    // What reading learns of the servers subscribing knows too.
    const options = { ...given, knowledge: given.knowledge ?? new EwsKnowledge() };
    this.#options = options;
    this.description = options.description;
    this.#system = systemOf(options, undefined);
    this.source = this.#system;
    this.#connection = new EwsConnection({ ...options, concurrency: options.accountConcurrency });
    this.#wire = new WatchWire(this.#connection, options.clock, options.timeoutMs);
    this.#watch = new EwsCalendarWatch({ ...options, wire: this.#wire, ways: waysOf(options) });
    this.watch = this.#watch;
  }

  /** Takes over a changed status frequency. */
  update(changed: Pick<EwsPresenceGatewayOptions, 'statusFrequencyMinutes' | 'apply'>): void {
    this.#watch.update(changed);
  }

  async probe(sample: MailboxAddress | undefined, ctx: RequestContext): Promise<readonly ProbeFinding[]> {
    const system = systemOf(this.#options, sample);
    try {
      return await probeGateway({ ...this.#options, ways: waysOf(this.#options), system, wire: this.#wire, sample }, ctx);
    } finally {
      await system.close();
    }
  }

  async close(options: { readonly unsubscribe?: boolean } = {}): Promise<void> {
    await this.#watch.close(options);
    await Promise.all([this.#connection.close(), this.#system.close()]);
  }
}

function systemOf(options: EwsPresenceGatewayOptions, probeMailbox: MailboxAddress | undefined): ExchangeEwsSystem {
  return new ExchangeEwsSystem({ ...options, concurrency: options.accountConcurrency, name: options.description, lookup: 'query', probeMailbox });
}

function waysOf({ notifications, isReachable, callBack }: EwsPresenceGatewayOptions): readonly WayName[] {
  if (notifications === 'poll') return [];
  if (notifications !== 'auto') return [notifications];
  return isReachable && callBack !== undefined ? ['push', 'streaming', 'pull'] : ['streaming', 'pull'];
}
