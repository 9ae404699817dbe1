import { UNKNOWN_MAILBOX, refused, unreadable } from './refused.ts';
import type { Reply } from './reply.ts';

/** Asks the second version of Autodiscover (exchange.md §4.2): `?Email=…&Protocol=Ews`. */
export function jsonQuestion(url: URL, mailbox: string): URL {
  const asked = new URL(url);
  asked.search = `?Email=${encodeURIComponent(mailbox)}&Protocol=Ews`;
  return asked;
}

/**
 * `{ Protocol, Url }`, or `{ ErrorCode, ErrorMessage }` with 400 or 404.
 *
 * @throws BridgeError BACKEND_FAULT, BACKEND_MALFORMED
 */
export function decodeJsonReply(body: Buffer): Reply {
  const answer = parsed(body);
  if (typeof answer['ErrorCode'] === 'string') throw refused(answer['ErrorCode'] === 'UserNotFound' ? UNKNOWN_MAILBOX : answer['ErrorCode']);
  const [protocol, url] = [answer['Protocol'], answer['Url']];
  if (typeof protocol !== 'string' || protocol.toLowerCase() !== 'ews' || typeof url !== 'string' || url === '') throw unreadable('no Url for Ews');
  return { kind: 'found', ewsUrls: [url] };
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw unreadable('no JSON', {}, error);
  }
  throw unreadable('no JSON object');
}
