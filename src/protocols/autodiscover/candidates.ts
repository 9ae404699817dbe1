import { BridgeError } from '../../core/errors.ts';
import { service, servicesAt } from './service.ts';
import type { Service } from './service.ts';

/** One thing to be tried, in the order of exchange.md §4.1. */
export type Candidate =
  /** Services of one host, the better dialect first. */
  | { readonly kind: 'services'; readonly services: readonly Service[] }
  /** An unsigned GET that hopes for a redirect to https. */
  | { readonly kind: 'plain-http'; readonly url: URL }
  /** A DNS SRV record. */
  | { readonly kind: 'dns'; readonly name: string };

/**
 * What to try for a mailbox of a domain; with a configured service that one only.
 *
 * @throws BridgeError CONFIGURATION for a domain that can stand in no URL
 */
export function candidatesFor(domain: string, configured: URL | undefined): readonly Candidate[] {
  if (configured !== undefined) return [{ kind: 'services', services: servicesAt(configured) }];
  const roots = [`https://${domain}/`, `https://autodiscover.${domain}/`];
  const plain = `http://autodiscover.${domain}/autodiscover/autodiscover.xml`;
  if (![...roots, plain].every((one) => URL.canParse(one))) throw new BridgeError('CONFIGURATION', 'the domain of the mailbox for Autodiscover cannot stand in a URL');
  const hosts = roots.map((root) => new URL(root));
  return [
    ...hosts.map((root): Candidate => ({ kind: 'services', services: [service('soap', root), service('pox', root)] })),
    { kind: 'plain-http', url: new URL(plain) },
    // The name in the letters of DNS.
    { kind: 'dns', name: `_autodiscover._tcp.${hosts[0]!.hostname}` },
    // Unsigned on Exchange 2016 and later, and younger than both others: the last resort.
    ...[hosts[1]!, hosts[0]!].map((root): Candidate => ({ kind: 'services', services: [service('json', root)] })),
  ];
}
