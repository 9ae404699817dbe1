import type { ClientConfig, Config, SystemConfig } from '../../config/config.ts';
import { listenerUrl } from '../../config/listener-url.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** What one system has to be told about the bridge, out of the configuration. */
export interface OtherSide<System extends SystemConfig = SystemConfig> {
  readonly system: System;
  /** How it asks; absent where it asks nobody and is only replicated from or into. */
  readonly live?: Live | undefined;
  /** Why it asks nobody, in words; empty where it does. */
  readonly whyNotLive: string;
  /** Whose people are seen on either way, asked live or by replication, and the exact addresses beside them; each once, in the file's order. */
  readonly domains: readonly string[];
  readonly mailboxes: readonly MailboxAddress[];
  /** Names of the systems where they live. */
  readonly seen: readonly string[];
  /** Under which clients reach the bridge, without a trailing slash. */
  readonly publicUrl: string;
  /** What stands in the way of it; one line each. */
  readonly cautions: readonly string[];
}

/** With whose user name a system signs in at the bridge, and whom it may then ask about. */
export interface Live {
  readonly client: ClientWithPassword;
  /** Further clients that speak for the same system. */
  readonly others: readonly string[];
  readonly domains: readonly string[];
}

export type ClientWithPassword = ClientConfig & { readonly credentials: NonNullable<ClientConfig['credentials']> };

/** Why nothing can be set up, in words. */
export interface NotYet {
  readonly why: string;
}

/** Which kind of system is wanted, and which of them. */
export interface Wanted<System extends SystemConfig> {
  readonly isOfKind: (system: SystemConfig) => system is System;
  /** `Exchange` or `Zimbra`. */
  readonly kind: string;
  /** A name, where there are several of that kind. */
  readonly system?: string | undefined;
  /** A name, where several clients speak for it. */
  readonly client?: string | undefined;
}

export function otherSideOf<System extends SystemConfig>(config: Config, wanted: Wanted<System>): OtherSide<System> | NotYet {
  const system = chosenSystem(config, wanted);
  if ('why' in system) return system;
  const speaking = config.clients.filter((client): client is ClientWithPassword => client.from === system.name && client.credentials !== undefined);
  const client = wanted.client === undefined ? speaking[0] : speaking.find(({ name }) => name === wanted.client);
  if (client === undefined && wanted.client !== undefined) {
    return { why: `${wanted.client} is no client that speaks for ${system.name} with a password; ${speaking.length === 0 ? 'there is none' : `there is ${speaking.map(({ name }) => name).join(', ')}`}` };
  }
  const asked = config.systems.filter(({ name }) => name !== system.name && client?.mayAsk.includes(name) === true);
  const isAsking = asked.some(({ domains, mailboxes }) => domains.length + mailboxes.length > 0);
  const whyNotLive =
    client === undefined
      ? `no client speaks for ${system.name}, so it cannot ask live: add one to clients:, with username, password, from: ${system.name} and mayAsk: [the systems whose people it may see]`
      : isAsking
        ? ''
        : `the client ${client.name} may ask about nobody: list systems with domains under its mayAsk`;
  const replicated = config.replication.filter(({ from, to }) => from === system.name || to === system.name);
  if (whyNotLive !== '' && replicated.length === 0) return { why: whyNotLive };
  const seen = config.systems.filter((one) => asked.includes(one) || replicated.some(({ from, to }) => to === system.name && from === one.name));
  const publicUrl = config.publicUrl ?? listenerUrl(config.listen[0]!);
  const live = client === undefined || whyNotLive !== '' ? undefined : { client, others: speaking.filter((one) => one !== client).map(({ name }) => name), domains: domainsOf(asked) };
  return { system, live, whyNotLive, domains: domainsOf(seen), mailboxes: [...new Set(seen.flatMap(({ mailboxes }) => mailboxes))], seen: seen.map(({ name }) => name), publicUrl, cautions: live === undefined ? [] : cautionsAbout(publicUrl, live.client) };
}

function chosenSystem<System extends SystemConfig>({ systems }: Config, { isOfKind, kind, system }: Wanted<System>): System | NotYet {
  const candidates = systems.filter(isOfKind);
  const names = candidates.map(({ name }) => name).join(', ');
  const [first] = candidates;
  if (first === undefined) return { why: `no system of bridge.yaml is ${kind === 'Exchange' ? 'an Exchange' : `a ${kind}`}` };
  if (system === undefined) return candidates.length === 1 ? first : { why: `there are several ${kind} systems: name one with --system (${names})` };
  return candidates.find(({ name }) => name === system) ?? { why: `${system} is no ${kind} system of bridge.yaml; the ${kind} there is named ${names}` };
}

function domainsOf(systems: readonly SystemConfig[]): readonly string[] {
  return [...new Set(systems.flatMap(({ domains }) => domains))];
}

function cautionsAbout(publicUrl: string, client: ClientConfig): readonly string[] {
  const { protocol, hostname, port } = new URL(publicUrl);
  const isNobody = ['0.0.0.0', '[::]', 'localhost', '127.0.0.1', '[::1]'].includes(hostname) || port === '0';
  return [
    ...(isNobody ? [`${publicUrl} is no address for another machine: set publicUrl in bridge.yaml`] : []),
    ...(protocol === 'https:' ? [] : ['the bridge is reached without TLS: the password below would travel in the clear']),
    ...(client.detail === 'none' ? [`the client ${client.name} has detail: none and gets no answer`] : []),
  ];
}
