import type { Instant } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';

/** What a person reads where the catalogue has no words: available and unknown have none. English, like the states' names. */
const PLAIN_WORDS: Readonly<Record<PresenceState, string>> = {
  available: 'available',
  'in-a-meeting': 'in a meeting',
  away: 'away',
  unknown: 'unknown',
  'on-the-phone': 'on the phone',
  'do-not-disturb': 'do not disturb',
  offline: 'offline',
};

/**
 * One change as JSON. `text` is a line for people, because chat products show it and refuse a call without one; programs read the other keys. None of them is called
 * `type`, `channel`, `username`, `props` or another word that a chat product takes for an order.
 *
 * @param shown undefined: shown no more; `state` and what belongs to it are null then
 */
export function encodeEvent(mailbox: MailboxAddress, shown: ShownPresence | undefined, at: Instant): string {
  return JSON.stringify({
    event: 'presence',
    address: mailbox,
    state: shown?.state ?? null,
    until: shown?.until == null ? null : isoTime(shown.until),
    since: shown === undefined ? null : isoTime(shown.since),
    reason: shown?.reason ?? null,
    statusText: shown?.text ?? null,
    language: shown?.language ?? null,
    text: `${mailbox}: ${shown === undefined ? 'shown no more' : shown.text === '' ? PLAIN_WORDS[shown.state] : shown.text}`,
    at: isoTime(at),
  });
}

/** What makes two calls the same event: everything but when it was sent. */
export function eventKey(mailbox: MailboxAddress, shown: ShownPresence | undefined): string {
  return encodeEvent(mailbox, shown, 0);
}

function isoTime(instant: Instant): string {
  return new Date(instant).toISOString();
}
