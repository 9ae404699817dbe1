import type { XmlElement } from '../../platform/xml/element.ts';
import { readXml, XmlError } from '../../platform/xml/read.ts';
import { decodeEnvelope } from '../../protocols/soap/envelope.ts';
import { cutDocuments } from './documents.ts';
import { messagesOfOperation } from './ews.ts';
import type { Found } from './found-message.ts';
import { messageOfPropertyUpdate, messagesOfMultistatus } from './webdav.ts';

/**
 * Every free/busy message of a text, in order: XML documents by themselves or in a log with the heads of HTTP around them. What cannot be
 * read is among them as a problem; a SOAP message about something else (FindFolder, a fault) is passed over.
 */
export async function findMessages(text: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const document of cutDocuments(text)) {
    try {
      found.push(...messagesIn(await readXml(document, { dropIllegalReferences: true })));
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      found.push({ kind: 'document', problem: `cannot be read: ${error.message}` });
    }
  }
  return found;
}

function messagesIn(root: XmlElement): readonly Found[] {
  if (root.name === 'multistatus') return messagesOfMultistatus(root);
  if (root.name === 'propertyupdate') return [messageOfPropertyUpdate(root)];
  if (root.name === 'Envelope') return decodeEnvelope(root).body.children.flatMap(messagesOfOperation);
  return messagesOfOperation(root);
}
