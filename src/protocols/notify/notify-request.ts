import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/**
 * Reads `{"mailboxes": ["kim@zimbra.example"]}` in UTF-8: 1 to LIMITS.notifyMailboxes addresses, each of which must be one. Other keys
 * are left alone. Gives every mailbox once, with the place of its first mention, in that order.
 *
 * @throws BridgeError INVALID_REQUEST or TOO_MANY_MAILBOXES for the whole request; it names the place and never quotes what stands there
 */
export function decodeNotifyRequest(body: Buffer): ReadonlyMap<MailboxAddress, number> {
  const mailboxes = mailboxesOf(parsed(body));
  if (mailboxes.length === 0) throw new BridgeError('INVALID_REQUEST', 'mailboxes is empty; name at least one');
  if (mailboxes.length > LIMITS.notifyMailboxes) {
    throw new BridgeError('TOO_MANY_MAILBOXES', `mailboxes has ${mailboxes.length} entries; at most ${LIMITS.notifyMailboxes} go into one request`);
  }
  const places = new Map<MailboxAddress, number>();
  for (const [index, value] of mailboxes.entries()) {
    const mailbox = addressAt(value, index);
    if (!places.has(mailbox)) places.set(mailbox, index);
  }
  return places;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    // The parser's own words quote the body.
    throw new BridgeError('INVALID_REQUEST', 'the body should be JSON in UTF-8: {"mailboxes": ["kim@zimbra.example"]}', { cause: error });
  }
}

function mailboxesOf(json: unknown): readonly unknown[] {
  const right = 'the body should be an object with a list of addresses: {"mailboxes": ["kim@zimbra.example"]}';
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new BridgeError('INVALID_REQUEST', right);
  const { mailboxes } = json as { readonly mailboxes?: unknown };
  if (!Array.isArray(mailboxes)) throw new BridgeError('INVALID_REQUEST', right);
  return mailboxes;
}

function addressAt(value: unknown, index: number): MailboxAddress {
  const mailbox = typeof value === 'string' ? parseMailboxAddress(value) : undefined;
  if (mailbox === undefined) throw new BridgeError('INVALID_REQUEST', `mailboxes[${index}] is no mail address`);
  return mailbox;
}
