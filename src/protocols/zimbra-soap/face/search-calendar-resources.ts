import type { DirectoryEntry } from '../../../directory/entry.ts';
import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import type { AnswerElement } from './answer.ts';
import { charactersOf, contactAttributes, entryDn } from './gal-entry.ts';
import { maySearch, searchedName, spendCharacters } from './gal-request.ts';
import { requestedPage, searchEntries } from './gal-search.ts';
import { member } from './member.ts';
import type { Asking, FaceOperation } from './operation.ts';
import { decodeSearchFilter } from './search-filter.ts';

/**
 * SearchCalendarResourcesRequest (zimbra.md §6.1; SearchCalendarResources.java): rooms and equipment by `name` and `searchFilter`, with the attributes that `attrs` lists, all where it
 * is missing. Zimbra's web client asks it before it offers to schedule: to whom the address book is closed there are no rooms, which is no fault.
 */
export const searchCalendarResources: FaceOperation = {
  name: 'SearchCalendarResourcesRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const search = { text: searchedName(member(request, 'name') ?? ''), kinds: ['room', 'equipment'] as const, filter: decodeSearchFilter(request), ...requestedPage(request) };
    const attrs = member(request, 'attrs');
    const asked = attrs === undefined ? undefined : new Set(attrs.split(',').map((name) => name.trim()));
    const said = { sortBy: search.sortBy, offset: search.offset };
    return {
      users: [],
      run: async (asking) => {
        const answer = { name: 'SearchCalendarResourcesResponse', ns: ZIMBRA_ACCOUNT_NS };
        if (!maySearch(asking.directory, asking.ctx.requester)) return { ...answer, attributes: { more: false, ...said } };
        const { entries, more } = await searchEntries(search, asking);
        return { ...answer, attributes: { more, ...said, paginationSupported: true }, parts: entries.map((entry) => resource(entry, asked, asking)) };
      },
    };
  },
};

/** ToXML.java, encodeCalendarResource: the address is the name, and a resource is no `cn`. */
function resource(entry: DirectoryEntry, asked: ReadonlySet<string> | undefined, { allowance }: Asking): AnswerElement {
  const pairs = contactAttributes(entry).filter(([name]) => asked === undefined || asked.has(name));
  spendCharacters(allowance, charactersOf(pairs));
  return { name: 'calresource', attributes: { name: entry.address, id: entryDn(entry.id) }, pairs };
}
