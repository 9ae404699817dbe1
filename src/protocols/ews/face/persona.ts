import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { element, encodeRecipient, NOTHING, wrapped } from './directory-mailbox.ts';
import { encodePersonaId } from './persona-id.ts';
import type { PersonaShape } from './persona-shape.ts';

/** What can be said of an entry as a persona, in the order of the schema (PersonaType of Types.xsd). */
const PROPERTIES: readonly (readonly [name: string, encode: (entry: DirectoryEntry) => XmlText])[] = [
  ['PersonaType', (one) => element('PersonaType', personaTypeOf(one))],
  ['CreationTime', ({ createdAt }) => element('CreationTime', new Date(createdAt).toISOString().replace(/\.\d+/, ''))],
  ['DisplayName', ({ name }) => element('DisplayName', name)],
  ['DisplayNameFirstLast', ({ name }) => element('DisplayNameFirstLast', name)],
  ['FileAs', ({ name }) => element('FileAs', name)],
  ['GivenName', ({ givenName }) => element('GivenName', givenName)],
  ['Surname', ({ surname }) => element('Surname', surname)],
  ['Nickname', ({ nickname }) => element('Nickname', nickname)],
  ['Title', ({ title }) => element('Title', title)],
  ['Department', ({ department }) => element('Department', department)],
  ['CompanyName', ({ company }) => element('CompanyName', company)],
  ['EmailAddress', (one) => wrapped('EmailAddress', encodeRecipient(one))],
  ['EmailAddresses', (one) => wrapped('EmailAddresses', wrapped('Address', encodeRecipient(one)), ...one.aliases.map((alias) => wrapped('Address', encodeRecipient({ ...one, address: alias }))))],
  ['PhoneNumber', ({ phone, mobile }) => (phone !== undefined ? wrapped('PhoneNumber', number(phone, 'Business')) : mobile !== undefined ? wrapped('PhoneNumber', number(mobile, 'Mobile')) : NOTHING)],
  ['WorkCity', ({ city }) => element('WorkCity', city)],
  ['Attributions', (one) => xml`<t:Attributions><t:Attribution><t:Id>${DIRECTORY}</t:Id><t:SourceId Id="${encodePersonaId(one.id)}"/><t:DisplayName>GAL</t:DisplayName><t:IsWritable>false</t:IsWritable></t:Attribution></t:Attributions>`],
  ['DisplayNames', ({ name }) => strings('DisplayNames', name)],
  ['GivenNames', ({ givenName }) => strings('GivenNames', givenName)],
  ['Surnames', ({ surname }) => strings('Surnames', surname)],
  ['Initials', ({ initials }) => strings('Initials', initials)],
  ['BusinessPhoneNumbers', ({ phone }) => phones('BusinessPhoneNumbers', phone, 'Business')],
  ['MobilePhones', ({ mobile }) => phones('MobilePhones', mobile, 'Mobile')],
  ['WorkFaxes', ({ fax }) => phones('WorkFaxes', fax, 'WorkFax')],
  ['OfficeLocations', ({ office }) => strings('OfficeLocations', office)],
  ['BusinessAddresses', (one) => businessAddresses(one)],
  ['Titles', ({ title }) => strings('Titles', title)],
  ['Departments', ({ department }) => strings('Departments', department)],
  ['CompanyNames', ({ company }) => strings('CompanyNames', company)],
];

/** `prefix:Persona` in one shape: `t` in a list, `m` where it is the only one. */
export function encodePersona(entry: DirectoryEntry, shape: PersonaShape, prefix: 't' | 'm' = 't'): XmlText {
  const wanted = PROPERTIES.filter(([name]) => shape === 'all' || shape.has(name)).map(([, encode]) => encode(entry));
  return xml`<${prefix}:Persona><t:PersonaId Id="${encodePersonaId(entry.id)}"/>${wanted}</${prefix}:Persona>`;
}

/** Several, while others get their turn. */
export async function encodePersonas(entries: readonly DirectoryEntry[], shape: PersonaShape): Promise<readonly XmlText[]> {
  const pace = new Pace(LIMITS.personasPerTurn);
  const personas: XmlText[] = [];
  for (const entry of entries) {
    personas.push(encodePersona(entry, shape));
    if (pace.spend(1 + entry.aliases.length / 10)) await pace.turn();
  }
  return personas;
}

/** [MS-OXWSPERS] knows persons, distribution lists and rooms; equipment is booked as a room is. */
function personaTypeOf({ kind }: DirectoryEntry): string {
  if (kind === 'group') return 'DistributionList';
  return kind === 'room' || kind === 'equipment' ? 'Room' : 'Person';
}

/** The Id of the one attribution: all that is known comes from the directory. */
const DIRECTORY = '0';
const BY_DIRECTORY = xml`<t:Attributions><t:Attribution>${DIRECTORY}</t:Attribution></t:Attributions>`;

function strings(name: string, value: string | undefined): XmlText {
  return value === undefined ? NOTHING : xml`<t:${name}><t:StringAttributedValue><t:Value>${value}</t:Value>${BY_DIRECTORY}</t:StringAttributedValue></t:${name}>`;
}

function number(value: string, type: string): XmlText {
  return xml`<t:Number>${value}</t:Number><t:Type>${type}</t:Type>`;
}

function phones(name: string, value: string | undefined, type: string): XmlText {
  return value === undefined ? NOTHING : xml`<t:${name}><t:PhoneNumberAttributedValue><t:Value>${number(value, type)}</t:Value>${BY_DIRECTORY}</t:PhoneNumberAttributedValue></t:${name}>`;
}

function businessAddresses({ street, city, state, country, postalCode }: DirectoryEntry): XmlText {
  const parts = [element('Street', street), element('City', city), element('State', state), element('Country', country), element('PostalCode', postalCode)];
  if (parts.every(({ text }) => text === '')) return NOTHING;
  return xml`<t:BusinessAddresses><t:PostalAddressAttributedValue><t:Value>${parts}<t:Type>Business</t:Type></t:Value>${BY_DIRECTORY}</t:PostalAddressAttributedValue></t:BusinessAddresses>`;
}
