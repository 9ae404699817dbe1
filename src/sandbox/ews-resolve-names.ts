import { attribute, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { el } from '../platform/xml/write.ts';
import type { XmlNode } from '../platform/xml/write.ts';
import { isAmbiguouslyNamed, namesOf } from './address-list.ts';
import type { ListedRow } from './address-list.ts';
import { EwsFault } from './ews-envelope.ts';
import type { EwsAnswer } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';

/** Exchange shows no more (exchange.md §3.3). */
const MOST = 100;

/** What the directory of a stand-in is. */
export interface EwsDirectory {
  readonly rows: readonly ListedRow[];
  /** The legacyExchangeDN of somebody whose mailbox is elsewhere, by address. */
  readonly contacts: (address: string) => string | undefined;
  /** Addresses by the DNs in lower case that `contacts` has told: it cannot be asked the other way round. */
  readonly known: Map<string, string>;
}

/** Answers ResolveNames: one found is Success, several are a Warning, nobody is an Error (captures/ews-server/resolve*.xml, exchange.md §3.3). */
export function answerResolveNames(operation: XmlElement, directory: EwsDirectory): EwsAnswer {
  const entry = childText(operation, 'UnresolvedEntry') ?? '';
  if (entry === '') throw new EwsFault('ErrorSchemaValidation', 'The request failed schema validation.');
  const isFull = attribute(operation, 'ReturnFullContactData') === 'true';
  const found = attribute(operation, 'SearchScope') === 'Contacts' ? [] : resolve(entry, directory);
  const set = el(
    'm:ResolutionSet',
    { TotalItemsInView: String(Math.min(found.length, MOST)), IncludesLastItemInRange: String(found.length <= MOST) },
    found.slice(0, MOST).map((row) => el('t:Resolution', {}, mailboxOf(row, 't:Mailbox', !isByDn(entry)), isFull && contactOf(row))),
  );
  const warning = [el('m:MessageText', {}, 'Multiple results were found.'), el('m:ResponseCode', {}, 'ErrorNameResolutionMultipleResults'), el('m:DescriptiveLinkKey', {}, 0)];
  const nobody = [el('m:MessageText', {}, 'No results were found.'), el('m:ResponseCode', {}, 'ErrorNameResolutionNoResults'), el('m:DescriptiveLinkKey', {}, 0)];
  const [responseClass, ...content] = found.length === 0 ? ['Error', ...nobody] : found.length === 1 ? ['Success', el('m:ResponseCode', {}, 'NoError'), set] : ['Warning', ...warning, set];
  return {
    body: el('m:ResolveNamesResponse', { 'xmlns:m': MESSAGES_NS, 'xmlns:t': TYPES_NS }, el('m:ResponseMessages', {}, el('m:ResolveNamesResponseMessage', { ResponseClass: responseClass }, content))),
    source: 'captures/ews-server/resolve3.xml, exchange.md §3.3',
  };
}

function isByDn(entry: string): boolean {
  return /^(?:EX:)?\//i.test(entry);
}

function resolve(entry: string, { rows, contacts, known }: EwsDirectory): readonly ListedRow[] {
  const bare = entry.replace(/^=?(?:smtp|EX):/i, '').toLowerCase();
  if (isByDn(entry)) return rows.filter(({ legacyExchangeDn }) => legacyExchangeDn?.toLowerCase() === bare).concat(known.has(bare) ? [strangerOf(known.get(bare)!)] : []);
  const isExact = bare !== entry.toLowerCase();
  const found = rows.filter((row) => (isExact ? [row.address, ...row.proxies].some((one) => one.toLowerCase() === bare) : isAmbiguouslyNamed(row, entry)));
  const dn = found.length === 0 ? contacts(bare) : undefined;
  if (dn === undefined) return found;
  known.set(dn.toLowerCase(), bare);
  return [strangerOf(bare)];
}

function strangerOf(address: string): ListedRow {
  return { address, displayName: address, alias: address.slice(0, address.indexOf('@')), proxies: [], mailboxType: 'Contact' };
}

/** An EmailAddressType; who has a legacyExchangeDN is shown by it, as servers do with some. */
export function mailboxOf(row: ListedRow, name: string, showsDn: boolean): XmlNode {
  const dn = showsDn ? row.legacyExchangeDn : undefined;
  return el(name, {}, el('t:Name', {}, row.displayName), el('t:EmailAddress', {}, dn ?? row.address), el('t:RoutingType', {}, dn === undefined ? 'SMTP' : 'EX'), el('t:MailboxType', {}, row.mailboxType));
}

/** In the order of Microsoft's schema (ContactItemType). */
function contactOf(row: ListedRow): XmlNode {
  const { first, last } = namesOf(row);
  const addresses = row.legacyExchangeDn === undefined ? [`SMTP:${row.address}`, ...row.proxies.map((one) => `smtp:${one}`)].slice(0, 3) : [];
  return el(
    't:Contact',
    {},
    el('t:DisplayName', {}, row.displayName),
    el('t:GivenName', {}, first),
    row.company !== undefined && el('t:CompanyName', {}, row.company),
    addresses.length > 0 && el('t:EmailAddresses', {}, addresses.map((address, index) => el('t:Entry', { Key: `EmailAddress${index + 1}` }, address))),
    row.phone !== undefined && el('t:PhoneNumbers', {}, el('t:Entry', { Key: 'BusinessPhone' }, row.phone)),
    el('t:ContactSource', {}, 'ActiveDirectory'),
    row.department !== undefined && el('t:Department', {}, row.department),
    row.title !== undefined && el('t:JobTitle', {}, row.title),
    row.office !== undefined && el('t:OfficeLocation', {}, row.office),
    last !== '' && el('t:Surname', {}, last),
  );
}
