import { requesterOf } from '../bridge-clients.ts';
import type { Config } from '../config/config.ts';
import type { Requester } from '../core/request-context.ts';

/** With the rights of the client that goes by this name or, else, this user name; undefined where there is none. */
export function clientNamed({ clients }: Config, name: string): Requester | undefined {
  const client = clients.find((one) => one.name === name) ?? clients.find((one) => one.credentials?.username.toLowerCase() === name.toLowerCase());
  return client === undefined ? undefined : requesterOf(client);
}
