import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * `Authorization: Basic`, UTF-8 (RFC 7617); undefined where the request has no Authorization header.
 *
 * @throws BridgeError AUTH_FAILED for another scheme or what cannot be decoded
 */
export function basicCredentials(request: IncomingMessage): Credentials | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})\s*$/i.exec(header)?.[1];
  const text = encoded === undefined || header.length > LIMITS.credentialCharacters ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new BridgeError('AUTH_FAILED', 'the credentials cannot be read');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
