import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { attribute, child, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeRecipient, detailsOf, textOf } from './directory-person.ts';
import type { DirectoryPerson } from './directory-person.ts';
import { responseMessages } from './folder-id.ts';
import { messageElement } from './names.ts';
import { decodeResponseMessageError } from './response-message.ts';

/** Whom ResolveNames found. */
export interface Resolutions {
  readonly people: readonly DirectoryPerson[];
  /** There are others: the server says so, or gave as many as it ever gives. */
  readonly isCut: boolean;
}

/** Asks the directory whose name, alias or address begins with a text, with all that is known of them (exchange.md §3.3). The account may be without a mailbox: only the directory is searched. */
export function encodeFullResolveNames(entry: string): XmlNode {
  return messageElement('ResolveNames', { ReturnFullContactData: 'true', SearchScope: 'ActiveDirectory' }, el('m:UnresolvedEntry', undefined, entry));
}

/** Several are a Warning with all of them, nobody is an Error; neither is a failure. @throws BridgeError as the ResponseCode says, BACKEND_MALFORMED without a response message or a set */
export function decodeResolutions(body: XmlElement): Resolutions {
  const messages = responseMessages(body, 'ResolveNames');
  if (messages.length !== 1) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no response message');
  const error = decodeResponseMessageError(messages[0]);
  const code = error?.details['responseCode'];
  if (code === 'ErrorNameResolutionNoResults') return { people: [], isCut: false };
  if (error !== undefined && code !== 'ErrorNameResolutionMultipleResults') throw error;
  const set = child(messages[0], 'ResolutionSet');
  if (set === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer says that somebody was found, and not whom');
  const people = childrenNamed(set, 'Resolution').map(decodeResolution);
  return { people, isCut: attribute(set, 'IncludesLastItemInRange') === 'false' || people.length >= LIMITS.resolvedNames };
}

function decodeResolution(resolution: XmlElement): DirectoryPerson {
  const { name, address, legacyExchangeDn, mailboxType } = decodeRecipient(child(resolution, 'Mailbox'));
  const contact = child(resolution, 'Contact');
  const { primary, aliases } = addressesOf(contact);
  return { name: name ?? textOf(contact, 'DisplayName'), address: address ?? primary ?? (legacyExchangeDn === undefined ? undefined : aliases[0]), legacyExchangeDn, mailboxType, aliases: primary === undefined ? aliases : [primary, ...aliases], isRoom: false, details: contactDetails(contact) };
}

/** `SMTP:` in capitals marks the primary one; other kinds of addresses (`X400:`, `EX:`) are passed over. */
function addressesOf(contact: XmlElement | undefined): { readonly primary: MailboxAddress | undefined; readonly aliases: readonly MailboxAddress[] } {
  const texts = childrenNamed(child(contact, 'EmailAddresses'), 'Entry').map(({ text }) => text.trim());
  const smtp = (some: readonly string[]): readonly MailboxAddress[] => some.flatMap((text) => parseMailboxAddress(text) ?? []);
  return { primary: smtp(texts.filter((text) => text.startsWith('SMTP:')))[0], aliases: smtp(texts.filter((text) => !text.startsWith('SMTP:'))) };
}

function contactDetails(contact: XmlElement | undefined): DirectoryPerson['details'] {
  const entry = (list: string, key: string): XmlElement | undefined => childrenNamed(child(contact, list), 'Entry').find((one) => attribute(one, 'Key') === key);
  const phone = (key: string): string | undefined => entry('PhoneNumbers', key)?.text.trim() || undefined;
  const business = entry('PhysicalAddresses', 'Business');
  return detailsOf({
    givenName: textOf(contact, 'GivenName'),
    surname: textOf(contact, 'Surname'),
    initials: textOf(contact, 'Initials'),
    nickname: textOf(contact, 'Alias'),
    phoneticName: textOf(contact, 'PhoneticFullName'),
    title: textOf(contact, 'JobTitle'),
    department: textOf(contact, 'Department'),
    company: textOf(contact, 'CompanyName'),
    office: textOf(contact, 'OfficeLocation'),
    phone: phone('BusinessPhone'),
    mobile: phone('MobilePhone'),
    fax: phone('BusinessFax'),
    street: textOf(business, 'Street'),
    city: textOf(business, 'City'),
    state: textOf(business, 'State'),
    country: textOf(business, 'CountryOrRegion'),
    postalCode: textOf(business, 'PostalCode'),
  });
}
