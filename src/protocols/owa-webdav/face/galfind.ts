import type { DirectoryEntry } from '../../../directory/entry.ts';
import { xml, xmlDocument, XmlText } from '../../../platform/xml/write.ts';
import { WM } from '../names.ts';

/** An entry and the AN under which it is shown (see GalAliases). */
export interface ShownEntry {
  readonly entry: DirectoryEntry;
  readonly alias: string;
}

/** galfind's answer about those of an address book (exchange.md §2.5). With `more` an `error` says that there are others. Clients look for `item` at any depth. */
export function encodeGalfindResponse(found: readonly ShownEntry[], more: boolean): string {
  const items = found.map(
    ({ entry, alias }) =>
      xml`<a:item>${[element('DN', entry.name), element('AN', alias), element('EM', entry.address), element('TL', entry.title), element('CP', entry.company), element('OFFICE', entry.office), element('PH', entry.phone)]}</a:item>`,
  );
  const error = more ? xml`<a:error>There are more than ${found.length}; search for more of a name.</a:error>` : NOTHING;
  return xmlDocument(xml`<a:response xmlns:a="${WM}"><a:galfind>${items}${error}</a:galfind></a:response>`);
}

/** gallookup's answer: everything that is known of one. DavMail finds it by its alias, which is that of galfind. */
export function encodeGallookupResponse(found: ShownEntry | undefined): string {
  const persons = found === undefined ? [] : [xml`<a:person>${personOf(found)}</a:person>`];
  return xmlDocument(xml`<a:response xmlns:a="${WM}"><a:gallookup>${persons}</a:gallookup></a:response>`);
}

function personOf({ entry, alias }: ShownEntry): readonly XmlText[] {
  return [
    element('alias', alias),
    element('first', entry.givenName),
    element('initials', entry.initials),
    element('last', entry.surname),
    element('street', entry.street),
    element('city', entry.city),
    element('state', entry.state),
    element('zip', entry.postalCode),
    element('country', entry.country),
    element('title', entry.title),
    element('company', entry.company),
    element('department', entry.department),
    element('office', entry.office),
    element('phone', entry.phone),
    element('mobile', entry.mobile),
    element('fax', entry.fax),
  ];
}

function element(name: string, text: string | undefined): XmlText {
  return text === undefined ? NOTHING : xml`<a:${name}>${text}</a:${name}>`;
}

const NOTHING = new XmlText('');
