import { attribute } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el } from '../../../platform/xml/write.ts';
import { schemaFault } from './faults.ts';
import type { EwsOperationFace } from './operation.ts';
import { ownMailbox } from './own-mailbox.ts';
import { given, listOf, REFUSAL, refused, responseOf } from './response-messages.ts';
import { isAtLeast } from './schema-version.ts';
import { formatId, ID_FORMATS, parseId } from './store-id.ts';
import type { IdFormat } from './store-id.ts';

/**
 * ConvertId (2007 SP1 and later): ids that we gave out, from any format to any. The answer names the mailbox of whoever is signed in, whatever the
 * question says: DavMail asks for `blah@blah.com` and learns its user's address so.
 */
export const convertId: EwsOperationFace = async (request, call) => {
  if (!isAtLeast(call.version, 'Exchange2007_SP1')) throw schemaFault('ConvertId came with Exchange 2007 SP1.');
  const destination = formatOf(request, 'DestinationFormat');
  const messages = listOf(request, 'SourceIds').map((source) => {
    const format = formatOf(source, 'Format');
    const id = source.name === 'AlternateId' ? parseId(attribute(source, 'Id') ?? '', format) : undefined;
    if (id === undefined) return refused('ConvertId', REFUSAL.idMalformed);
    const attributes = { 'xsi:type': 't:AlternateIdType', Format: destination, Id: formatId(id, destination), Mailbox: ownMailbox(call.requester) };
    return given('ConvertId', el('m:AlternateId', attributes));
  });
  return responseOf('ConvertId', messages, { 'xmlns:xsi': XSI_NS });
};

/** For `xsi:type`: the schema's element is abstract. */
const XSI_NS = 'http://www.w3.org/2001/XMLSchema-instance';

function formatOf(element: XmlElement, name: string): IdFormat {
  const format = ID_FORMATS.find((one) => one === attribute(element, name));
  if (format === undefined) throw schemaFault(`The '${name}' attribute is invalid.`);
  return format;
}
