import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml, XmlText } from '../../../platform/xml/write.ts';

/** MailboxTypeType of an entry. A room is a mailbox. */
export function mailboxTypeOf({ kind }: Pick<DirectoryEntry, 'kind'>): 'Mailbox' | 'PublicDL' | 'Contact' {
  if (kind === 'group') return 'PublicDL';
  return kind === 'contact' ? 'Contact' : 'Mailbox';
}

/** The children of an EmailAddressType, in its order: an entry as a recipient. */
export function encodeRecipient(entry: DirectoryEntry): XmlText {
  return xml`<t:Name>${entry.name}</t:Name><t:EmailAddress>${entry.address}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType><t:MailboxType>${mailboxTypeOf(entry)}</t:MailboxType>`;
}

/** `t:name` with a text; nothing where there is none. */
export function element(name: string, text: string | undefined): XmlText {
  return text === undefined ? NOTHING : xml`<t:${name}>${text}</t:${name}>`;
}

/** Elements in a row inside another; nothing where there are none of them. */
export function wrapped(name: string, ...content: readonly XmlText[]): XmlText {
  return content.every(({ text }) => text === '') ? NOTHING : xml`<t:${name}>${content}</t:${name}>`;
}

export const NOTHING = new XmlText('');
