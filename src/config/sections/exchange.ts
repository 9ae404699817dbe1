import * as z from 'zod';
import { oneOf } from '../fields/field.ts';
import { username } from '../fields/names.ts';
import { secret } from '../fields/secret-field.ts';
import { section } from '../fields/section.ts';
import { legacyExchangeDnTemplate } from '../fields/template.ts';
import { serverUrl } from '../fields/url.ts';
import type { Surroundings } from '../surroundings.ts';
import { baseShape } from './system-base.ts';

/** Exchange 2000 to 2007 by OWA and WebDAV. */
export function exchangeWebdav(surroundings: Surroundings) {
  return section({
    type: z.literal('exchange-webdav'),
    ...exchangeShape(surroundings),
    url: serverUrl("the server's root, e.g. https://owa.corp.example", ['public', 'exchange', 'exchweb', 'owa']),
    auth: oneOf(['basic', 'form'], ['ntlm']).default('basic'),
  });
}

/** Exchange 2007 and later by EWS. */
export function exchangeEws(surroundings: Surroundings) {
  return section({
    type: z.literal('exchange-ews'),
    ...exchangeShape(surroundings),
    url: serverUrl('the URL of the EWS service, e.g. https://ews.corp.example/EWS/Exchange.asmx'),
    auth: oneOf(['basic'], ['ntlm', 'oauth']).default('basic'),
  });
}

function exchangeShape(surroundings: Surroundings) {
  return {
    ...baseShape(surroundings),
    username: username(),
    password: secret(surroundings),
    lookup: oneOf(['query', 'public-folder']).default('query'),
    legacyExchangeDn: legacyExchangeDnTemplate().optional(),
  };
}
