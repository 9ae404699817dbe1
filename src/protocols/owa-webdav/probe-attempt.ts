import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';

/** A step that failed, with what to do about it. */
export function failed(step: string, error: BridgeError): ProbeFinding {
  const { hint, target } = error.details;
  return { step, outcome: 'fail', text: `${error.code}: ${error.publicMessage}${target === undefined ? '' : ` (${String(target)})`}`, advice: typeof hint === 'string' ? hint : (ADVICE[error.code] ?? 'ask the server with curl and look at its log') };
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BACKEND_AUTH: 'check username and password',
  BACKEND_UNREACHABLE: 'check the host name, the port and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
  DEADLINE: 'it accepts and stays silent: look at its load, or raise the deadline',
};

/** Whether the server as a whole cannot be talked to: nothing else is worth trying. */
export function isConnection(code: ErrorCode): boolean {
  return code === 'BACKEND_UNREACHABLE' || code === 'BACKEND_TLS' || code === 'DEADLINE' || code === 'BACKEND_REDIRECT';
}

/** Tries it; what it throws is a value, because a probe never throws. */
export async function attempt<T>(action: () => Promise<T>): Promise<{ readonly answer: T } | { readonly error: BridgeError }> {
  try {
    return { answer: await action() };
  } catch (thrown) {
    return { error: toBridgeError(thrown) };
  }
}
