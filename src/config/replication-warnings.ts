import { LIMITS } from '../core/limits.ts';
import { domainOf } from '../directory/smtp-address.ts';
import type { Config, ReplicationConfig, SystemConfig, ZimbraConfig } from './config.ts';
import { homesOf } from './homes-of.ts';
import { formatPath } from './key-path.ts';
import { listed } from './problems.ts';

/** What is odd about replication and the keys that serve it alone; each line begins with the key's path. */
export function replicationWarnings(config: Omit<Config, 'warnings'>): readonly string[] {
  const { replication, systems, redis, notify } = config;
  const unused = (key: string): readonly string[] => (replication.length > 0 ? [] : [`${key}: is of use for replication only, and there is none`]);
  const isShort = notify !== undefined && notify.secret.reveal().length < LIMITS.notifySecretCharacters;
  return [
    ...systems.flatMap((system) => (system.type === 'zimbra' ? ofAdmin(system, replication) : [])),
    ...replication.flatMap((route, index) => ofRoute(route, index, config)),
    ...sharedMessages(config),
    ...(redis === undefined ? [] : unused('redis')),
    ...(notify === undefined ? [] : unused('notify')),
    ...(isShort ? [`notify.secret: has less than ${LIMITS.notifySecretCharacters} characters, so it can be guessed from one request seen; take one from: openssl rand -hex 32`] : []),
  ];
}

function ofAdmin({ name, admin, adminUrl }: ZimbraConfig, replication: readonly ReplicationConfig[]): readonly string[] {
  const at = formatPath(['systems', name, 'adminUrl']);
  if (admin === undefined) return adminUrl === undefined ? [] : [`${at}: is not used without admin: { username, password }`];
  if (adminUrl !== undefined || !replication.some(({ from }) => from === name)) return [];
  return [`${at}: is left out, so the admin service is asked at url; a stock Zimbra has it at port 7071 and nowhere else`];
}

function ofRoute({ from, include, exclude }: ReplicationConfig, index: number, { systems, clients, notify }: Omit<Config, 'warnings'>): readonly string[] {
  const at = (key: string): string => formatPath(['replication', index, ...key.split('.')]);
  const home = systems.find(({ name }) => name === from);
  const isZimbra = home?.type === 'zimbra';
  const lines: string[] = [];
  const hearsByItself = isZimbra && home.admin !== undefined;
  if (isZimbra && !hearsByItself) {
    const admin = formatPath(['systems', from, 'admin']);
    lines.push(`${at('from')}: without ${admin} nobody tells the foreign principals and no WaitSet is heard: all mailboxes that are notified are replicated`);
  }
  if (!hearsByItself && notify === undefined && !clients.some((client) => client.from === from)) {
    const way = `notify: { secret } or a client with from: ${from}`;
    lines.push(`${at('from')}: nothing tells of changes in ${from}, so only the hourly sweep finds them; add ${isZimbra ? `admin, ${way}` : way}`);
  }
  for (const [key, addresses] of Object.entries({ include, exclude })) {
    const strangers = addresses.filter((address) => !homesOf(address, systems).some(({ name }) => name === from));
    if (strangers.length > 0) lines.push(`${at(`mailboxes.${key}`)}: not mailboxes of ${from}, so they are never replicated from there: ${listed(strangers)}`);
  }
  return lines;
}

/** A template that leaves the domain out names one message for anna@a.example and anna@b.example. */
function sharedMessages({ systems, replication }: Omit<Config, 'warnings'>): readonly string[] {
  return systems.flatMap((target) => {
    const template = target.type === 'exchange-ews' || target.type === 'exchange-webdav' ? target.legacyExchangeDn : undefined;
    if (template === undefined || /\{(?:domain|address)\}/.test(template)) return [];
    const domains = new Set(replication.flatMap((route) => (route.to === target.name ? domainsByTemplate(route, systems) : [])));
    if (domains.size < 2) return [];
    const at = formatPath(['systems', target.name, 'legacyExchangeDn']);
    return [`${at}: has no {domain}, but mailboxes of several domains are replicated into it (${listed([...domains])}): two users of the same local part would share one message`];
  });
}

/** A foreign principal names its message itself; everybody else's is named by the template. */
function domainsByTemplate({ from, only, include }: ReplicationConfig, systems: readonly SystemConfig[]): readonly string[] {
  const home = only === 'all' ? systems.find(({ name }) => name === from) : undefined;
  const one = include.filter((address) => homesOf(address, systems).some(({ name }) => name === from));
  return [...(home?.domains ?? []), ...[...(home?.mailboxes ?? []), ...one].map(domainOf)];
}
