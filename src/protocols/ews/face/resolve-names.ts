import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../../directory/smtp-address.ts';
import { attribute } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import type { XmlNode } from '../../../platform/xml/write.ts';
import { schemaFault } from './faults.ts';
import type { EwsOperationFace } from './operation.ts';
import { given, REFUSAL, refused, required, responseOf } from './response-messages.ts';

/**
 * ResolveNames (exchange.md §3.3), as long as there is no directory: an exact address that the client may ask about resolves to itself, with or without
 * `smtp:`, after an `=` too; a name, a part of an address, and anybody else's address are nobody. It says nothing of whether the mailbox exists.
 *
 * @throws EwsFault ErrorSchemaValidation without an UnresolvedEntry, or with an attribute that the schema does not have
 */
export const resolveNames: EwsOperationFace = async (request, call) => {
  const entry = required(request, 'UnresolvedEntry').text.trim();
  if (entry === '') throw schemaFault("The 'UnresolvedEntry' element is invalid.");
  checkAttribute(request, 'SearchScope', /^(?:ActiveDirectory|ActiveDirectoryContacts|Contacts|ContactsActiveDirectory)$/);
  checkAttribute(request, 'ReturnFullContactData', /^(?:true|false|0|1)$/);
  const { addresses } = call.services;
  // Only the user's own contacts: there are none.
  const address = attribute(request, 'SearchScope') === 'Contacts' ? undefined : parseMailboxAddress(entry.replace(EXACT, ''));
  if (address === undefined || !addresses.serves(address, call.requester)) return responseOf('ResolveNames', [refused('ResolveNames', REFUSAL.noResults)]);
  const isFull = /^(?:true|1)$/.test(attribute(request, 'ReturnFullContactData') ?? '');
  const found = el('m:ResolutionSet', { TotalItemsInView: '1', IncludesLastItemInRange: 'true' }, encodeResolution(address, isFull));
  return responseOf('ResolveNames', [given('ResolveNames', found)]);
};

function checkAttribute(request: XmlElement, name: string, values: RegExp): void {
  const value = attribute(request, name);
  if (value !== undefined && !values.test(value)) throw schemaFault(`The '${name}' attribute is invalid.`);
}

/** ANR's own sign for "exactly this"; DavMail writes `=smtp:anna@…`. */
const EXACT = /^=/;

function encodeResolution(address: MailboxAddress, isFull: boolean): XmlNode {
  return el(
    't:Resolution',
    undefined,
    el(
      't:Mailbox',
      undefined,
      el('t:Name', undefined, address),
      el('t:EmailAddress', undefined, address),
      el('t:RoutingType', undefined, 'SMTP'),
      el('t:MailboxType', undefined, 'Mailbox'),
    ),
    isFull &&
      el(
        't:Contact',
        undefined,
        el('t:DisplayName', undefined, address),
        el('t:EmailAddresses', undefined, el('t:Entry', { Key: 'EmailAddress1' }, `SMTP:${address}`)),
        el('t:ContactSource', undefined, 'ActiveDirectory'),
      ),
  );
}
