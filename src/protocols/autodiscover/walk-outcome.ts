import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { handshakeAdvice } from '../../platform/tls-trouble.ts';
import { NOTHING_THERE } from './answered.ts';
import { NOT_OFFERED } from './client-connection.ts';
import { UNKNOWN_MAILBOX } from './refused.ts';
import type { Step } from './trail.ts';

/** What says most about why nothing was found comes first. */
const TELLING: readonly ErrorCode[] = ['CONFIGURATION', 'BACKEND_AUTH', 'BACKEND_REDIRECT', 'BACKEND_FAULT', 'BACKEND_TLS', 'BACKEND_BUSY', 'BACKEND_MALFORMED', 'BACKEND_TOO_LARGE', 'DEADLINE', 'BACKEND_UNREACHABLE'];

/** The one error of a walk that found nothing: the most telling of its tries; temporary where one of them may end otherwise next time. */
export function errorOf(steps: readonly Step[]): BridgeError {
  const errors = steps.flatMap(({ outcome }) => (outcome instanceof BridgeError ? [outcome] : []));
  const telling = [...errors].sort((a, b) => rank(a) - rank(b))[0];
  if (telling === undefined || rank(telling) === NOTHING_RANK) {
    const unreachable = errors.find((one) => one.temporary);
    return new BridgeError(unreachable === undefined ? 'BACKEND_FAULT' : unreachable.code, 'no Autodiscover was found', {
      temporary: unreachable !== undefined,
      details: { ...unreachable?.details, hint: NOTHING_ADVICE },
      cause: unreachable,
    });
  }
  const { code, publicMessage, details, retryAfterMs } = telling;
  return new BridgeError(code, publicMessage, { temporary: code !== 'BACKEND_AUTH' && errors.some((one) => one.temporary), details: { ...details, hint: adviceFor(telling) }, retryAfterMs, cause: telling });
}

const NOTHING_RANK = TELLING.length;

function rank(error: BridgeError): number {
  if (error.details['reason'] === NOTHING_THERE) return NOTHING_RANK;
  const at = TELLING.indexOf(error.code);
  // A name that does not exist is no trouble: most domains have one of the two hosts.
  return at === -1 || error.details['reason'] === 'ENOTFOUND' ? NOTHING_RANK : at;
}

/** What `check` prints: every step, and at the end where that led. Failures on a way that led somewhere are only worth reading. */
export function findingsOf(steps: readonly Step[], urls: readonly URL[]): readonly ProbeFinding[] {
  const isFound = urls.length > 0;
  return [...steps.map((one) => findingOf(one, isFound)), isFound ? { step: STEP, outcome: 'ok', text: `EWS is at ${urls.map((one) => one.origin + one.pathname).join(', ')}` } : conclusion(steps)];
}

const STEP = 'Autodiscover';

function findingOf({ tried, outcome, to }: Step, isFound: boolean): ProbeFinding {
  if (outcome === 'found') return { step: STEP, outcome: 'ok', text: `${tried}: answers` };
  if (outcome === 'redirected') return { step: STEP, outcome: 'ok', text: `${tried}: leads to ${to}` };
  if (outcome === 'nothing') return { step: STEP, outcome: 'ok', text: `${tried}: leads nowhere` };
  const text = `${tried}: ${described(outcome)}`;
  return isFound || rank(outcome) === NOTHING_RANK ? { step: STEP, outcome: 'ok', text } : { step: STEP, outcome: 'warn', text, advice: adviceFor(outcome) };
}

function conclusion(steps: readonly Step[]): ProbeFinding {
  const error = errorOf(steps);
  const advice = error.details['hint'];
  return { step: STEP, outcome: 'fail', text: `it does not say where EWS is: ${described(error)}`, advice: typeof advice === 'string' ? advice : NOTHING_ADVICE };
}

/** An error as one line, with the details that help and are no secret. */
function described(error: BridgeError): string {
  const details = ['status', 'responseCode', 'reason', 'target', 'offers'].flatMap((key) => {
    const value = error.details[key];
    return value === undefined ? [] : [String(value)];
  });
  return details.length === 0 ? error.publicMessage : `${error.publicMessage} (${details.join(', ')})`;
}

const NOTHING_ADVICE = 'put the URL of EWS into url, or that of the service into autodiscover.url; a DNS name autodiscover.<domain> would do, too';

/** What an administrator can do about one failure. */
export function adviceFor(error: BridgeError): string {
  const { code, details } = error;
  if (details['responseCode'] === UNKNOWN_MAILBOX) return 'it knows no such mailbox: write one that exists there into autodiscover.mailbox';
  if (code === 'BACKEND_AUTH' && details['reason'] === NOT_OFFERED) return `choose one of what it offers as auth (${String(details['offers'])}), or enable Basic on its Autodiscover virtual directory`;
  const hint = typeof details['hint'] === 'string' ? details['hint'] : undefined;
  if (code === 'BACKEND_AUTH' && hint !== undefined) return `${hint}; nothing more was tried, so that the account is not locked`;
  const agreement = code === 'BACKEND_TLS' ? handshakeAdvice(String(details['reason'])) : undefined;
  if (agreement !== undefined) return agreement;
  return (code === 'BACKEND_REDIRECT' ? hint : undefined) ?? ADVICE[code] ?? NOTHING_ADVICE;
}

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  CONFIGURATION: 'correct autodiscover.mailbox',
  BACKEND_AUTH: 'check username and password, and that the account may use the Autodiscover virtual directory; nothing more was tried, so that it is not locked',
  BACKEND_REDIRECT: 'put the right service into autodiscover.url, or list the host under hosts if it is one of yours',
  BACKEND_FAULT: 'look up the code in the log of the server, or put the URL of EWS into url',
  BACKEND_TLS: 'name the authority of its certificate in tls.ca, and see that the certificate has this host name; or put the right service into autodiscover.url',
  BACKEND_BUSY: 'try again later',
  BACKEND_MALFORMED: 'something else than Autodiscover answers there: put the right service into autodiscover.url',
  BACKEND_TOO_LARGE: 'something else than Autodiscover answers there: put the right service into autodiscover.url',
  BACKEND_UNREACHABLE: 'does the name exist, is the server running, does a firewall stand between?',
  DEADLINE: 'it accepts the question and stays silent: look at its load, or at a firewall in between',
};
