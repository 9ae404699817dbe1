import type { RequestListener } from 'node:http';
import { adminQueue, notifyFeed, pushedMessages } from './bridge-notices.ts';
import type { BridgePresence } from './bridge-presence.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { Directory } from './directory/directory.ts';
import { ServedAddresses } from './directory/served-addresses.ts';
import type { Whereabouts } from './directory/whereabouts.ts';
import type { ChangeNotice } from './freebusy/change-feed.ts';
import type { PrivacyService } from './freebusy/privacy.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { HomeSystem, Routing } from './lookup/routing.ts';
import type { ClientSignIn } from './platform/auth/client-sign-in.ts';
import type { FailureMemory } from './platform/auth/failure-memory.ts';
import { createApp } from './platform/http-server/app.ts';
import { healthEndpoint } from './platform/http-server/health.ts';
import { LoadGate } from './platform/http-server/load-gate.ts';
import { metricsEndpoint } from './platform/http-server/metrics-endpoint.ts';
import type { PrometheusMetrics } from './platform/metrics.ts';
import { autodiscoverBusy } from './protocols/autodiscover/busy-endpoint.ts';
import { autodiscoverEndpoint } from './protocols/autodiscover/endpoint.ts';
import { caldavEndpoint } from './protocols/caldav/endpoint.ts';
import { ewsBusy } from './protocols/ews/busy-endpoint.ts';
import { ewsEndpoint } from './protocols/ews/endpoint.ts';
import { ifbEndpoint } from './protocols/ifb/endpoint.ts';
import { notifyBusy } from './protocols/notify/busy-endpoint.ts';
import { notifyEndpoint } from './protocols/notify/endpoint.ts';
import { owaWebdavEndpoint } from './protocols/owa-webdav/endpoint.ts';
import { encodePidf } from './protocols/pidf/encode-pidf.ts';
import { adminEndpoint } from './protocols/rest-api/admin-endpoint.ts';
import { restApiBusy } from './protocols/rest-api/busy-endpoint.ts';
import { restApiEndpoint } from './protocols/rest-api/endpoint.ts';
import type { PresenceStreams } from './protocols/rest-api/presence-streams.ts';
import { zimbraSoapBusy } from './protocols/zimbra-soap/busy-endpoint.ts';
import { zimbraSoapEndpoint } from './protocols/zimbra-soap/endpoint.ts';
import type { ReplicationAgent } from './replication/agent.ts';

/** What a bridge lends to its faces, whatever its configuration. */
export interface OwnParts {
  readonly publicUrl: () => string;
  readonly isReady: () => boolean;
  readonly replication: () => ReplicationAgent | undefined;
  readonly presence: BridgePresence;
  /** What somebody tells through a face. */
  readonly onHeard: (system: string, notice: ChangeNotice) => void;
  /** Of the configuration in force. */
  readonly privacy: () => PrivacyService;
  readonly failures: FailureMemory;
  readonly gate: LoadGate;
}

export interface FaceParts extends OwnParts {
  readonly lookup: Lookup;
  readonly routing: Routing;
  readonly homes: readonly HomeSystem[];
  readonly whereabouts: Whereabouts;
  readonly directory: Directory;
  readonly signIn: ClientSignIn;
  readonly streams: PresenceStreams;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: PrometheusMetrics;
}

/** Every face that clients talk to, as one configuration wants them. */
export function createFaces(config: Config, parts: FaceParts): RequestListener {
  const { lookup, routing, homes, whereabouts, directory, signIn, streams, clock, logger, metrics, publicUrl, isReady, replication, presence, onHeard, failures, gate } = parts;
  const services = { source: lookup, signIn, clock, workingElsewhereAs: config.workingElsewhere, addresses: new ServedAddresses(homes, whereabouts), directory, publicUrl };
  const pushed = pushedMessages(config, routing, whereabouts, replication, onHeard);
  const presenceFace = {
    presence: presence.service,
    streams,
    homeOf: (mailbox: MailboxAddress) => routing.route(mailbox).home?.name,
    encodePidf: (mailbox: MailboxAddress, shown: Parameters<typeof encodePidf>[1]) => encodePidf(mailbox, shown, { now: clock.now() }),
  };
  return createApp({
    trustedProxies: config.trustedProxies,
    deadlineMs: config.deadlineMs,
    always: healthEndpoint(isReady),
    gate,
    // OWA, iCalendar and CalDAV say no more than HTTP does.
    busy: [ewsBusy, zimbraSoapBusy, restApiBusy, autodiscoverBusy(services), notifyBusy],
    routers: [
      restApiEndpoint({ source: lookup, directory, signIn, ...presenceFace }),
      owaWebdavEndpoint({ ...services, pushed }),
      ewsEndpoint({ ...services, pushed }),
      autodiscoverEndpoint(services),
      zimbraSoapEndpoint(services),
      ifbEndpoint(services),
      caldavEndpoint(services),
      notifyEndpoint({ signIn, secret: config.notify?.secret.reveal(), clock, feed: notifyFeed(config, routing, replication, onHeard), failures }),
    ],
    logger,
    metrics,
  });
}

/** Metrics and administration, on a listener of their own. */
export function createAdminFace(config: Config, { isReady, replication, presence, privacy, metrics, logger }: OwnParts & { readonly metrics: PrometheusMetrics; readonly logger: Logger }): RequestListener {
  return createApp({
    trustedProxies: [],
    deadlineMs: config.deadlineMs,
    always: healthEndpoint(isReady),
    // Metrics are wanted most when the faces shed load.
    gate: new LoadGate(),
    routers: [
      metricsEndpoint(metrics),
      adminEndpoint({ queue: () => adminQueue(replication()), presence: () => presence.service, checkPresence: () => presence.check(config), privacy, hosts: config.admin === undefined ? [] : [config.admin.listen.host.toLowerCase()] }),
    ],
    logger,
    metrics,
  });
}
