import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { childText } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';

/** The group that an EmailAddressType names, by its address or its legacyExchangeDN; undefined where there is none, or where it is somebody else. */
export function groupNamed(mailbox: XmlElement, book: Directory, requester: Requester): DirectoryEntry | undefined {
  const text = childText(mailbox, 'EmailAddress') ?? '';
  const address = parseMailboxAddress(text);
  const found = text.startsWith('/') ? book.byLegacyExchangeDn(text, requester) : address === undefined ? undefined : book.resolve(address, requester);
  return found?.kind === 'group' ? found : undefined;
}
