import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { element, NOTHING, wrapped } from './directory-mailbox.ts';

/** How much of a contact is wanted: DefaultShapeNamesType, as far as it makes a difference here. */
export type ContactShape = 'IdOnly' | 'Default' | 'AllProperties';

/**
 * `t:Contact` of a resolution, in the order of the schema (ContactItemType). An entry of the directory has no ItemId, so that IdOnly leaves it empty. The schema has room for three
 * addresses: the primary one, marked `SMTP:`, and two aliases.
 */
export function encodeDirectoryContact(entry: DirectoryEntry, shape: ContactShape): XmlText {
  if (shape === 'IdOnly') return xml`<t:Contact/>`;
  const addresses = [`SMTP:${entry.address}`, ...entry.aliases.map((alias) => `smtp:${alias}`)].slice(0, 3);
  const isAll = shape === 'AllProperties';
  return xml`<t:Contact>${[
    element('DisplayName', entry.name),
    element('GivenName', entry.givenName),
    element('Initials', entry.initials),
    element('CompanyName', entry.company),
    wrapped('EmailAddresses', ...addresses.map((address, index) => xml`<t:Entry Key="EmailAddress${index + 1}">${address}</t:Entry>`)),
    wrapped('PhysicalAddresses', businessAddress(entry)),
    wrapped('PhoneNumbers', phone('BusinessFax', entry.fax), phone('BusinessPhone', entry.phone), phone('MobilePhone', entry.mobile)),
    element('ContactSource', 'ActiveDirectory'),
    element('Department', entry.department),
    element('JobTitle', entry.title),
    element('OfficeLocation', entry.office),
    element('Surname', entry.surname),
    isAll ? element('PhoneticFullName', entry.phoneticName) : NOTHING,
    isAll ? element('Alias', entry.nickname) : NOTHING,
  ]}</t:Contact>`;
}

function businessAddress({ street, city, state, country, postalCode }: DirectoryEntry): XmlText {
  const parts = [element('Street', street), element('City', city), element('State', state), element('CountryOrRegion', country), element('PostalCode', postalCode)];
  return parts.every(({ text }) => text === '') ? NOTHING : xml`<t:Entry Key="Business">${parts}</t:Entry>`;
}

function phone(key: string, number: string | undefined): XmlText {
  return number === undefined ? NOTHING : xml`<t:Entry Key="${key}">${number}</t:Entry>`;
}
