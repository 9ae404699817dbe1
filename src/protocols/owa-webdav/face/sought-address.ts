import type { Requester } from '../../../core/request-context.ts';
import type { ServedAddresses } from '../../../directory/served-addresses.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { percentDecode, rawParameters } from '../../../platform/http-server/raw-query.ts';
import { xml, xmlDocument } from '../../../platform/xml/write.ts';
import { WM } from '../names.ts';

/** What a lookup in the address list compares (exchange.md §2.5): alias, display name, e-mail address. Every other criterion is about what only a directory knows. */
const ADDRESS_CRITERIA: ReadonlySet<string> = new Set(['an', 'dn', 'em', 'addr']);
const OTHER_CRITERIA: ReadonlySet<string> = new Set(['fn', 'ln', 'tl', 'cp', 'of', 'dp']);

/**
 * The one address that `cmd=galfind` or `cmd=gallookup` names, as it was sent; undefined where none is named whole, or it is none the client may ask
 * about. No address is ever completed: what begins with a text is the directory's to say.
 */
export function addressSought(rawQuery: string, addresses: ServedAddresses, requester: Requester): string | undefined {
  const criteria = rawParameters(rawQuery).filter(({ name, value }) => value !== '' && (ADDRESS_CRITERIA.has(name) || OTHER_CRITERIA.has(name)));
  if (criteria.some(({ name }) => OTHER_CRITERIA.has(name))) return undefined;
  const [text, ...others] = criteria.map(({ value }) => percentDecode(value).trim().replace(/^smtp:/i, ''));
  const address = text === undefined ? undefined : parseMailboxAddress(text);
  // A wildcard asks for several, whoever may have one in his name.
  if (text === undefined || address === undefined || /[*%?]/.test(text) || others.some((other) => parseMailboxAddress(other) !== address)) return undefined;
  return addresses.serves(address, requester) ? text : undefined;
}

/** galfind's answer without an address book. The address is alias (`AN`, by which DavMail keeps what it finds) and name, too: no other is known. Clients look for `item` at any depth. */
export function encodeAddressFound(address: string | undefined): string {
  const items = address === undefined ? [] : [xml`<a:item><a:DN>${address}</a:DN><a:AN>${address}</a:AN><a:EM>${address}</a:EM></a:item>`];
  return xmlDocument(xml`<a:response xmlns:a="${WM}"><a:galfind>${items}</a:galfind></a:response>`);
}

/** gallookup's answer without an address book: nothing is known of anybody but that there is such an address. */
export function encodeAddressLookup(address: string | undefined): string {
  const persons = address === undefined ? [] : [xml`<a:person><a:alias>${address}</a:alias></a:person>`];
  return xmlDocument(xml`<a:response xmlns:a="${WM}"><a:gallookup>${persons}</a:gallookup></a:response>`);
}
