import { isIP } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { readHost } from '../fields/host.ts';
import { parseLdapAddress } from '../fields/ldap-url.ts';
import { DEFAULT_LISTENER, parseListener } from '../fields/listener.ts';
import { listed } from '../problems.ts';
import type { Problem } from '../problems.ts';
import { namesSystem } from './names-system.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';
import { checkGatewayAccounts } from './presence-accounts.ts';
import { nameOf } from './raw-gateway.ts';
import type { RawGateway } from './raw-gateway.ts';

/** Gateways name a system or a server of their own, of one type; no rule twice; the notification port is nobody else's. */
export function checkPresence(outline: Outline): readonly Problem[] {
  const presence = mapOf(outline.top['presence']) ?? {};
  const gateways = (Array.isArray(presence['gateways']) ? presence['gateways'] : []).map((value: unknown, index): RawGateway => ({ index, keys: mapOf(value) ?? {} }));
  return [
    ...rules(presence['precedence']),
    ...gateways.flatMap((one) => [...whole(one, outline), ...ofItsType(one)]),
    ...onlyOneType(gateways),
    ...descriptions(gateways),
    ...checkGatewayAccounts(gateways, outline),
    ...notificationPort(outline.top, mapOf(presence['parameters']) ?? {}, gateways),
    ...notificationScheme(outline.top, mapOf(presence['parameters']) ?? {}),
  ];
}

function rules(precedence: unknown): readonly Problem[] {
  const texts = textsOf(precedence);
  return texts.flatMap(({ index, text }) => (texts.findIndex((one) => one.text === text) < texts.findIndex((one) => one.index === index) ? [{ path: ['presence', 'precedence', index], message: 'stands there already; every rule once' }] : []));
}

const at = (index: number, ...keys: readonly string[]): Problem['path'] => ['presence', 'gateways', index, ...keys];

/** What a system brings with it. */
const OF_A_SERVER = ['port', 'account', 'password', 'tls', 'dns', 'auth', 'hosts'] as const;

function whole({ index, keys }: RawGateway, { top, systems }: Outline): readonly Problem[] {
  const hasSystem = keys['system'] !== undefined;
  const hasServer = keys['server'] !== undefined;
  if (!hasSystem && !hasServer) return [{ path: at(index, 'system'), message: 'is missing; a gateway names a system, or a server of its own: server, account and password' }];
  if (hasSystem && hasServer) return [{ path: at(index, 'server'), message: 'does not go with system: a gateway names a system, or a server of its own; leave one of them out' }];
  if (hasServer) return withoutDns(index, keys);
  const stray = OF_A_SERVER.filter((key) => keys[key] !== undefined).map((key) => ({ path: at(index, key), message: 'does not go with system, which says it already; leave it out' }));
  const name = textOf(keys['system']) ?? '';
  // With `systems` missing, every reference would be a mistake that is none.
  if (name === '' || top['systems'] === undefined) return stray;
  const system = systems.find((one) => one.name === name);
  return [...stray, ...(system === undefined ? namesSystem(at(index, 'system'), name, systems.map((one) => one.name)) : agreement(index, name, system.keys['type'], keys['type']))];
}

const GATEWAY_OF: Readonly<Record<string, string>> = { 'exchange-ews': 'ews', 'exchange-webdav': 'webdav' };

function agreement(index: number, name: string, systemType: unknown, type: unknown): readonly Problem[] {
  const right = typeof systemType === 'string' && Object.hasOwn(GATEWAY_OF, systemType) ? GATEWAY_OF[systemType] : undefined;
  if (systemType === 'zimbra' || systemType === 'ifb') return [{ path: at(index, 'system'), message: `${listed([name])} is of type ${systemType}; a gateway names an exchange-ews or an exchange-webdav` }];
  if (right === undefined || right === type || (type !== 'ews' && type !== 'webdav')) return [];
  return [{ path: at(index, 'type'), message: `is ${type}, and ${listed([name])} is of type ${String(systemType)}: write type: ${right}, or name another system` }];
}

/** presence.md, A17. */
function withoutDns(index: number, keys: RawMap): readonly Problem[] {
  const server = readHost(textOf(keys['server']) ?? '');
  if (keys['dns'] !== 'none' || server === undefined || isIP(server) !== 0) return [];
  const message =
    "is a host name, which nobody resolves with dns: none: give the server's IP address. Its certificate has to name that address: if it does not, regenerate the certificate on the Exchange server (IIS) with the IP address as its common name (CN), and write the same address here";
  return [{ path: at(index, 'server'), message }];
}

function ofItsType({ index, keys }: RawGateway): readonly Problem[] {
  const problems: Problem[] = [];
  if (keys['type'] === 'ews' && keys['auth'] === 'form') problems.push({ path: at(index, 'auth'), message: 'form is for webdav; with ews there are: basic, ntlm' });
  const notifications = textOf(keys['notifications']);
  if (keys['type'] === 'webdav' && ['push', 'streaming', 'pull'].includes(notifications ?? '')) {
    problems.push({ path: at(index, 'notifications'), message: `${notifications} is for ews; with webdav there are: auto, poll` });
  }
  return problems;
}

/** presence.md, A05: either one WebDAV server or any number of EWS servers. */
function onlyOneType(gateways: readonly RawGateway[]): readonly Problem[] {
  const [first, ...others] = gateways.filter(({ keys }) => keys['type'] === 'ews' || keys['type'] === 'webdav');
  if (first === undefined) return [];
  const rule = 'there is either one webdav gateway, or any number of ews gateways, never both';
  const type = String(first.keys['type']);
  return others.flatMap((one) => {
    if (one.keys['type'] !== type) return [{ path: at(one.index, 'type'), message: `${nameOf(one)} is ${String(one.keys['type'])} and ${nameOf(first)} is ${type}; ${rule}` }];
    return type === 'webdav' ? [{ path: at(one.index, 'type'), message: `${nameOf(one)} is a second webdav gateway beside ${nameOf(first)}; ${rule}` }] : [];
  });
}

function descriptions(gateways: readonly RawGateway[]): readonly Problem[] {
  const seen = new Map<string, number>();
  return gateways.flatMap(({ index, keys }) => {
    const description = textOf(keys['description'])?.toLowerCase();
    if (description === undefined || description === '') return [];
    const first = seen.get(description);
    if (first !== undefined) return [{ path: at(index, 'description'), message: `is the same as that of gateways[${first}] (upper and lower case do not count); it tells one gateway from another` }];
    seen.set(description, index);
    return [];
  });
}

/** presence.md, A61. */
function notificationScheme(top: RawMap, parameters: RawMap): readonly Problem[] {
  if (parameters['notificationScheme'] !== 'https' || top['tls'] !== undefined) return [];
  return [{ path: ['presence', 'parameters', 'notificationScheme'], message: 'is https and needs tls: { certificate, key }' }];
}

const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** presence.md, A62. Only TCP, which ews has, is shared with listeners. */
function notificationPort(top: RawMap, parameters: RawMap, gateways: readonly RawGateway[]): readonly Problem[] {
  if (!gateways.some(({ keys }) => keys['type'] === 'ews')) return [];
  const port = parameters['notificationPort'] ?? LIMITS.notificationPort.default;
  const host = readHost(textOf(parameters['notificationListen']) ?? '') ?? '0.0.0.0';
  const single = top['listen'] === undefined ? DEFAULT_LISTENER : textOf(top['listen']);
  const http = [single, ...textsOf(top['listen']).map(({ text }) => text), textOf(mapOf(top['admin'])?.['listen'])].map((text) => parseListener(text ?? ''));
  const ldap = parseLdapAddress(textOf(mapOf(mapOf(top['gal'])?.['ldap'])?.['listen']) ?? '');
  const isTaken = [...http, ldap].some((one) => one?.port === port && (one.host === host || EVERYWHERE.has(host) || EVERYWHERE.has(one.host)));
  return isTaken ? [{ path: ['presence', 'parameters', 'notificationPort'], message: 'is the port of a listener already; Exchange calls back at a port of its own' }] : [];
}
