import type { Config, SystemConfig } from './config.ts';
import { isLoopback } from '../core/loopback.ts';
import { formatPath, quoted } from './key-path.ts';
import { presenceWarnings } from './presence-warnings.ts';
import { replicationWarnings } from './replication-warnings.ts';
import { tlsWarnings } from './tls-warnings.ts';

/** What is not wrong but worth a look; each line begins with the key's path. Shows neither secrets nor URLs. */
export function warningsOf(config: Omit<Config, 'warnings'>): readonly string[] {
  return [...ofPublicUrl(config), ...config.systems.flatMap(ofSystem), ...tlsWarnings(config), ...sharedDomains(config), ...ofClients(config), ...ofIssuers(config), ...ofGal(config), ...presenceWarnings(config), ...replicationWarnings(config)];
}

/** The first listener's URL is what Autodiscover hands out where nothing else is said. */
function ofPublicUrl({ listen, publicUrl, behindProxy }: Omit<Config, 'warnings'>): readonly string[] {
  const [first] = listen;
  if (first === undefined) return [];
  if (publicUrl !== undefined) {
    const isDowngrade = publicUrl.startsWith('http:') && listen.some(({ protocol }) => protocol === 'https');
    return isDowngrade ? ['publicUrl: is plain http, and listen has https: Autodiscover sends clients, with their passwords, to the plain one; write https, with the port'] : [];
  }
  const isWildcard = /^(?:0+(?:\.0+){0,3}|[0:]+)$/.test(first.host);
  const advice = behindProxy ? 'set publicUrl: https://NAME, as the proxy has it' : `set publicUrl: ${first.protocol}://NAME${first.port === 0 ? '' : `:${first.port}`}`;
  if (isWildcard) return [`publicUrl: is left out, and listen is no address that a client can use (every one of this machine): Autodiscover has nothing right to hand out; ${advice}`];
  if (first.port === 0 && !first.isLoopback) return ['publicUrl: is left out, and the port of listen is another after every start: what Autodiscover hands out is soon wrong'];
  return behindProxy ? [`publicUrl: is left out, and with behindProxy: true clients do not reach listen itself: Autodiscover has nothing right to hand out; ${advice}`] : [];
}

function ofSystem(system: SystemConfig): readonly string[] {
  const lines: string[] = [];
  const warn = (key: string, message: string) => lines.push(`${formatPath(['systems', system.name, key])}: ${message}`);
  const open = (url: URL) => url.protocol === 'http:' && !isLoopback(url.hostname);
  const clear = 'is plain http: the password travels readable by everyone on the way; use https';
  if (system.type === 'ifb') {
    if (system.username !== undefined && open(new URL(system.urlTemplate.reveal()))) warn('url', clear);
  } else {
    const urls = system.type === 'zimbra' ? [system.url] : system.servers;
    if (system.username !== undefined && urls.some(open)) warn('url', clear);
    if (system.type === 'exchange-ews' && system.signIn.kind === 'oauth' && open(system.signIn.oauth.tokenUrl)) warn('oauth', 'has a tokenUrl of plain http: what proves who we are travels readable by everyone on the way; use https');
    if (system.type === 'zimbra' && system.admin !== undefined && open(system.adminUrl ?? system.url)) {
      warn(system.adminUrl === undefined ? 'url' : 'adminUrl', clear);
    }
    const isEws = system.type === 'exchange-ews';
    if (isEws && urls.some(({ pathname }) => pathname === '/')) warn('url', 'has no path; EWS usually answers at /EWS/Exchange.asmx');
    if (!isEws && urls.some(({ search }) => search !== '')) warn('url', 'has a query, which is not sent: the bridge appends its own paths');
  }
  if (system.domains.length === 0 && system.mailboxes.length === 0) {
    warn('domains', 'neither domains nor mailboxes: no mailbox lives here, so nobody is ever asked about here');
  }
  return lines;
}

/** Where an address book is kept, its directories decide. */
function sharedDomains({ systems, gal }: Omit<Config, 'warnings'>): readonly string[] {
  if (gal.sources.length > 0) return [];
  const homes = new Map<string, string>();
  const lines: string[] = [];
  for (const { name, domains } of systems) {
    for (const domain of domains) {
      const other = homes.get(domain);
      const at = formatPath(['systems', name, 'domains']);
      if (other === undefined) homes.set(domain, name);
      else lines.push(`${at}: ${quoted(domain)} is listed by ${other} too; list under mailboxes who lives where, or let the directories under gal.sources decide`);
    }
  }
  return lines;
}

function ofClients({ clients, listen, behindProxy, trustedProxies }: Omit<Config, 'warnings'>): readonly string[] {
  if (clients.length === 0) return ['clients: there is none, so every question is refused'];
  return clients.flatMap((client, index) => {
    const at = (key: string) => formatPath(['clients', index, key]);
    const everywhere = client.credentials === undefined && client.addresses?.some((one) => one.endsWith('/0'));
    return [
      ...(everywhere === true ? [`${at('addresses')}: anonymous from everywhere: whoever reaches the bridge gets an answer`] : []),
      ...(client.addresses !== undefined && behindProxy && trustedProxies.length === 0
        ? [`${at('addresses')}: behindProxy without trustedProxies: everyone seems to come from the proxy's own address`]
        : []),
      ...(client.auth.includes('certificate') && !listen.some(({ protocol }) => protocol === 'https') ? [`${at('auth')}: certificate needs a listener of https, and there is none`] : []),
      ...(client.mayAsk.includes(client.from)
        ? [`${at('mayAsk')}: ${client.from} is its own system, which the loop guard never asks on its behalf`]
        : []),
    ];
  });
}

/** Whoever can change the keys on the way can be every client of theirs. */
function ofIssuers({ issuers }: Omit<Config, 'warnings'>): readonly string[] {
  return issuers.flatMap(({ issuer, jwksUri }, index) => {
    const keys = jwksUri ?? (URL.canParse(issuer) ? new URL(issuer) : undefined);
    return keys?.protocol === 'http:' && !isLoopback(keys.hostname) ? [`${formatPath(['issuers', index, jwksUri === undefined ? 'issuer' : 'jwksUri'])}: is plain http: whoever can change the keys on the way can sign in as every client; use https`] : [];
  });
}

function ofGal({ gal, clients }: Omit<Config, 'warnings'>): readonly string[] {
  const readable = gal.sources.flatMap((source, index) =>
    source.kind === 'ldap' && source.bindDn !== undefined && source.url.protocol === 'ldap' && !source.startTls && !source.url.isLoopback
      ? [`${formatPath(['gal', 'sources', index, 'url'])}: is plain ldap: the password travels readable by everyone on the way; use ldaps, or startTls: true`]
      : [],
  );
  const nobodys = clients.flatMap((client, index) =>
    client.gal !== 'none' && gal.sources.length === 0 ? [`${formatPath(['clients', index, 'gal'])}: there is no address book: list directories under gal.sources`] : [],
  );
  return [...readable, ...nobodys];
}
