import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import { ISSUER } from '../../../platform/http-client/authentication.ts';

/**
 * What an error says, and about whom:
 *
 * - `server`: it cannot be reached or is no EWS; another one may answer
 * - `unavailable`: HTTP 503 without SOAP, which is a server on its way up or down, or one that is busy: another server, else another account
 * - `account`: it is refused; another one may be let in, at this server
 * - `busy`: this account is to wait at this server; others need not
 * - `unasked`: nobody was: too much is under way here already, or there is no token
 * - `question`: it would be answered so by every server and to every account
 */
export type Verdict = 'server' | 'unavailable' | 'account' | 'busy' | 'unasked' | 'question';

/** @param isOver the question's own time is over */
export function verdictOf(error: BridgeError, isOver: boolean): Verdict {
  const { status, responseCode, refused, isSoap, by } = error.details;
  if (by === ISSUER) return 'unasked';
  if (SERVERS_OWN.has(error.code)) return 'server';
  if (error.code === 'DEADLINE') return isOver ? 'question' : 'server';
  if (error.code === 'BACKEND_AUTH') return 'account';
  if (error.code === 'BACKEND_BUSY') {
    // The budget of the lookup is used up.
    if (refused !== undefined) return 'question';
    if (status === undefined && responseCode === undefined) return 'unasked';
    return status === 503 && isSoap !== true ? 'unavailable' : 'busy';
  }
  return error.code === 'BACKEND_FAULT' && responseCode === undefined && typeof status === 'number' && isNoEws(status) ? 'server' : 'question';
}

const SERVERS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_REDIRECT', 'BACKEND_MALFORMED']);

/** Answers without SOAP that IIS, a proxy or a load balancer gives in the server's place. 413 and 431 are about the question. */
function isNoEws(status: number): boolean {
  return status >= 500 || status === 404 || status === 405 || status === 408 || status === 421;
}

/** Whether a password was looked at and refused: often enough, and the account is locked. */
export function mayLock({ details }: BridgeError): boolean {
  return (details['status'] === 401 && details['isUnjudged'] !== true) || details['responseCode'] !== undefined;
}

/** Whether the request has surely not arrived: what must not be done twice may then be tried elsewhere. */
export function isUnsent(error: BridgeError): boolean {
  const reason = String(error.details['reason']);
  if (error.code === 'BACKEND_UNREACHABLE') return NOT_CONNECTED.has(reason);
  // Only what the certificate says: other TLS errors may come in the middle of a connection.
  if (error.code === 'BACKEND_TLS') return /^(?:ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(reason);
  return verdictOf(error, true) === 'unasked';
}

const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
