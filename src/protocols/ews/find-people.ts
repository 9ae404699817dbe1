import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { child, childrenNamed, childText, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { decodeRecipient, detailsOf, textOf } from './directory-person.ts';
import type { DirectoryPerson } from './directory-person.ts';
import { messageElement } from './names.ts';
import { decodeResponseMessageError } from './response-message.ts';

/** A page of FindPeople. */
export interface PeoplePage {
  readonly people: readonly DirectoryPerson[];
  /** In the whole view, as far as the server says. */
  readonly total: number;
}

/** Fields that Default lacks; all are names of the schema's `persona:` list. */
const FIELDS = ['PersonaType', 'GivenName', 'Surname', 'Title', 'CompanyName', 'EmailAddress', 'EmailAddresses', 'Initials', 'BusinessPhoneNumbers', 'MobilePhones', 'WorkFaxes', 'OfficeLocations', 'BusinessAddresses', 'Departments'];

/** Asks for a page of everybody in the directory (2013 and later; exchange.md §3.3, [MS-OXWSPERS]). */
export function encodeFindPeople(offset: number): XmlNode {
  return messageElement(
    'FindPeople',
    {},
    el('m:PersonaShape', undefined, el('t:BaseShape', undefined, 'Default'), el('t:AdditionalProperties', undefined, FIELDS.map((field) => el('t:FieldURI', { FieldURI: `persona:${field}` })))),
    el('m:IndexedPageItemView', { BasePoint: 'Beginning', Offset: String(offset), MaxEntriesReturned: String(LIMITS.findPeoplePage) }),
    el('m:ParentFolderId', undefined, el('t:DistinguishedFolderId', { Id: 'directory' })),
  );
}

/** @throws BridgeError as the ResponseCode says; BACKEND_MALFORMED where there is no such answer, or no total */
export function decodeFindPeople(body: XmlElement): PeoplePage {
  const response = child(body, 'FindPeopleResponse');
  if (response === undefined) throw new BridgeError('BACKEND_MALFORMED', 'the answer holds no FindPeopleResponse');
  const error = decodeResponseMessageError(response);
  if (error !== undefined) throw error;
  const total = childText(response, 'TotalNumberOfPeopleInView') ?? '';
  if (!/^\d{1,9}$/.test(total)) throw new BridgeError('BACKEND_MALFORMED', 'the answer does not say how many people there are');
  return { people: childrenNamed(child(response, 'People'), 'Persona').map(decodePersona), total: Number(total) };
}

function decodePersona(persona: XmlElement): DirectoryPerson {
  const main = decodeRecipient(child(persona, 'EmailAddress'));
  const others = childrenNamed(child(persona, 'EmailAddresses'), 'Address').map(decodeRecipient);
  const addresses = others.flatMap(({ address }) => address ?? []);
  const isList = textOf(persona, 'PersonaType') === 'DistributionList';
  return {
    name: textOf(persona, 'DisplayName') ?? main.name,
    address: main.address ?? addresses[0],
    legacyExchangeDn: main.legacyExchangeDn ?? others.find((one) => one.legacyExchangeDn !== undefined)?.legacyExchangeDn,
    mailboxType: isList ? 'PublicDL' : main.mailboxType,
    aliases: addresses,
    isRoom: textOf(persona, 'PersonaType') === 'Room',
    details: personaDetails(persona),
  };
}

function personaDetails(persona: XmlElement): DirectoryPerson['details'] {
  const value = (list: string, name: string): XmlElement | undefined => descend(persona, list, name, 'Value');
  const string = (list: string): string | undefined => value(list, 'StringAttributedValue')?.text.trim() || undefined;
  const phone = (list: string): string | undefined => textOf(value(list, 'PhoneNumberAttributedValue'), 'Number');
  const business = value('BusinessAddresses', 'PostalAddressAttributedValue');
  return detailsOf({
    givenName: textOf(persona, 'GivenName'),
    surname: textOf(persona, 'Surname'),
    initials: string('Initials'),
    title: textOf(persona, 'Title'),
    department: textOf(persona, 'Department') ?? string('Departments'),
    company: textOf(persona, 'CompanyName'),
    office: string('OfficeLocations'),
    phone: phone('BusinessPhoneNumbers'),
    mobile: phone('MobilePhones'),
    fax: phone('WorkFaxes'),
    street: textOf(business, 'Street'),
    city: textOf(business, 'City'),
    state: textOf(business, 'State'),
    country: textOf(business, 'Country'),
    postalCode: textOf(business, 'PostalCode'),
  });
}
