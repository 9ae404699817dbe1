import { xml, xmlDocument } from '../../platform/xml/write.ts';
import { OUTLOOK_REQUEST_NS, OUTLOOK_RESPONSE_NS } from './names.ts';

/** Asks for a mailbox's settings ([MS-OXDSCLI] §2.2.3.1, exchange.md §4.2). */
export function encodePoxQuestion(mailbox: string): string {
  return xmlDocument(
    xml`<Autodiscover xmlns="${OUTLOOK_REQUEST_NS}"><Request><EMailAddress>${mailbox}</EMailAddress><AcceptableResponseSchema>${OUTLOOK_RESPONSE_NS}</AcceptableResponseSchema></Request></Autodiscover>`,
  );
}
