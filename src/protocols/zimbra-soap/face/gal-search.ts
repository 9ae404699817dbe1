import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { DirectoryPage } from '../../../directory/directory.ts';
import type { DirectoryEntry, EntryKind } from '../../../directory/entry.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { firstOf } from './first-of.ts';
import { galFor, requestedNumber } from './gal-request.ts';
import { member } from './member.ts';
import type { Asking } from './operation.ts';
import type { EntryFilter } from './search-filter.ts';

/** How a page is sorted; `none`: best first, as the address book ranks them. */
export type GalSort = 'nameAsc' | 'nameDesc' | 'none';

/** A search as SearchGal and SearchCalendarResources have it. */
export interface GalSearch {
  /** Empty: everybody. */
  readonly text: string;
  /** Absent: all. */
  readonly kinds?: readonly EntryKind[] | undefined;
  readonly filter?: EntryFilter | undefined;
  readonly limit: number;
  readonly offset: number;
  readonly sortBy: GalSort;
}

/** Which part of the found ones is asked for; `limit` 0 or none is Zimbra's own 100, and never more than 1,000. @throws BridgeError INVALID_REQUEST */
export function requestedPage(request: XmlElement): Pick<GalSearch, 'limit' | 'offset' | 'sortBy'> {
  const sortBy = member(request, 'sortBy');
  return {
    limit: Math.min(requestedNumber(request, 'limit') || LIMITS.zimbraGalResults, LIMITS.zimbraGalMostResults),
    offset: requestedNumber(request, 'offset') ?? 0,
    sortBy: sortBy === 'nameDesc' || sortBy === 'none' ? sortBy : 'nameAsc',
  };
}

/**
 * One page of a search. By words the address book ranks, and the page is then sorted; with a filter beside the words it is looked for among the first 1,000. Everybody
 * is listed by name: to a client with `gal: search` no more than one answer of its own allowance, wherever it begins, because pages of everybody are the whole address book.
 *
 * @throws BridgeError ACCESS_DENIED, TOO_MANY_ATTEMPTS
 */
export async function searchEntries(search: GalSearch, asking: Asking): Promise<DirectoryPage> {
  return search.text === '' ? listEverybody(search, asking) : searchByWords(search, asking);
}

function searchByWords({ text, kinds, filter, limit, offset, sortBy }: GalSearch, { directory, ctx: { requester } }: Asking): DirectoryPage {
  const gal = galFor(directory, requester);
  const query = { text, ...(kinds === undefined ? {} : { kinds }) };
  if (filter === undefined) {
    const { entries, more } = gal.search({ ...query, limit, offset }, requester);
    // Behind the end of its allowance the address book says that there are more, which nobody will ever get: who follows `more` must come to an end.
    return { entries: byName(entries, sortBy), more: more && entries.length > 0 };
  }
  const { entries, more } = gal.search({ ...query, limit: LIMITS.zimbraGalMostResults }, requester);
  const fitting = entries.filter(filter);
  const shown = fitting.slice(offset, offset + limit);
  // What was not looked at may fit as well; whoever is behind the last of those that do has been told.
  return { entries: byName(shown, sortBy), more: fitting.length > offset + limit || (more && (shown.length > 0 || offset === 0)) };
}

async function listEverybody({ kinds, filter, limit, offset, sortBy }: GalSearch, { directory, ctx: { requester }, inTurn }: Asking): Promise<DirectoryPage> {
  const gal = galFor(directory, requester);
  const { results, minimumLength } = gal.allowance(requester);
  // One letter may not be enough for this client: then none at all is not. Rooms are few, and no secret to whoever may search for them.
  if (minimumLength > 1 && kinds?.includes('room') !== true) return { entries: [], more: offset === 0 };
  const end = Math.min(offset + limit, results);
  const keyOf = (entry: DirectoryEntry): string | undefined => ((kinds === undefined || kinds.includes(entry.kind)) && (filter === undefined || filter(entry)) ? nameKey(entry) : undefined);
  const { first, total } = await inTurn(() => firstOf(gal.all(requester), sortBy === 'nameDesc' ? Number.POSITIVE_INFINITY : end, keyOf, new Pace(LIMITS.zimbraGalEntriesPerTurn)));
  const entries = sortBy === 'nameDesc' ? first.slice(Math.max(0, total - end), Math.max(0, total - offset)).reverse() : first.slice(offset);
  // Where nothing is left of the allowance there is no next page to ask for.
  return { entries, more: total > end && entries.length > 0 };
}

/** NUL sorts before everything that a name may hold. */
function nameKey({ name, id }: DirectoryEntry): string {
  return `${name.toLowerCase()}\0${id}`;
}

function byName(entries: readonly DirectoryEntry[], sortBy: GalSort): readonly DirectoryEntry[] {
  if (sortBy === 'none') return entries;
  const sorted = entries.map((entry) => ({ entry, key: nameKey(entry) })).sort((one, other) => (one.key < other.key ? -1 : 1));
  return (sortBy === 'nameAsc' ? sorted : sorted.reverse()).map(({ entry }) => entry);
}
