import { BridgeError } from '../../core/errors.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { ACCOUNT_ATTRIBUTES, decodeAccount } from './account.ts';
import type { ZimbraAccount } from './account.ts';
import { ZIMBRA_ADMIN_NS } from './names.ts';

export interface DirectorySearch {
  /** Only accounts of this domain; absent: of the whole directory. */
  readonly domain?: string;
  /** LDAP filter, values already escaped; absent: everybody. */
  readonly filter?: string;
  readonly limit: number;
  readonly offset: number;
  /** Names of what is asked for of each; absent: what replication needs. */
  readonly attributes?: readonly string[];
}

/** SearchDirectoryRequest (urn:zimbraAdmin) for accounts and calendar resources, sorted by name. `maxResults` 0: the server's own 5,000 would be a fault. */
export function encodeSearchDirectoryRequest({ domain, filter, limit, offset, attributes = ACCOUNT_ATTRIBUTES }: DirectorySearch): XmlNode {
  return el(
    'SearchDirectoryRequest',
    {
      xmlns: ZIMBRA_ADMIN_NS,
      domain,
      types: 'accounts,resources',
      sortBy: 'name',
      sortAscending: '1',
      maxResults: '0',
      limit: String(limit),
      offset: String(offset),
      attrs: attributes.join(','),
    },
    el('query', undefined, filter),
  );
}

export interface DirectoryPage<T = ZimbraAccount> {
  readonly accounts: readonly T[];
  /** Entries on the page, with those whose name can name no mailbox: what the next offset counts. */
  readonly entries: number;
  readonly more: boolean;
  /** Of the whole search, where the server says so. */
  readonly total: number | undefined;
}

/** Reads a page of accounts as replication needs them. @throws BridgeError BACKEND_MALFORMED where it is no such answer, and as `decodeAccount` */
export function decodeSearchDirectoryResponse(response: XmlElement | undefined, search: DirectorySearch): DirectoryPage {
  return decodeDirectoryPage(response, search, decodeAccount);
}

/**
 * Reads a page. Where neither `more` nor `searchTotal` is there, a full page has another behind it.
 *
 * @param decode undefined for what is left out
 * @throws BridgeError BACKEND_MALFORMED where it is no such answer, and as `decode`
 */
export function decodeDirectoryPage<T>(response: XmlElement | undefined, { limit, offset }: DirectorySearch, decode: (account: XmlElement) => T | undefined): DirectoryPage<T> {
  if (response?.name !== 'SearchDirectoryResponse') throw new BridgeError('BACKEND_MALFORMED', 'the calendar system did not answer with accounts');
  const found = response.children.filter((one) => one.name === 'account' || one.name === 'calresource');
  const said = attribute(response, 'searchTotal') ?? '';
  const total = /^\d{1,9}$/.test(said) ? Number(said) : undefined;
  const more = attribute(response, 'more');
  return {
    accounts: found.flatMap((one) => decode(one) ?? []),
    entries: found.length,
    more: more === undefined ? (total === undefined ? found.length >= limit : offset + found.length < total) : more === '1' || more === 'true',
    total,
  };
}

/** A filter that any of the values fulfils (RFC 4515). */
export function filterForAny(attributes: readonly string[], values: readonly string[]): string {
  const parts = values.flatMap((value) => attributes.map((name) => `(${name}=${escapeFilterValue(value)})`));
  return parts.length === 1 ? parts[0]! : `(|${parts.join('')})`;
}

/** RFC 4515 §3: backslash, star, parentheses and NUL as their hexadecimal octets. */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\\*()\0]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
