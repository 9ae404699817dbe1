import { hash } from 'node:crypto';
import type { AutodiscoverConfig, ExchangeEwsConfig, ExchangeSignIn, ExchangeWebdavConfig, OAuthConfig } from '../config/config.ts';
import type { GatewayConfig } from '../config/presence-config.ts';
import type { Clock } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Authentication } from '../platform/http-client/authentication.ts';
import type { BackEndLoads } from '../platform/http-client/load/back-end-load.ts';
import { OAuthTokenSource } from '../platform/http-client/oauth/oauth-token-source.ts';
import { AutodiscoverClient } from './autodiscover/client.ts';
import { EwsKnowledge } from './ews/servers/knowledge.ts';
import { OwaConnections } from './owa-webdav/client-connections.ts';

export interface BackEndsOptions {
  /** Absent: as much as there is. */
  readonly loads?: BackEndLoads | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An Exchange with EWS, as a system or as a presence gateway. */
type EwsWay = Pick<ExchangeEwsConfig, 'servers' | 'signIn' | 'autodiscover' | 'hosts' | 'ca' | 'minTlsVersion'> & { readonly name?: string; readonly description?: string; readonly nameCheck?: GatewayConfig['nameCheck'] };

/**
 * What all that asks back ends shares for the life of the process, over reloads: how much they are asked, what is learnt of Exchange servers and accounts, form logons,
 * tokens, and where Autodiscover leads.
 */
export class BackEnds {
  readonly loads: BackEndLoads | undefined;
  readonly #options: BackEndsOptions;
  readonly #knowledge = new EwsKnowledge();
  readonly #connections = new OwaConnections();
  readonly #tokens = new Map<string, OAuthTokenSource>();
  readonly #discoveries = new Map<string, AutodiscoverClient>();

  constructor(options: BackEndsOptions) {
    this.#options = options;
    this.loads = options.loads;
  }

  /** How an Exchange is asked by EWS. */
  ews(way: EwsWay) {
    const { servers, signIn } = way;
    const discovery = this.discovery(way);
    const discover = discovery === undefined ? undefined : (signal: AbortSignal) => discovery.find(signal);
    return { servers, accounts: this.#accounts(signIn), discover, knowledge: this.#knowledge, loads: this.loads };
  }

  /** How an Exchange is asked by OWA and WebDAV: as one account, and never by OAuth. */
  webdav({ servers, signIn }: Pick<ExchangeWebdavConfig, 'servers' | 'signIn'>) {
    if (signIn.kind === 'oauth') throw new BridgeError('CONFIGURATION', 'WebDAV knows no OAuth');
    const { username, password } = signIn.accounts[0]!;
    return { servers, auth: signIn.kind, username, password: password.reveal(), connections: this.#connections, loads: this.loads };
  }

  /** Who finds the servers of an Exchange; undefined where they are configured. */
  discovery(way: EwsWay): AutodiscoverClient | undefined {
    const { autodiscover, signIn, hosts, ca, nameCheck, minTlsVersion } = way;
    if (autodiscover === undefined) return undefined;
    const { clock, logger } = this.#options;
    const { mailbox, url } = autodiscover;
    return remembered(this.#discoveries, discoveryKey(way), () => new AutodiscoverClient({ name: way.name ?? way.description ?? mailbox, mailbox, url, authentications: this.#accounts(signIn), ca, nameCheck, minTlsVersion, hosts, clock, logger }));
  }

  /** Lets go of tokens and finds of whatever is no longer configured. */
  async retain(ways: readonly EwsWay[]): Promise<void> {
    const tokens = new Set(ways.map(({ signIn }) => (signIn.kind === 'oauth' ? tokenKey(signIn.oauth) : '')));
    const discoveries = new Set(ways.map(discoveryKey));
    await Promise.all([...released(this.#discoveries, discoveries), ...released(this.#tokens, tokens)].map((one) => one.close()));
  }

  async close(): Promise<void> {
    await this.retain([]);
  }

  /** One for every account. */
  #accounts(signIn: ExchangeSignIn): readonly Authentication[] {
    if (signIn.kind === 'oauth') return [{ kind: 'bearer', account: signIn.oauth.clientId, tokens: this.#tokensOf(signIn.oauth) }];
    const kind = signIn.kind === 'ntlm' ? 'ntlm' : 'basic';
    return signIn.accounts.map(({ username, password }) => ({ kind, username, password: password.reveal() }));
  }

  #tokensOf(oauth: OAuthConfig): OAuthTokenSource {
    const { clock, logger } = this.#options;
    const { credential, ...rest } = oauth;
    const proof = credential.kind === 'secret' ? ({ kind: 'secret', secret: credential.secret.reveal() } as const) : ({ kind: 'certificate', certificate: credential.certificate, key: credential.key.reveal() } as const);
    return remembered(this.#tokens, tokenKey(oauth), () => new OAuthTokenSource({ ...rest, credential: proof, clock, logger }));
  }
}

function remembered<T>(kept: Map<string, T>, key: string, make: () => T): T {
  const one = kept.get(key) ?? make();
  kept.set(key, one);
  return one;
}

/** Those that nobody needs any more, taken out. */
function released<T>(kept: Map<string, T>, inUse: ReadonlySet<string>): readonly T[] {
  const gone = [...kept].filter(([key]) => !inUse.has(key));
  for (const [key] of gone) kept.delete(key);
  return gone.map(([, one]) => one);
}

function tokenKey({ tokenUrl, clientId, credential, scope, ca }: OAuthConfig): string {
  return digest([tokenUrl.href, clientId, credential.kind === 'secret' ? credential.secret.reveal() : [credential.certificate, credential.key.reveal()], scope, ca]);
}

function discoveryKey({ autodiscover, signIn, hosts, ca, nameCheck, minTlsVersion }: EwsWay): string {
  const { mailbox, url }: Partial<AutodiscoverConfig> = autodiscover ?? {};
  const who = signIn.kind === 'oauth' ? tokenKey(signIn.oauth) : [signIn.kind, signIn.accounts.map(({ username, password }) => [username, password.reveal()])];
  return digest([mailbox, url?.href, who, hosts, ca, nameCheck, minTlsVersion]);
}

/** A key that holds no secret. */
function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex');
}
