import { BridgeError } from '../../core/errors.ts';
import type { ErrorCode, ErrorDetails } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { attribute, child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { connectionError } from '../../platform/http-client/connection-error.ts';
import { STANZA_ERROR_NS, STREAM_ERROR_NS } from './names.ts';

/** Classifies what TCP or DNS threw. */
export function connectionFailure(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  const { details } = connectionError(thrown);
  const reason = String(details['reason']);
  if (reason === 'ABORT_ERR') return new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: thrown });
  const text = reason === 'ETIMEDOUT' ? 'the XMPP server does not answer' : 'the XMPP server cannot be reached';
  return new BridgeError('BACKEND_UNREACHABLE', text, { temporary: true, cause: thrown, details });
}

/** Classifies what ended a component's stream (RFC 6120 §4.9.3, XEP-0114 §3). */
export function streamFailure(error: XmlElement): BridgeError {
  const { condition, details } = said(error, STREAM_ERROR_NS);
  const refused = (text: string, advice: string): BridgeError => new BridgeError('BACKEND_AUTH', text, { details: { ...details, advice } });
  switch (condition) {
    case 'not-authorized':
      return refused('the XMPP server refuses the secret', 'secret must be the component_secret of the server');
    case 'host-unknown':
      return refused('the XMPP server does not know this component', 'give the server a Component section for it');
    case 'invalid-namespace':
    case 'bad-namespace-prefix':
      return notForComponents(condition);
    case 'conflict':
      return new BridgeError('BACKEND_BUSY', 'the component is connected already', { temporary: true, details: { ...details, advice: 'only one bridge may be this component' } });
    default:
      return new BridgeError('BACKEND_UNREACHABLE', 'the XMPP server ended the connection', { temporary: true, details });
  }
}

export function notForComponents(reason: string): BridgeError {
  return new BridgeError('CONFIGURATION', 'that port of the XMPP server is not for components', { details: { reason, advice: 'server must name the port for components (XEP-0114, 5347)' } });
}

/** Conditions that say something about the user, not about the server (RFC 6120 §8.3.3). */
const ABOUT_THE_USER = new Set(['item-not-found', 'forbidden', 'jid-malformed', 'gone', 'registration-required', 'subscription-required', 'not-allowed', 'not-authorized', 'recipient-unavailable']);

/** Conditions that pass. */
const PASSING: Readonly<Record<string, ErrorCode>> = {
  'internal-server-error': 'BACKEND_FAULT',
  'service-unavailable': 'BACKEND_FAULT',
  'remote-server-not-found': 'BACKEND_FAULT',
  'remote-server-timeout': 'BACKEND_FAULT',
  'resource-constraint': 'BACKEND_BUSY',
  'policy-violation': 'BACKEND_BUSY',
};

/**
 * Classifies a stanza of type error. Prosody answers a privileged IQ for nobody it knows with `forbidden`, as it does one without privilege; because none is sent without, forbidden is
 * about the user.
 */
export function stanzaFailure(stanza: XmlElement): BridgeError {
  const error = child(stanza, 'error');
  const { condition, details } = said(error, STANZA_ERROR_NS);
  if (ABOUT_THE_USER.has(condition)) return new BridgeError('MAILBOX_UNKNOWN', 'the XMPP server has no such user', { details });
  const passing = PASSING[condition];
  if (passing !== undefined || attribute(error, 'type') === 'wait') return new BridgeError(passing ?? 'BACKEND_FAULT', 'the XMPP server failed', { temporary: true, details });
  return new BridgeError('BACKEND_FAULT', 'the XMPP server refused', { details });
}

/** Condition and words of an error; `details.reason` is the condition, `details.fault` the words without control characters. */
function said(error: XmlElement | undefined, ns: string): { readonly condition: string; readonly details: ErrorDetails } {
  const defined = error?.children.filter((one) => one.ns === ns) ?? [];
  const condition = defined.find((one) => one.name !== 'text')?.name.slice(0, LIMITS.presenceXmppWordsCharacters) ?? 'undefined-condition';
  const words = defined.find((one) => one.name === 'text')?.text ?? '';
  const fault = words.slice(0, 4 * LIMITS.presenceXmppWordsCharacters).replace(/[\p{C}\s]+/gu, ' ').trim().slice(0, LIMITS.presenceXmppWordsCharacters);
  return { condition, details: { reason: condition, ...(fault === '' ? {} : { fault }) } };
}
