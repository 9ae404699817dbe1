import type { ClientConfig, Config } from './config/config.ts';
import { Secret } from './config/secret.ts';
import { BridgeError } from './core/errors.ts';
import type { Requester } from './core/request-context.ts';
import { decodeScryptHash } from './core/scrypt-hash.ts';
import { AddressSet } from './platform/auth/address-set.ts';
import type { ClientAccount } from './platform/auth/client-sign-in.ts';

/** What a client of the configuration may do, as the lookup reads it. */
export function requesterOf(client: ClientConfig): Requester {
  return {
    name: client.name,
    username: client.credentials?.username,
    from: client.from,
    mayAsk: new Set(client.mayAsk),
    detail: client.detail,
    anonymous: client.anonymous,
    presence: client.presence,
    gal: client.gal,
    deadlineMs: client.deadlineMs,
  };
}

/** How a client of the configuration signs in. */
export function accountOf(client: ClientConfig): ClientAccount {
  return {
    requester: requesterOf(client),
    credentials: credentialsOf(client),
    token: client.token,
    certificate: client.certificate,
    auth: client.auth,
    addresses: client.addresses === undefined ? undefined : new AddressSet(client.addresses),
  };
}

function credentialsOf({ credentials }: ClientConfig): ClientAccount['credentials'] {
  if (credentials === undefined) return undefined;
  const { username, password, passwordHash } = credentials;
  const hash = passwordHash === undefined ? undefined : decodeScryptHash(passwordHash.reveal());
  // The configuration has read it already.
  if (typeof hash === 'string') throw new BridgeError('CONFIGURATION', `the passwordHash of ${username} ${hash}`);
  return { username, password: password?.reveal(), passwordHash: hash };
}

/** Whether somebody who signed in as this client under one configuration is the same, from the same place and with the same rights, under the other. */
export function isSameClient(name: string, one: Config, other: Config): boolean {
  return wayIn(name, one) === wayIn(name, other);
}

/** Secrets included: not for showing. */
function wayIn(name: string, { clients, listen, behindProxy, trustedProxies, issuers, tls }: Config): string {
  const client = clients.find((each) => each.name === name);
  const revealed = function (this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
    const secret = this[key];
    return secret instanceof Secret ? secret.reveal() : value;
  };
  return JSON.stringify([client, listen, behindProxy, trustedProxies, issuers, tls?.clientCa], revealed);
}
