import * as z from 'zod';
import { line } from '../fields/names.ts';
import { secret } from '../fields/secret-field.ts';
import { section } from '../fields/section.ts';
import { serverUrl } from '../fields/url.ts';
import type { Surroundings } from '../surroundings.ts';
import { baseShape } from './system-base.ts';

/** Credentials are optional here; checks/clients.ts wants them of a system that some client may ask. */
export function zimbra(surroundings: Surroundings) {
  const account = line('the name of a Zimbra account, e.g. bridge@zimbra.example');
  return section({
    type: z.literal('zimbra'),
    ...baseShape(surroundings),
    url: serverUrl("the Zimbra server's root, e.g. https://mail.zimbra.example", ['service']),
    adminUrl: serverUrl("the root of Zimbra's admin service, e.g. https://mail.zimbra.example:7071", ['service']).optional(),
    username: account.optional(),
    password: secret(surroundings).optional(),
    admin: section({ username: account, password: secret(surroundings) }).optional(),
  });
}
