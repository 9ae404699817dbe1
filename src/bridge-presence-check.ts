import { isReachable } from './bridge-presence-ways.ts';
import type { PresencePorts } from './bridge-presence-ports.ts';
import type { Config } from './config/config.ts';
import type { GatewayConfig } from './config/presence-config.ts';
import { systemClock } from './core/clock.ts';
import { silentLogger } from './core/logger.ts';
import type { ProbeFinding } from './core/probe-finding.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import { findingsOfCertificates } from './platform/certificate-findings.ts';
import { reportCertificates } from './platform/certificate-report.ts';
import { probeNetwork } from './platform/network-probe.ts';
import { Catalogues } from './presence/catalogues.ts';
import type { CalendarGateway } from './presence/gateway.ts';
import { memoryTexts } from './presence/publisher.ts';
import type { PresenceToCheck } from './presence/troubleshooter.ts';
import { BackEnds } from './protocols/back-ends.ts';
import { createGateway, createPublisher } from './protocols/registry.ts';

/**
 * Makes the configuration's gateways and publishers anew, to be tried and closed; what runs is not touched.
 *
 * @param ports where Exchange calls; the caller's to close
 * @param options `isBesideABridge`: another process has the port
 */
export async function presenceToCheck(config: Config, ports: PresencePorts, { isBesideABridge }: { readonly isBesideABridge: boolean }): Promise<PresenceToCheck> {
  const { presence } = config;
  const catalogues = new Catalogues(silentLogger);
  await catalogues.load(presence.locales);
  const backEnds = new BackEnds({ clock: systemClock, logger: silentLogger });
  const gateways = presence.gateways.map((one) => {
    const gateway = createGateway(one, {
      systems: config.systems,
      backEnds,
      parameters: presence.parameters,
      callBack: one.type === 'ews' ? ports.http : ports.httpu,
      isReachable: isReachable(one, config),
      memory: memoryTexts(),
      listener: { changed: () => undefined, trouble: () => undefined },
      clock: systemClock,
      logger: silentLogger,
    });
    return { gateway: isBesideABridge ? besideABridge(gateway, presence.parameters.notificationPort) : gateway, url: one.servers[0], sample: sampleFor(one, config) };
  });
  const publishers = presence.publishers.map((one) => createPublisher(one, { memoryOf: () => memoryTexts(), clock: systemClock, logger: silentLogger }));
  return {
    gateways,
    publishers,
    probeCertificate: async (url, description) => wayTo(url, presence.gateways.find((one) => one.description === description)),
    canary: presence.canary,
    textFor: (state) => catalogues.textFor(state, presence.language),
    language: presence.language,
    close: async () => {
      await Promise.all([...gateways.map(({ gateway }) => gateway.close()), ...publishers.map((one) => one.close())]);
      await backEnds.close();
    },
  };
}

async function wayTo(url: URL, gateway: GatewayConfig | undefined): Promise<readonly ProbeFinding[]> {
  if (url.protocol !== 'https:') return probeNetwork(url, {});
  const { ca, minTlsVersion, nameCheck = 'san-then-cn' } = gateway ?? {};
  const report = await reportCertificates({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443), ca, minTlsVersion, nameCheck, signal: AbortSignal.timeout(WAY_MS) });
  return findingsOfCertificates(report);
}

const WAY_MS = 15_000;

/** Somebody whose calendar is to be read there: who opted in first, else whoever the system names. */
function sampleFor({ system, type }: GatewayConfig, { presence, systems }: Config): MailboxAddress | undefined {
  const isServed = (one: Config['systems'][number]): boolean => (system === undefined ? one.type === `exchange-${type}` : one.name === system);
  const served = systems.filter(isServed);
  const lives = (mailbox: MailboxAddress): boolean => served.some(({ domains, mailboxes }) => mailboxes.includes(mailbox) || domains.includes(mailbox.slice(mailbox.lastIndexOf('@') + 1)));
  return presence.optIn.find(lives) ?? served.flatMap(({ mailboxes }) => mailboxes)[0] ?? (served.length === 0 ? presence.optIn[0] : undefined);
}

/** The bridge that runs has the notification port: what it hears, `presence status` says. */
function besideABridge(gateway: CalendarGateway, port: number): CalendarGateway {
  return {
    description: gateway.description,
    type: gateway.type,
    source: gateway.source,
    watch: gateway.watch,
    probe: async (sample, ctx) =>
      (await gateway.probe(sample, ctx)).map((finding) =>
        finding.step === 'call-back' && finding.outcome !== 'ok' ? { step: finding.step, outcome: 'ok', text: `the running bridge has port ${port}; \`presence status\` says when Exchange was last heard` } : finding,
      ),
    close: (options) => gateway.close(options),
  };
}
