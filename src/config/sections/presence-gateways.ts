import type * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import type { Account, ExchangeEwsConfig, ExchangeWebdavConfig, SystemConfig } from '../config.ts';
import type { GatewayConfig } from '../presence-config.ts';
import { oneOf, text } from '../fields/field.ts';
import { host } from '../fields/host.ts';
import { integer } from '../fields/integer.ts';
import { line, username } from '../fields/names.ts';
import { hostPattern } from '../fields/network.ts';
import { list, section } from '../fields/section.ts';
import { secret } from '../fields/secret-field.ts';
import type { Surroundings } from '../surroundings.ts';
import { serverTls } from './server-tls.ts';

export const NOTIFICATIONS = ['auto', 'push', 'streaming', 'pull', 'poll'] as const;

/** `presence.gateways:`, key by key. Which keys go together, and what the entries owe each other: checks/presence.ts. */
export function presenceGateways(surroundings: Surroundings) {
  return list(
    section({
      description: description(),
      type: oneOf(['ews', 'webdav']),
      system: line('the name of a system').optional(),
      server: host({ scheme: 'https is spoken always, and the bridge adds the path', port: '443, or stands under port' }).optional(),
      port: integer({ min: 1, max: 65_535 }).default(443),
      account: username().optional(),
      password: secret(surroundings).optional(),
      tls: serverTls(surroundings).optional(),
      nameCheck: oneOf(['san-then-cn', 'cn-only']).default('san-then-cn'),
      dns: oneOf(['none']).optional(),
      notifications: oneOf(NOTIFICATIONS).default('auto'),
      auth: oneOf(['basic', 'form', 'ntlm']).default('basic'),
      hosts: list(hostPattern()).default([]),
    }),
  ).default([]);
}

export type GatewaysOutput = z.output<ReturnType<typeof presenceGateways>>;

/** Whatever tells it from the others; stands in logs and reports. */
function description() {
  const most = LIMITS.gatewayDescriptionCharacters;
  return text(`a text of 1 to ${most} printable characters that tells this gateway from the others, e.g. "Head office"`, (value) =>
    value.trim() === value && value !== '' && value.length <= most && !/\p{C}|[\u2028\u2029]/u.test(value) ? value : undefined,
  );
}

type Exchange = ExchangeEwsConfig | ExchangeWebdavConfig;
type Gateway = GatewaysOutput[number];

/** Gateways whose keys go together, with what they take from their systems, and the later EWS servers from the first gateway (presence.md, A25). */
export function settledGateways(output: GatewaysOutput, systems: readonly SystemConfig[]): readonly GatewayConfig[] {
  const [first] = output;
  return output.map((one): GatewayConfig => {
    const { description, type, nameCheck, notifications } = one;
    const common = { description, type, nameCheck, notifications };
    const home = systemOf(one, systems);
    if (home !== undefined) {
      const { name: system, servers, username, signIn, hosts, ca, minTlsVersion } = home;
      return { ...common, system, servers, username, signIn, hosts, ca, minTlsVersion, autodiscover: home.type === 'exchange-ews' ? home.autodiscover : undefined };
    }
    const account = accountOf(one, systems) ?? accountOf(first!, systems)!;
    return { ...common, servers: [urlOf(one)], username: account.username, signIn: { kind: one.auth, accounts: [account] }, hosts: [...new Set(one.hosts)], ca: one.tls?.ca, minTlsVersion: one.tls?.minVersion };
  });
}

function systemOf({ system }: Gateway, systems: readonly SystemConfig[]): Exchange | undefined {
  return systems.find((one): one is Exchange => one.name === system && (one.type === 'exchange-ews' || one.type === 'exchange-webdav'));
}

/** Its system's or its own account; undefined where it takes that of the first gateway, and for a system without passwords. */
export function accountOf(gateway: Gateway, systems: readonly SystemConfig[]): Account | undefined {
  const home = systemOf(gateway, systems);
  if (home !== undefined) return home.signIn.kind === 'oauth' ? undefined : home.signIn.accounts[0];
  const { account, password } = gateway;
  return account === undefined || password === undefined ? undefined : { username: account, password };
}

/** Where Exchange answers EWS by default; WebDAV's paths are below the root. */
function urlOf({ server = '', port, type }: Gateway): URL {
  return new URL(`https://${server.includes(':') ? `[${server}]` : server}:${port}${type === 'ews' ? '/EWS/Exchange.asmx' : '/'}`);
}
