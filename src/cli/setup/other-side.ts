import type { ClientConfig, Config, SystemConfig } from '../../config/config.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** What one system has to be told about the bridge, out of the configuration. */
export interface OtherSide {
  readonly system: SystemConfig;
  /** With whose user name the system signs in at the bridge; the first client that speaks for it. */
  readonly client: ClientConfig & { readonly credentials: NonNullable<ClientConfig['credentials']> };
  /** Whose mailboxes it may then ask about, and the exact addresses beside them; each once, in the file's order. */
  readonly domains: readonly string[];
  readonly mailboxes: readonly MailboxAddress[];
  /** Under which clients reach the bridge, without a trailing slash. */
  readonly publicUrl: string;
  /** What stands in the way of it; one line each. */
  readonly cautions: readonly string[];
}

/** Why nothing can be set up yet, in words. */
export interface NotYet {
  readonly why: string;
}

/** @param system a name, where there are several of that kind */
export function otherSideOf(config: Config, isOfKind: (system: SystemConfig) => boolean, kind: string, system: string | undefined): OtherSide | NotYet {
  const candidates = config.systems.filter(isOfKind);
  const names = candidates.map(({ name }) => name).join(', ');
  if (candidates.length === 0) return { why: `no system of bridge.yaml is ${kind}` };
  const chosen = system === undefined ? candidates : candidates.filter(({ name }) => name === system);
  const [one] = chosen;
  if (one === undefined) return { why: `${system ?? ''} is no ${kind} of bridge.yaml; there is ${names}` };
  if (chosen.length > 1) return { why: `there are several: name one with --system (${names})` };
  const clients = config.clients.filter((client) => client.from === one.name);
  const client = clients.find((entry): entry is OtherSide['client'] => entry.credentials !== undefined);
  if (client === undefined) return { why: `no client speaks for ${one.name}: add one to clients:, with username, password, from: ${one.name} and mayAsk: [the systems whose people it may see]` };
  const asked = config.systems.filter(({ name }) => name !== one.name && client.mayAsk.includes(name));
  const domains = [...new Set(asked.flatMap((entry) => entry.domains))];
  const mailboxes = [...new Set(asked.flatMap((entry) => entry.mailboxes))];
  if (domains.length + mailboxes.length === 0) return { why: `the client ${client.name} may ask about nobody: list systems with domains under its mayAsk` };
  const publicUrl = config.publicUrl ?? listenerUrl(config);
  return { system: one, client, domains, mailboxes, publicUrl, cautions: cautionsAbout(publicUrl, client) };
}

function listenerUrl({ listen }: Config): string {
  const { protocol, host, port } = listen[0]!;
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
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
