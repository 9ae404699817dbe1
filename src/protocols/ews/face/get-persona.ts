import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { attribute, child, childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { xml } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { requireAddressBook } from './address-book.ts';
import { EwsFault, schemaFault } from './faults.ts';
import type { EwsOperationFace } from './operation.ts';
import { encodePersona } from './persona.ts';
import { decodePersonaId } from './persona-id.ts';
import { REFUSAL } from './response-messages.ts';

/**
 * GetPersona (2013 and later): everything that is known of one, by a PersonaId of ours or an address.
 *
 * @throws EwsFault ErrorInvalidRequest without an address book; ErrorItemNotFound, ErrorInvalidIdMalformed: the schema has no answer without a persona; ErrorSchemaValidation
 */
export const getPersona: EwsOperationFace = async (request, call) => {
  const book = requireAddressBook('GetPersona', 'Exchange2013', call);
  const entry = soughtEntry(request, book, call.requester);
  if (entry === undefined) throw new EwsFault(REFUSAL.itemNotFound.code, REFUSAL.itemNotFound.text);
  return xml`<m:GetPersonaResponseMessage xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}" ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>${encodePersona(entry, 'all', 'm')}</m:GetPersonaResponseMessage>`;
};

function soughtEntry(request: XmlElement, book: Directory, requester: Requester): DirectoryEntry | undefined {
  const personaId = child(request, 'PersonaId');
  if (personaId !== undefined) {
    const id = decodePersonaId(attribute(personaId, 'Id') ?? '');
    if (id === undefined) throw new EwsFault(REFUSAL.idMalformed.code, REFUSAL.idMalformed.text);
    return book.byId(id, requester);
  }
  const text = childText(child(request, 'EmailAddress'), 'EmailAddress');
  if (text === undefined) throw schemaFault("The element 'PersonaId' is missing.");
  const address = parseMailboxAddress(text);
  return address === undefined ? undefined : book.resolve(address, requester);
}
