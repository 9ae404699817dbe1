import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import type { RequestManner } from '../connection.ts';
import { TYPES_NS } from '../names.ts';
import type { RequestServerVersion } from '../names.ts';

/** `t:ExchangeImpersonation`: the request is made as the mailbox's owner (exchange.md §3.6). PrimarySmtpAddress, which 2007 knows too. */
export function encodeImpersonation(mailbox: MailboxAddress): XmlNode {
  return el('t:ExchangeImpersonation', { 'xmlns:t': TYPES_NS }, el('t:ConnectingSID', undefined, el('t:PrimarySmtpAddress', undefined, mailbox)));
}

/** As the owner of the mailbox, and led to the server that has it (2013 and later). */
export function asOwnerOf(mailbox: MailboxAddress, version?: RequestServerVersion): RequestManner {
  return { blocks: [encodeImpersonation(mailbox)], headers: { 'x-anchormailbox': mailbox }, ...(version === undefined ? {} : { version }) };
}
