import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import type { EwsCall } from './operation.ts';

/**
 * The exact address that an UnresolvedEntry names, where the client may ask about it: what is known without an address book. With or without `smtp:`, after an
 * `=` too. Whether there is such a mailbox it does not say.
 */
export function servedAddress(entry: string, { services, requester }: EwsCall): MailboxAddress | undefined {
  const address = parseMailboxAddress(entry.replace(/^=/, ''));
  return address !== undefined && services.addresses.serves(address, requester) ? address : undefined;
}

/** The `m:ResolutionSet` of an address that resolves to itself. @param isFull whether with `t:Contact` */
export function encodeServedAddress(address: MailboxAddress, isFull: boolean): XmlNode {
  const mailbox = el('t:Mailbox', undefined, el('t:Name', undefined, address), el('t:EmailAddress', undefined, address), el('t:RoutingType', undefined, 'SMTP'), el('t:MailboxType', undefined, 'Mailbox'));
  const contact = el(
    't:Contact',
    undefined,
    el('t:DisplayName', undefined, address),
    el('t:EmailAddresses', undefined, el('t:Entry', { Key: 'EmailAddress1' }, `SMTP:${address}`)),
    el('t:ContactSource', undefined, 'ActiveDirectory'),
  );
  return el('m:ResolutionSet', { TotalItemsInView: '1', IncludesLastItemInRange: 'true' }, el('t:Resolution', undefined, mailbox, isFull && contact));
}
