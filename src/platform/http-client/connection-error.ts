import { BridgeError } from '../../core/errors.ts';

/** Classifies what undici, TLS or DNS threw. The code is kept for the log, the text (which may name addresses) is not. */
export function connectionError(thrown: unknown): BridgeError {
  const code = codeOf(thrown);
  const options = { temporary: true, cause: thrown, details: { reason: code } };
  if (isTlsCode(code)) return new BridgeError('BACKEND_TLS', 'the calendar system could not be trusted', { ...options, temporary: false });
  if (MALFORMED.has(code) || code.startsWith('HPE_') || isParserError(thrown)) return new BridgeError('BACKEND_MALFORMED', 'the answer broke off or was no HTTP', options);
  return new BridgeError('BACKEND_UNREACHABLE', 'the calendar system cannot be reached', options);
}

/** Whether a connection died; before any of the answer came that is a kept-alive one gone stale, and it is safe to send again. */
export function isDeadConnection(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** The system, TLS or undici code behind an error, looked for through its causes; UNKNOWN where there is none. */
export function codeOf(thrown: unknown): string {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && (code !== 'UND_ERR_SOCKET' || !(error.cause instanceof Error))) return code;
  }
  return 'UNKNOWN';
}

const MALFORMED = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RESPONSE']);

/** UNSPECIFIED is Node's for what OpenSSL refuses and Node has no code for: a weak key or digest. */
function isTlsCode(code: string): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$|UNSPECIFIED$|HOSTNAME_MISMATCH)/.test(code);
}

/** undici gives what is no HTTP at all without a code. */
function isParserError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'HTTPParserError';
}
