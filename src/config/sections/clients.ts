import * as z from 'zod';
import { DETAIL_LEVELS, GAL_RIGHTS, PRESENCE_RIGHTS } from '../../core/request-context.ts';
import { CLIENT_AUTHS } from '../config.ts';
import type { ClientAuth, ClientConfig } from '../config.ts';
import { duration } from '../fields/duration.ts';
import { flag, oneOf, text } from '../fields/field.ts';
import { displayName, line, username } from '../fields/names.ts';
import { network } from '../fields/network.ts';
import { list, section } from '../fields/section.ts';
import { secret } from '../fields/secret-field.ts';
import { LIMITS } from '../../core/limits.ts';
import { decodeScryptHash } from '../../core/scrypt-hash.ts';
import type { Surroundings } from '../surroundings.ts';

/** `clients:`. What goes together and which systems there are: checks/clients.ts. */
export function clients(surroundings: Surroundings) {
  return list(
    section({
      name: displayName(),
      username: username().optional(),
      password: secret(surroundings).optional(),
      passwordHash: passwordHash(surroundings).optional(),
      token: section({ issuer: line('the issuer of its tokens, one of issuers'), claims: z.record(z.string().regex(CLAIM), line('the value of the claim')) }).optional(),
      certificate: section({ fingerprint: fingerprint().optional(), commonName: line('the common name of its certificate').optional(), alternativeName: line('a DNS name or mail address of its certificate').optional() }).optional(),
      anonymous: flag().default(false),
      auth: list(oneOf(CLIENT_AUTHS), 1).optional(),
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
  return output.map(({ username, password, passwordHash, token, certificate, anonymous, auth, deadline, ...rest }): ClientConfig => {
    const hasPassword = !anonymous && username !== undefined && (password !== undefined || passwordHash !== undefined);
    return {
      ...rest,
      anonymous,
      mayAsk: [...new Set(rest.mayAsk)],
      credentials: hasPassword ? { username, password, passwordHash } : undefined,
      token: anonymous ? undefined : token,
      certificate: anonymous || certificate === undefined ? undefined : { ...certificate, alternativeName: certificate.alternativeName?.toLowerCase() },
      auth: anonymous ? [] : [...new Set(auth ?? defaultAuth(hasPassword, token !== undefined, certificate !== undefined))],
      deadlineMs: deadline,
    };
  });
}

/** With a password Basic, else what it has. */
function defaultAuth(hasPassword: boolean, hasToken: boolean, hasCertificate: boolean): readonly ClientAuth[] {
  if (hasPassword) return ['basic'];
  return [...(hasToken ? (['bearer'] as const) : []), ...(hasCertificate ? (['certificate'] as const) : [])];
}

/** A name of a claim (RFC 7519 §4); a namespaced one is a URL. */
const CLAIM = /^[\x21-\x7e]{1,128}$/;

/** The words of `freebusy-bridge hash-password`; no message shows any of it. */
function passwordHash(surroundings: Surroundings) {
  return secret(surroundings).transform((hash, ctx) => {
    const decoded = decodeScryptHash(hash.reveal());
    if (typeof decoded === 'string') ctx.issues.push({ code: 'custom', message: decoded, input: undefined });
    return hash;
  });
}

function fingerprint() {
  return text('the SHA-256 fingerprint of its certificate, 64 hex digits with or without colons', (value) => {
    const hex = value.replace(/:/g, '').toLowerCase();
    return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined;
  });
}
