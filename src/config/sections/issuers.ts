import type * as z from 'zod';
import type { IssuerConfig } from '../config.ts';
import { line } from '../fields/names.ts';
import { certificateFile } from '../fields/pem.ts';
import { chosen, list, section } from '../fields/section.ts';
import { serverUrl } from '../fields/url.ts';
import type { Surroundings } from '../surroundings.ts';

/** `issuers:`, who vouches for clients with tokens. Which of them clients name: checks/issuers.ts. */
export function issuers(surroundings: Surroundings): z.ZodType<readonly IssuerConfig[]> {
  const single = line('what its tokens have as aud, e.g. api://freebusy-bridge');
  const several = list(single, 1);
  return list(
    section({
      issuer: line("what its tokens have as iss, e.g. https://login.microsoftonline.com/TENANT/v2.0"),
      audience: chosen<string | readonly string[]>((value) => (Array.isArray(value) ? several : single)),
      jwksUri: serverUrl("the URL of its keys (JWKS), e.g. https://login.microsoftonline.com/TENANT/discovery/v2.0/keys").optional(),
      tls: section({ ca: certificateFile(surroundings) }).optional(),
    }).transform(({ issuer, audience, jwksUri, tls }): IssuerConfig => ({ issuer, audience: typeof audience === 'string' ? [audience] : audience, jwksUri, ca: tls?.ca })),
  );
}
