import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';

/** A step that failed, with what to do about it. */
export function failed(step: string, error: BridgeError): ProbeFinding {
  const { target } = error.details;
  return { step, outcome: 'fail', text: `${error.code}: ${error.publicMessage}${target === undefined ? '' : ` (${String(target)})`}`, advice: adviceFor(error) };
}

function adviceFor({ code, details }: BridgeError): string {
  const { hint, reason } = details;
  if (typeof hint === 'string') return hint;
  return BY_REASON[String(reason)] ?? ADVICE[code] ?? 'ask the server with curl and look at its log';
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BACKEND_AUTH: 'check username and password',
  BACKEND_UNREACHABLE: 'check the host name, the port and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
  BACKEND_BUSY: 'it says that it is busy: look at its load and at the size of its queues',
  DEADLINE: 'it accepts and stays silent: look at its load, or raise the deadline',
};

/** What the codes of the resolver, of sockets and of TLS mean to who runs the bridge. */
const BY_REASON: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no name server knows the host name: correct the url, or the name server of this machine',
  EAI_AGAIN: 'the name server does not answer: look at the one of this machine',
  ECONNREFUSED: 'nothing listens there: check the port, and whether IIS (W3SVC) runs',
  EHOSTUNREACH: 'there is no way to the host: check routes and the firewall',
  ENETUNREACH: 'there is no way to its network: check routes, and whether this machine has IPv6 where the name does',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answers there: a firewall swallows it, or the host is off',
  CERT_HAS_EXPIRED: 'its certificate has run out: renew it on the server; if it has not, the clock of this machine is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: set the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: write the name that stands in the certificate into the url',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: name that certificate under tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that this machine does not know: name the authority under tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server does not send the certificate between its own and the authority: add it there, or name it under tls.ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that this machine does not know: name the authority under tls.ca',
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
