import { BridgeError } from '../../core/errors.ts';
import type { ErrorDetails } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/** `responseCode` of a service that answers, and knows nothing of the mailbox; the error speaks of the server that is sought, never of somebody who is looked up. */
export const UNKNOWN_MAILBOX = 'unknown-mailbox';

/** The service answers, and does not say where EWS is. @param code the server's own, or one of ours */
export function refused(code: string, temporary = false): BridgeError {
  return new BridgeError('BACKEND_FAULT', 'Autodiscover does not say where the calendar system is', { temporary, details: { responseCode: words(code) } });
}

/** What was answered is not what was asked for. */
export function unreadable(reason: string, details: ErrorDetails = {}, cause?: unknown): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the answer of Autodiscover cannot be read', { details: { reason, ...details }, cause });
}

/** A server's own words, as short as a log wants them and of harmless letters. */
export function words(text: string): string {
  return text.replace(/[^\w.: -]/g, '').trim().slice(0, LIMITS.autodiscoverWordsCharacters) || 'none';
}
