import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { readJsonObject } from './presence-requests.ts';

const EXAMPLE = '{"mailboxes": ["kim@zimbra.example"]}';

/** The body of an administrator's change. @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
export async function readAdminBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  return readJsonObject(request, EXAMPLE, LIMITS.controlBodyBytes);
}

/** `{"mailboxes": ["kim@zimbra.example"]}` or `{"mailboxes": "all"}`. @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
export async function readMailboxes(request: IncomingMessage): Promise<readonly MailboxAddress[] | 'all'> {
  return mailboxesOf(await readAdminBody(request));
}

/** @throws BridgeError INVALID_REQUEST */
export function mailboxesOf({ mailboxes }: Readonly<Record<string, unknown>>): readonly MailboxAddress[] | 'all' {
  if (mailboxes === 'all') return mailboxes;
  if (!Array.isArray(mailboxes) || mailboxes.length === 0) throw new BridgeError('INVALID_REQUEST', `the body should be ${EXAMPLE}, or {"mailboxes": "all"}`);
  return (mailboxes as readonly unknown[]).map((one, index) => {
    const mailbox = typeof one === 'string' ? parseMailboxAddress(one) : undefined;
    if (mailbox === undefined) throw new BridgeError('INVALID_REQUEST', `mailboxes[${index}] is no mail address`);
    return mailbox;
  });
}
