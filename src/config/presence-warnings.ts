import { LIMITS } from '../core/limits.ts';
import type { Config, SystemConfig } from './config.ts';
import { lacksDomain } from './checks/presence-accounts.ts';
import { formatDuration } from './fields/duration.ts';
import { isLoopback } from '../core/loopback.ts';
import { homesOf } from './homes-of.ts';
import { formatPath, quoted } from './key-path.ts';
import type { GatewayConfig, PresenceConfig, PresenceParameters } from './presence-config.ts';
import { listed } from './problems.ts';

/** What is odd about presence; each line begins with the key's path. */
export function presenceWarnings({ presence, systems, clients }: Omit<Config, 'warnings'>): readonly string[] {
  const canSwitch = clients.some((client) => client.presence === 'opt-in');
  return [
    ...ofOptIn(presence, systems),
    ...ofParameters(presence.parameters, presence.gateways),
    ...presence.gateways.flatMap((gateway, index) => ofGateway(gateway, index, presence.gateways)),
    ...ofPublishers(presence),
    ...(canSwitch && presence.gateways.length === 0 ? ['presence.gateways: there is none, so no client can switch anybody on'] : []),
  ];
}

const EXCHANGE: Readonly<Record<GatewayConfig['type'], SystemConfig['type']>> = { ews: 'exchange-ews', webdav: 'exchange-webdav' };

function ofOptIn({ optIn, gateways, publishers }: PresenceConfig, systems: readonly SystemConfig[]): readonly string[] {
  const homes = optIn.map((address) => ({ address, homes: homesOf(address, systems) }));
  const homeless = homes.flatMap((one) => (one.homes.length === 0 ? [one.address] : []));
  const isServed = ({ name, type }: SystemConfig): boolean => gateways.some((gateway) => gateway.system === name || (gateway.system === undefined && EXCHANGE[gateway.type] === type));
  const isExchange = ({ type }: SystemConfig): boolean => type === 'exchange-ews' || type === 'exchange-webdav';
  // Who wants nothing but answers to questions needs no gateway.
  const isAnyFollowed = gateways.length > 0 || publishers.length > 0;
  const asked = isAnyFollowed ? homes.flatMap((one) => (one.homes.some(isExchange) && !one.homes.some(isServed) ? [one.address] : [])) : [];
  return [
    ...(homeless.length === 0 ? [] : [`presence.optIn: no system has the mailbox of ${listed(homeless)}`]),
    ...(asked.length === 0 ? [] : [`presence.optIn: no gateway serves the Exchange of ${listed(asked)}: asked every few minutes, not followed; add a gateway for it`]),
  ];
}

function ofParameters(parameters: PresenceParameters, gateways: readonly GatewayConfig[]): readonly string[] {
  const at = (key: string): string => formatPath(['presence', 'parameters', key]);
  const { exchangeTimeoutMs, exchangeQueue, exchangeThreads, ewsStatusFrequency } = parameters;
  // The original's own caution (presence.md, A74).
  const advanced = (key: string, usual: number | string): string => `${at(key)}: is advanced, and a wrong value harms everybody's presence; leave the key out (${usual}) unless you have measured`;
  const isWebdav = gateways.some(({ type }) => type === 'webdav');
  return [
    ...(exchangeTimeoutMs === LIMITS.exchangeTimeoutMs.default ? [] : [advanced('exchangeTimeout', formatDuration(LIMITS.exchangeTimeoutMs.default))]),
    ...(exchangeQueue === LIMITS.exchangeQueue.default ? [] : [advanced('exchangeQueue', LIMITS.exchangeQueue.default)]),
    ...(exchangeThreads === LIMITS.exchangeThreads.default ? [] : [advanced('exchangeThreads', LIMITS.exchangeThreads.default)]),
    ...(isWebdav && ewsStatusFrequency !== LIMITS.ewsStatusFrequency.default ? [`${at('ewsStatusFrequency')}: is for ews; the webdav gateway does not use it`] : []),
  ];
}

function ofGateway({ type, system, servers, username }: GatewayConfig, index: number, gateways: readonly GatewayConfig[]): readonly string[] {
  const at = (key: string): string => formatPath(['presence', 'gateways', index, key]);
  const first = gateways.findIndex((one) => one.servers.some(({ href }) => servers.some((url) => url.href === href)));
  return [
    ...(first >= 0 && first < index ? [`${at(system === undefined ? 'server' : 'system')}: leads to the same server as ${quoted(gateways[first]!.description)}; one gateway is enough for it`] : []),
    ...(system === undefined && servers.some(({ port }) => port !== '') ? [`${at('port')}: is not 443, which Exchange has for secure HTTP; other ports are advised against`] : []),
    ...(system === undefined && type === 'webdav' && lacksDomain(username)
      ? [`${at('account')}: has no domain, which is right only where Exchange has a default one; else it refuses with 401 or 404: write DOMAIN\\user`]
      : []),
  ];
}

function ofPublishers({ publishers, gateways, optIn }: PresenceConfig): readonly string[] {
  const readable = publishers.flatMap((one, index) =>
    one.type === 'xmpp' && !isLoopback(one.server.host)
      ? [`${formatPath(['presence', 'publishers', index, 'server'])}: a component's connection is not encrypted (XEP-0114): what it says travels readable by everyone on the way; run the bridge beside the server, or in a network of their own`]
      : [],
  );
  const isNobody = publishers.length > 0 && optIn.length === 0 && gateways.length === 0;
  return isNobody ? [...readable, 'presence.publishers: nobody is shown: optIn is empty, and without gateways nobody can be switched on'] : readable;
}
