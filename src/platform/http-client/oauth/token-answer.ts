import { BridgeError } from '../../../core/errors.ts';
import type { ErrorDetails } from '../../../core/errors.ts';
import { SECOND_MS } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { retryAfterMs } from '../answer-headers.ts';
import type { HttpAnswer } from '../http-client.ts';

/** What the issuer gave. */
export interface IssuedToken {
  readonly token: string;
  /** From its issuing. */
  readonly lifeMs: number;
}

/**
 * Reads the answer of a token endpoint (RFC 6749 §5). Of its words nothing is passed on but codes that are known: `error_description` may quote what was sent.
 *
 * @throws BridgeError BACKEND_AUTH (it refuses us), BACKEND_BUSY (429, 503), BACKEND_UNREACHABLE (it fails), BACKEND_REDIRECT, BACKEND_MALFORMED
 */
export function decodeTokenAnswer({ status, headers, body }: Pick<HttpAnswer, 'status' | 'headers' | 'body'>): IssuedToken {
  const details = { status };
  if (status === 429 || status === 503) {
    throw new BridgeError('BACKEND_BUSY', 'the issuer of tokens is too busy', { temporary: true, retryAfterMs: retryAfterMs(headers), details: { ...details, hint: 'try again later; whoever runs the issuer sees why: the account and its throttling have no part in it' } });
  }
  if (status >= 500) throw new BridgeError('BACKEND_UNREACHABLE', 'the issuer of tokens fails', { temporary: true, details: { ...details, hint: 'look into the log of the issuer: it answers at tokenUrl, and fails' } });
  if (status >= 300 && status < 400) throw new BridgeError('BACKEND_REDIRECT', 'the issuer of tokens redirects', { details: { ...details, hint: 'write the token endpoint itself into tokenUrl' } });
  const answer = body.length > LIMITS.tokenAnswerBytes ? undefined : readObject(body);
  if (status === 200) return decodeToken(answer);
  throw decodeRefusal(status, answer);
}

function readObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function decodeToken(answer: Readonly<Record<string, unknown>> | undefined): IssuedToken {
  const token = answer?.['access_token'];
  const type = answer?.['token_type'];
  if (typeof token !== 'string' || typeof type !== 'string') throw malformed('no token in it');
  if (type.toLowerCase() !== 'bearer') throw malformed('a token of another type than Bearer');
  // b64token of RFC 6750 §2.1: it goes into a header.
  if (token.length > LIMITS.tokenCharacters || !/^[\w\-.~+/]+=*$/.test(token)) throw malformed('a token that is none');
  return { token, lifeMs: decodeLife(answer?.['expires_in']) };
}

/** Seconds, as a number, or as a text as older AD FS and Entra's first endpoint have it. */
function decodeLife(value: unknown): number {
  if (value === undefined || value === null) return LIMITS.tokenLifeUnknownMs;
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw malformed('a life of the token that is none');
  return Math.min(seconds * SECOND_MS, LIMITS.tokenLongestLifeMs);
}

function malformed(reason: string): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the issuer of tokens does not answer as one', { details: { reason, hint: 'check that tokenUrl is the token endpoint (…/oauth2/v2.0/token, …/adfs/oauth2/token)' } });
}

/** `error` of RFC 6749 §5.2, and what to do. */
const ERRORS: Readonly<Record<string, string>> = {
  invalid_client: 'the issuer does not know clientId, or its secret or certificate is another one or has ended',
  unauthorized_client: 'the issuer does not let this client have tokens by client credentials: allow that grant, and give its application permissions consent',
  invalid_scope: 'the issuer has no such scope: with Entra https://outlook.office365.com/.default, with AD FS the identifier of the resource and its scope',
  invalid_grant: 'the issuer refuses what it was shown: with a certificate look at the clocks, and whether the issuer has this one',
  invalid_request: 'the issuer takes no such request: check tokenUrl and scope, and that it lets this client have tokens by client credentials',
  invalid_target: 'the issuer does not know the resource: check scope',
  invalid_resource: 'the issuer does not know the resource: check scope',
  unsupported_grant_type: 'the issuer has no client credentials grant there: check tokenUrl',
  access_denied: 'the issuer denies this client a token: look at its policies',
};

/** Codes of Entra that say more (AADSTS). */
const ENTRA: Readonly<Record<string, string>> = {
  7000215: 'the secret is wrong: the value of the secret is wanted, not its id',
  7000222: 'the secret has ended: make a new one in the registration of the application',
  700016: 'clientId is not known in this tenant: check clientId, and the tenant in tokenUrl',
  700027: 'the issuer does not have this certificate, or not this key: upload it in the registration of the application',
  700024: 'the signed assertion is not of this time: check the clock of this machine',
  90002: 'the tenant in tokenUrl does not exist',
  900023: 'the tenant in tokenUrl does not exist',
  70011: 'the scope is not one: https://outlook.office365.com/.default',
  1002012: 'the scope has to end in /.default',
  500011: 'the resource in scope is not known in this tenant',
  65001: 'an administrator has to consent to the permissions of the application',
  53003: 'Conditional Access of the tenant blocks the application',
  7000112: 'the application is disabled in this tenant',
};

function decodeRefusal(status: number, answer: Readonly<Record<string, unknown>> | undefined): BridgeError {
  const error = answer?.['error'];
  if (error === 'temporarily_unavailable' || error === 'server_error') return new BridgeError('BACKEND_UNREACHABLE', 'the issuer of tokens fails', { temporary: true, details: { status, reason: error } });
  const code = typeof error === 'string' && Object.hasOwn(ERRORS, error) ? error : undefined;
  const description = answer?.['error_description'];
  const entra = typeof description === 'string' ? /\bAADSTS(\d{4,8})\b/.exec(description.slice(0, LIMITS.tokenCharacters))?.[1] : undefined;
  const hint = (entra === undefined || !Object.hasOwn(ENTRA, entra) ? undefined : ENTRA[entra]) ?? (code === undefined ? undefined : ERRORS[code]) ?? (status === 404 ? 'there is no token endpoint at tokenUrl' : 'ask the token endpoint with curl and look at the log of the issuer');
  const reason = [code, entra === undefined ? undefined : `AADSTS${entra}`].filter((one) => one !== undefined).join(' ');
  const details: ErrorDetails = { status, ...(reason === '' ? {} : { reason }), hint };
  return new BridgeError('BACKEND_AUTH', 'the issuer gives the bridge no token', { details });
}
