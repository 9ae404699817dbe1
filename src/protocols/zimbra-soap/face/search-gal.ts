import { BridgeError } from '../../../core/errors.ts';
import type { DirectoryPage } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import type { AnswerElement } from './answer.ts';
import { charactersOf, contactAttributes, contactElement, idOfDn } from './gal-entry.ts';
import { galFor, requestedKinds, searchedName, spendCharacters } from './gal-request.ts';
import { requestedPage, searchEntries } from './gal-search.ts';
import { flag, member } from './member.ts';
import type { Asking, FaceOperation } from './operation.ts';
import { decodeSearchFilter } from './search-filter.ts';

/** SearchGalRequest (zimbra.md §6.1; SearchGal.java): by `name` (or `query`, taken as words too), by `ref`, with a `searchFilter` beside either. */
export const searchGal: FaceOperation = {
  name: 'SearchGalRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const ref = member(request, 'ref');
    const text = ref === undefined ? searchText(request) : '';
    const search = { text, kinds: requestedKinds(request, 'type', 'all'), filter: decodeSearchFilter(request), ...requestedPage(request) };
    const groupFlags = requestedGroupFlags(request);
    return {
      users: [],
      run: async (asking) => {
        const { entries, more } = ref === undefined ? await searchEntries(search, asking) : byRef(ref, asking);
        const attributes = { more, sortBy: search.sortBy, offset: search.offset, paginationSupported: true, tokenizeKey: true };
        return { name: 'SearchGalResponse', ns: ZIMBRA_ACCOUNT_NS, attributes, parts: entries.map((entry) => foundContact(entry, groupFlags, asking)) };
      },
    };
  },
};

/** What a request wants to be told of groups. */
export interface GroupFlags {
  readonly exp?: boolean;
  readonly isOwner?: boolean;
  readonly isMember?: boolean;
}

/**
 * `needExp`: members of a group may be asked for, as of every group of Zimbra's that is not its own (GalSearchControl.java, canExpandGalGroup). Owners are nobody here, and whether
 * the user behind a client is a member is not known: neither is said to be so.
 */
export function requestedGroupFlags(request: XmlElement): GroupFlags {
  return {
    ...(flag(request, 'needExp') ? { exp: true } : {}),
    ...(flag(request, 'needIsOwner') ? { isOwner: false } : {}),
    ...((member(request, 'needIsMember') ?? 'none') === 'none' ? {} : { isMember: false }),
  };
}

/** An entry in the answer to a search. Members of groups are no part of it: Zimbra fetches them for SyncGal only (GalSearchControl.java). */
export function foundContact(entry: DirectoryEntry, groupFlags: GroupFlags, { allowance }: Asking): AnswerElement {
  const pairs = contactAttributes(entry);
  spendCharacters(allowance, charactersOf(pairs));
  return contactElement(entry, pairs, entry.kind === 'group' ? { ...groupFlags } : {});
}

function searchText(request: XmlElement): string {
  const name = member(request, 'name');
  const query = member(request, 'query');
  if (name !== undefined && query !== undefined) throw new BridgeError('INVALID_REQUEST', 'only one of the following attributes are allowed: query or name');
  if (name === undefined && (query === undefined || query === '')) throw new BridgeError('INVALID_REQUEST', 'missing one of the required attributes: ref, query or name');
  return searchedName(name ?? query!);
}

function byRef(ref: string, { directory, ctx: { requester } }: Asking): DirectoryPage {
  const gal = galFor(directory, requester);
  const id = idOfDn(ref);
  const found = id === undefined ? undefined : gal.byId(id, requester);
  return { entries: found === undefined ? [] : [found], more: false };
}
