import { attribute, childText, childrenNamed, child } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { schemaFault } from './faults.ts';

/** Which properties of a persona are wanted, by the names of their elements; `all`: everything that is known. */
export type PersonaShape = ReadonlySet<string> | 'all';

/** What Exchange 2013's answers hold without an AdditionalProperties, as far as a directory has it ([MS-OXWSPERS], documentation of FindPeople). */
const DEFAULT = ['PersonaId', 'PersonaType', 'DisplayName', 'GivenName', 'Surname', 'Title', 'Department', 'CompanyName', 'EmailAddress', 'EmailAddresses', 'PhoneNumber', 'OfficeLocations', 'BusinessPhoneNumbers'];

const BASE_SHAPES: Readonly<Record<string, PersonaShape>> = { IdOnly: new Set(['PersonaId']), Default: new Set(DEFAULT), PcxPeopleSearch: new Set(DEFAULT), AllProperties: 'all' };

/** Reads `m:PersonaShape`; without one it is Default. @throws EwsFault ErrorSchemaValidation */
export function decodePersonaShape(request: XmlElement): PersonaShape {
  const shape = child(request, 'PersonaShape');
  const name = shape === undefined ? 'Default' : (childText(shape, 'BaseShape') ?? '');
  const base = Object.hasOwn(BASE_SHAPES, name) ? BASE_SHAPES[name]! : undefined;
  if (base === undefined) throw schemaFault("The 'BaseShape' element is invalid.");
  return withAdditional(base, child(shape, 'AdditionalProperties'));
}

/** A shape and the `persona:` fields of an AdditionalProperties; others are nothing that we have. */
function withAdditional(base: PersonaShape, additional: XmlElement | undefined): PersonaShape {
  if (base === 'all') return base;
  const fields = childrenNamed(additional, 'FieldURI').map((field) => /^persona:(\w{1,40})$/.exec(attribute(field, 'FieldURI') ?? '')?.[1]);
  return new Set([...base, ...fields.filter((one) => one !== undefined)]);
}
