import type { ClientConfig } from './config/config.ts';
import type { Requester } from './core/request-context.ts';
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
    anonymous: client.credentials === undefined,
    presence: client.presence,
    gal: client.gal,
    deadlineMs: client.deadlineMs,
  };
}

/** How a client of the configuration signs in. */
export function accountOf(client: ClientConfig): ClientAccount {
  return {
    requester: requesterOf(client),
    credentials: client.credentials === undefined ? undefined : { username: client.credentials.username, password: client.credentials.password.reveal() },
    auth: client.auth,
    addresses: client.addresses === undefined ? undefined : new AddressSet(client.addresses),
  };
}
