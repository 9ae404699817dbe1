import type { Directory, DirectoryPage } from '../../../directory/directory.ts';
import { visibleDirectory } from '../../../directory/visible-directory.ts';
import { attribute } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { encodeDirectoryContact } from './directory-contact.ts';
import type { ContactShape } from './directory-contact.ts';
import { encodeRecipient, NOTHING } from './directory-mailbox.ts';
import { schemaFault } from './faults.ts';
import { findSought } from './find-sought.ts';
import type { EwsBody, EwsCall, EwsOperationFace } from './operation.ts';
import { given, REFUSAL, refused, required, responseOf } from './response-messages.ts';
import { encodeServedAddress, servedAddress } from './served-address.ts';
import { decodeSoughtName } from './sought-name.ts';

/**
 * ResolveNames (exchange.md §3.3). For a client that may see the address book: whom it has, at most LIMITS.resolvedNames; several are a Warning with all of them. For everybody
 * else an exact address that the client may ask about resolves to itself, and nothing else is anybody.
 *
 * @throws EwsFault ErrorSchemaValidation without an UnresolvedEntry, or with an attribute that the schema does not have
 */
export const resolveNames: EwsOperationFace = async (request, call) => {
  const entry = required(request, 'UnresolvedEntry').text.trim();
  if (entry === '') throw schemaFault("The 'UnresolvedEntry' element is invalid.");
  checkAttribute(request, 'SearchScope', /^(?:ActiveDirectory|ActiveDirectoryContacts|Contacts|ContactsActiveDirectory)$/);
  checkAttribute(request, 'ReturnFullContactData', /^(?:true|false|0|1)$/);
  checkAttribute(request, 'ContactDataShape', /^(?:IdOnly|Default|AllProperties|PcxPeopleSearch)$/);
  // Only the user's own contacts: there are none.
  if (attribute(request, 'SearchScope') === 'Contacts') return nobody();
  const isFull = /^(?:true|1)$/.test(attribute(request, 'ReturnFullContactData') ?? '');
  const book = visibleDirectory(call.services.directory, call.requester);
  return book === undefined ? withoutBook(entry, isFull, call) : fromBook(book, entry, isFull ? shapeOf(request) : undefined, call);
};

function nobody(): EwsBody {
  return responseOf('ResolveNames', [refused('ResolveNames', REFUSAL.noResults)]);
}

function withoutBook(entry: string, isFull: boolean, call: EwsCall): EwsBody {
  const address = servedAddress(entry, call);
  return address === undefined ? nobody() : responseOf('ResolveNames', [given('ResolveNames', encodeServedAddress(address, isFull))]);
}

function fromBook(book: Directory, entry: string, shape: ContactShape | undefined, call: EwsCall): EwsBody {
  const sought = decodeSoughtName(entry);
  const found = sought === undefined ? undefined : findSought(book, sought, call.requester);
  return found === undefined || found.entries.length === 0 ? nobody() : encodeFound(found, shape);
}

function encodeFound({ entries, more }: DirectoryPage, shape: ContactShape | undefined): XmlText {
  const resolutions = entries.map((one) => xml`<t:Resolution><t:Mailbox>${encodeRecipient(one)}</t:Mailbox>${shape === undefined ? NOTHING : encodeDirectoryContact(one, shape)}</t:Resolution>`);
  // With one left of several (the others fell to a condition that the directory does not have) there may be more behind it.
  const head = entries.length === 1 && !more ? ONE : SEVERAL;
  return xml`<m:ResolveNamesResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}"><m:ResponseMessages><m:ResolveNamesResponseMessage ResponseClass="${head.responseClass}">${head.start}<m:ResolutionSet TotalItemsInView="${entries.length}" IncludesLastItemInRange="${String(!more)}">${resolutions}</m:ResolutionSet></m:ResolveNamesResponseMessage></m:ResponseMessages></m:ResolveNamesResponse>`;
}

const ONE = { responseClass: 'Success', start: xml`<m:ResponseCode>NoError</m:ResponseCode>` };
/** In the words that were captured (captures/ews-server/resolve3.xml), which are Exchange's. */
const SEVERAL = {
  responseClass: 'Warning',
  start: xml`<m:MessageText>Multiple results were found.</m:MessageText><m:ResponseCode>ErrorNameResolutionMultipleResults</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>`,
};

function shapeOf(request: XmlElement): ContactShape {
  const shape = attribute(request, 'ContactDataShape');
  return shape === 'IdOnly' || shape === 'AllProperties' ? shape : 'Default';
}

function checkAttribute(request: XmlElement, name: string, values: RegExp): void {
  const value = attribute(request, name);
  if (value !== undefined && !values.test(value)) throw schemaFault(`The '${name}' attribute is invalid.`);
}
