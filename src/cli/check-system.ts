import type { RunningSystem } from '../bridge-systems.ts';
import type { Config, SystemConfig } from '../config/config.ts';
import { DAY_MS } from '../core/clock.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import { domainOf } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Lookup } from '../lookup/lookup.ts';
import { probeNetwork } from '../platform/network-probe.ts';
import type { Checked } from './checked.ts';
import { probeContext } from './probe-context.ts';

/** A system's first exact mailbox is whom its probe reads: the named ones come first. */
export function withProbes(config: Config, addresses: readonly MailboxAddress[]): Config {
  const systems = config.systems.map((system): SystemConfig => {
    const own = addresses.filter((one) => system.mailboxes.includes(one) || system.domains.includes(domainOf(one)));
    return own.length === 0 ? system : { ...system, mailboxes: [...new Set([...own, ...system.mailboxes])] };
  });
  return { ...config, systems };
}

/** The way to a system, and what it says itself where the way is open. */
export async function checkSystem({ config, system }: RunningSystem): Promise<Checked> {
  const urls = urlsOf(config);
  const ways = await Promise.all(urls.map((url) => probeNetwork(url, config)));
  // Where none is configured (Autodiscover), the system says itself how far it came.
  const reached = ways.length === 0 || ways.some((way) => way.every((one) => one.outcome !== 'fail'));
  const network = ways.length > 1 ? ways.flatMap((way, index) => amongSeveral(urls[index]!, way, reached)) : ways.flat();
  const findings = reached ? [...network, ...(await system.probe(probeContext()))] : network;
  return { kind: 'system', name: config.name, findings };
}

/** One of several servers, by its name: while another can be reached, the bridge goes on without it. */
function amongSeveral(url: URL, way: readonly ProbeFinding[], isOneReached: boolean): readonly ProbeFinding[] {
  return way.map((one) => ({
    ...one,
    text: `${url.host}: ${one.text}`,
    ...(one.outcome === 'fail' && isOneReached ? { outcome: 'warn' as const, advice: `${one.advice ?? ''}; until then the other servers are asked` } : {}),
  }));
}

function urlsOf(config: SystemConfig): readonly URL[] {
  switch (config.type) {
    case 'ifb':
      return [new URL(config.urlTemplate.reveal().replace(/\{\w+\}/g, 'x'))];
    case 'zimbra':
      return [config.url];
    case 'exchange-ews':
    case 'exchange-webdav':
      return config.servers;
  }
}

/** Every mailbox that was named, asked for as the faces ask: the coming day. */
export async function checkMailboxes(lookup: Lookup, addresses: readonly MailboxAddress[]): Promise<readonly Checked[]> {
  if (addresses.length === 0) return [];
  const start = Date.now();
  const results = await lookup.freeBusy({ mailboxes: [...new Set(addresses)], window: { start, end: start + DAY_MS }, details: false }, probeContext());
  return results.map((result): Checked => {
    if (!('error' in result)) {
      const count = result.freeBusy.busy.length;
      return { kind: 'mailbox', name: result.mailbox, findings: [{ step: 'lookup', outcome: 'ok', text: `${count} ${count === 1 ? 'stretch' : 'stretches'} in the coming day` }] };
    }
    const text = `no data (${result.error.code}: ${result.error.publicMessage})`;
    return { kind: 'mailbox', name: result.mailbox, findings: [{ step: 'lookup', outcome: 'fail', text, advice: `lookup ${result.mailbox} --explain shows where the question goes` }] };
  });
}
