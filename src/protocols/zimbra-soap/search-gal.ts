import { BridgeError } from '../../core/errors.ts';
import { childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { flag } from './face/member.ts';
import { ZIMBRA_ACCOUNT_NS } from './names.ts';

/** SearchGalRequest (zimbra.md §6.1): a server with a GAL synchronisation account pages, one that searches LDAP ignores limit and offset. */
export function encodeSearchGalRequest(name: string, limit: number, offset: number): XmlNode {
  return el('SearchGalRequest', { xmlns: ZIMBRA_ACCOUNT_NS, type: 'all', limit: String(limit), offset: offset === 0 ? undefined : String(offset) }, el('name', undefined, name));
}

/** AutoCompleteGalRequest for everything: it looks at the beginnings of words and addresses only (zimbra.md §6.3, zimbraGalAutoCompleteLdapFilter). */
export function encodeAutoCompleteGalRequest(name: string): XmlNode {
  return el('AutoCompleteGalRequest', { xmlns: ZIMBRA_ACCOUNT_NS, type: 'all' }, el('name', undefined, name));
}

/** What a search found; the entries are still to be read. */
export interface SearchGalPage {
  readonly contacts: readonly XmlElement[];
  readonly more: boolean;
  /** Whether the next ones can be had by an offset. */
  readonly isPaged: boolean;
}

/** Reads the answer to either. @throws BridgeError BACKEND_MALFORMED where it is no such answer */
export function decodeSearchGalResponse(response: XmlElement | undefined): SearchGalPage {
  if (response?.name !== 'SearchGalResponse' && response?.name !== 'AutoCompleteGalResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with its address list');
  return { contacts: childrenNamed(response, 'cn'), more: flag(response, 'more'), isPaged: flag(response, 'paginationSupported') };
}
