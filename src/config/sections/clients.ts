import type * as z from 'zod';
import { DETAIL_LEVELS, GAL_RIGHTS, PRESENCE_RIGHTS } from '../../core/request-context.ts';
import { CLIENT_AUTHS } from '../config.ts';
import type { ClientConfig } from '../config.ts';
import { duration } from '../fields/duration.ts';
import { flag, oneOf } from '../fields/field.ts';
import { displayName, line, username } from '../fields/names.ts';
import { network } from '../fields/network.ts';
import { list, section } from '../fields/section.ts';
import { secret } from '../fields/secret-field.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Surroundings } from '../surroundings.ts';

/** `clients:`. What goes together and which systems there are: checks/clients.ts. */
export function clients(surroundings: Surroundings) {
  return list(
    section({
      name: displayName(),
      username: username().optional(),
      password: secret(surroundings).optional(),
      anonymous: flag().default(false),
      auth: list(oneOf(CLIENT_AUTHS, ['bearer']), 1).optional(),
      addresses: list(network(), 1).optional(),
      from: line('the name of a system, or outside').default('outside'),
      mayAsk: list(line('the name of a system')).default([]),
      detail: oneOf(DETAIL_LEVELS).default('busy-type'),
      gal: oneOf(GAL_RIGHTS).default('none'),
      presence: oneOf(PRESENCE_RIGHTS).default('none'),
      deadline: duration(LIMITS.deadlineMs).optional(),
    }),
  );
}

export type ClientsOutput = z.output<ReturnType<typeof clients>>;

/** Clients whose keys go together. */
export function settledClients(output: ClientsOutput): readonly ClientConfig[] {
  return output.map(({ username, password, anonymous, auth, deadline, ...rest }) => ({
    ...rest,
    mayAsk: [...new Set(rest.mayAsk)],
    credentials: anonymous || username === undefined || password === undefined ? undefined : { username, password },
    auth: anonymous ? [] : [...new Set(auth ?? ['basic' as const])],
    deadlineMs: deadline,
  }));
}
