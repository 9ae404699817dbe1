import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { isAmbiguouslyNamed, namesOf } from './address-list.ts';
import type { ListedRow } from './address-list.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import { mailboxOf } from './ews-resolve-names.ts';

const MOST = 1_000;

/**
 * Answers FindPeople over the directory (exchange.md §3.3, Microsoft's schema, [MS-OXWSPERS]).
 *
 * @param isBrowsable whether it may be read without a QueryString; the documentation says that Exchange's may not
 */
export function answerFindPeople(operation: XmlElement, rows: readonly ListedRow[], isBrowsable: boolean): EwsAnswer {
  const view = child(operation, 'IndexedPageItemView');
  const offset = Number(attribute(view, 'Offset'));
  const most = Math.min(Number(attribute(view, 'MaxEntriesReturned') ?? MOST), MOST);
  const query = childText(operation, 'QueryString') ?? '';
  const folder = attribute(child(operation, 'ParentFolderId')?.children[0], 'Id');
  if (!(offset >= 0) || !(most > 0)) throw new EwsFault('ErrorInvalidIndexedPagingParameters', 'Indexed paging parameters are invalid.');
  if (folder !== 'directory' || (query === '' && !isBrowsable)) throw new EwsFault('ErrorInvalidRequest', 'The request is invalid.');
  const found = query === '' ? rows : rows.filter((row) => isAmbiguouslyNamed(row, query));
  return {
    body: el(
      'm:FindPeopleResponse',
      { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS, ResponseClass: 'Success' },
      el('m:ResponseCode', {}, 'NoError'),
      el('m:People', {}, found.slice(offset, offset + most).map(personaOf)),
      el('m:TotalNumberOfPeopleInView', {}, found.length),
      el('m:FirstMatchingRowIndex', {}, 0),
      el('m:FirstLoadedRowIndex', {}, offset),
    ),
    source: 'exchange.md §3.3, schemas/ews',
  };
}

/** In the order of the schema (PersonaType). */
function personaOf(row: ListedRow): XmlNode {
  const { first, last } = namesOf(row);
  return el(
    't:Persona',
    {},
    el('t:PersonaId', { Id: Buffer.from(`persona of ${row.address}`).toString('base64') }),
    el('t:PersonaType', {}, row.mailboxType === 'PublicDL' ? 'DistributionList' : row.isRoom === true ? 'Room' : 'Person'),
    el('t:DisplayName', {}, row.displayName),
    el('t:GivenName', {}, first),
    last !== '' && el('t:Surname', {}, last),
    row.title !== undefined && el('t:Title', {}, row.title),
    row.company !== undefined && el('t:CompanyName', {}, row.company),
    mailboxOf(row, 't:EmailAddress', true),
    row.proxies.length > 0 && el('t:EmailAddresses', {}, row.proxies.map((address) => mailboxOf({ ...row, address }, 't:Address', false))),
    row.phone !== undefined && attributed('BusinessPhoneNumbers', 'PhoneNumberAttributedValue', el('t:Value', {}, el('t:Number', {}, row.phone), el('t:Type', {}, 'Business'))),
    row.office !== undefined && attributed('OfficeLocations', 'StringAttributedValue', el('t:Value', {}, row.office)),
    row.department !== undefined && attributed('Departments', 'StringAttributedValue', el('t:Value', {}, row.department)),
  );
}

function attributed(list: string, name: string, value: XmlNode): XmlNode {
  return el(`t:${list}`, {}, el(`t:${name}`, {}, value, el('t:Attributions', {}, el('t:Attribution', {}, '0'))));
}
