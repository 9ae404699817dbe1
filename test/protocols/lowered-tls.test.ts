import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { probeContext } from '../../src/cli/probe-context.ts';
import { checkSystem } from '../../src/cli/check-system.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import { memoryTexts } from '../../src/presence/publisher.ts';
import { BackEnds } from '../../src/protocols/back-ends.ts';
import { createEntrySources, createGateway, createHome, createSink, createSystem } from '../../src/protocols/registry.ts';
import { load } from '../config/temporary-bridge.ts';
import { CertificateWorkshop } from '../platform/certificate-workshop.ts';
import type { Made } from '../platform/certificate-workshop.ts';

/** All that asks back ends, made from bridge.yaml, before a server that ends at TLS 1.0 and has a certificate of its time: 1024 bits, SHA-1, a common name only. */

const workshop = new CertificateWorkshop();
let certificate: Made;
beforeAll(() => {
  certificate = workshop.make({ subject: '/CN=127.0.0.1', key: ['rsa:1024'], digest: 'sha1' });
});
afterAll(() => workshop.remove());

const own = { clock: systemClock, logger: silentLogger };
const PRESENCE = 'presence: { gateways: [{ description: gate, type: TYPE, system: old }] }\n';
const KEYS: Readonly<Record<string, string>> = {
  ews: 'type: exchange-ews, url: ROOT/EWS/Exchange.asmx, username: a, password: b',
  'ews by NTLM': 'type: exchange-ews, url: ROOT/EWS/Exchange.asmx, username: X\\a, password: b, auth: ntlm',
  autodiscover: 'type: exchange-ews, autodiscover: { mailbox: a@old.example, url: ROOT/autodiscover/autodiscover.svc }, username: a, password: b',
  webdav: 'type: exchange-webdav, url: ROOT, username: a, password: b',
  'webdav by form': 'type: exchange-webdav, url: ROOT, username: a, password: b, auth: form',
  zimbra: 'type: zimbra, url: ROOT, username: a, password: b, admin: { username: c, password: d }',
  ifb: 'type: ifb, url: "ROOT/{address}"',
};

/** Protocols of the requests that came. */
async function oldServer(): Promise<{ readonly root: string; readonly spoken: Set<string | null> }> {
  const spoken = new Set<string | null>();
  const server = createServer({ cert: certificate.certificate, key: certificate.key, minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' }, (request, response) => {
    spoken.add((request.socket as TLSSocket).getProtocol());
    response.writeHead(404).end();
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, spoken };
}

async function configured(kind: string, root: string, minVersion: string): Promise<Config> {
  const keys = KEYS[kind]!.replaceAll('ROOT', root);
  const dn = keys.includes('exchange-') ? ', legacyExchangeDn: "/o=x/cn={localPart}"' : '';
  const source = kind === 'ifb' ? '' : 'gal: { sources: [{ system: old }] }\n';
  const gateway = keys.includes('exchange-') ? PRESENCE.replace('TYPE', keys.includes('webdav') ? 'webdav' : 'ews') : '';
  return load(`systems: { old: { ${keys}${dn}, domains: [old.example], mailboxes: [anna@old.example], tls: { ca: ca.pem${minVersion} } } }\n${source}${gateway}`, {}, { 'ca.pem': certificate.certificate });
}

type Ask = (config: Config, backEnds: BackEnds) => Promise<unknown>;
const closed = async (one: { close(): Promise<void> }, asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error).finally(() => one.close());
const ASKERS: Readonly<Record<string, Ask>> = {
  system: async (config, backEnds) => {
    const system = createSystem(config.systems[0]!, { backEnds, ...own });
    return closed(system, system.probe(probeContext()));
  },
  sink: async (config, backEnds) => {
    const sink = createSink(config.systems[0]!, { backEnds, ...own });
    return closed(sink, sink.probe(probeContext()));
  },
  directory: async (config, backEnds) => {
    const { reader } = createEntrySources(config, { backEnds, ...own })[0]!;
    return closed(reader, reader.read(undefined, async () => undefined, probeContext().signal));
  },
  gateway: async (config, backEnds) => {
    const services = { parameters: config.presence.parameters, systems: [], callBack: undefined, isReachable: false, memory: memoryTexts(), listener: { changed: () => undefined, trouble: () => undefined } };
    const gateway = createGateway(config.presence.gateways[0]!, { ...services, backEnds, ...own });
    return closed(gateway, gateway.probe(parseMailboxAddress('anna@old.example'), probeContext()));
  },
  home: async (config, backEnds) => {
    const home = createHome(config.systems[0]!, { backEnds, ...own, memory: { load: async () => undefined, save: async () => undefined } })!;
    return closed(home, home.probe(probeContext()));
  },
};

const EXCHANGE = ['system', 'sink', 'directory', 'gateway'];
const CASES = [
  ...['ews', 'ews by NTLM', 'autodiscover', 'webdav', 'webdav by form'].flatMap((kind) => EXCHANGE.map((what) => [kind, what] as const)),
  ...['system', 'directory', 'home'].map((what) => ['zimbra', what] as const),
  ['ifb', 'system'] as const,
];

async function spokenBy(kind: string, what: string, minVersion: string): Promise<readonly (string | null)[]> {
  const { root, spoken } = await oldServer();
  const config = await configured(kind, root, minVersion);
  const backEnds = new BackEnds(own);
  await ASKERS[what]!(config, backEnds).finally(() => backEnds.close());
  return [...spoken];
}

describe('a server that ends at TLS 1.0', () => {
  it.each(CASES)('%s: its %s asks it with minVersion: TLSv1, and not without', async (kind, what) => {
    expect(await spokenBy(kind, what, ', minVersion: TLSv1')).toEqual(['TLSv1']);
    expect(await spokenBy(kind, what, '')).toEqual([]);
  });

  it('is walked to by check as it is asked', async () => {
    const { root } = await oldServer();
    const silent = { freeBusy: async () => [], probe: async () => [], close: async () => undefined };
    const told = async (minVersion: string): Promise<string> => {
      const { text, outcome, advice } = (await checkSystem({ config: (await configured('webdav', root, minVersion)).systems[0]!, system: silent })).findings.at(-1)!;
      return `${outcome} ${text}: ${advice ?? ''}`;
    };
    expect(await told(', minVersion: TLSv1')).toMatch(/^ok TLSv1, certificate of 127\.0\.0\.1/);
    expect(await told('')).toMatch(/^fail ERR_SSL_.*PROTOCOL.*minVersion: TLSv1/);
  });
});
