import type { DirectoryEntry } from '../../../directory/entry.ts';
import { RESULT } from '../names.ts';
import { dnKey, parseDn } from './distinguished-name.ts';
import type { Result } from './result-message.ts';
import type { SearchRequest } from './search-request.ts';
import { entryIdOf } from './shown-entry.ts';
import type { View } from './shown-entry.ts';

/** Where a search looks: at the base itself, at everybody below it, at one entry by its name. */
export interface SearchedPart {
  readonly base: boolean;
  readonly everybody: boolean;
  readonly entries: readonly DirectoryEntry[];
}

/** Whether a search is about the server itself, which anybody may ask (RFC 4512 §5.1). */
export function isAboutServer({ baseObject, scope }: SearchRequest): boolean {
  return scope === 'base' && parseDn(baseObject)?.length === 0;
}

/**
 * What a base object and scope mean here. The tree is one deep: the base, and everybody below it. The empty name with another scope than `base` is the root above, as Zimbra's search base
 * ROOT has it.
 *
 * @returns what is searched, or the result where there is no such object
 */
export function searchedPart({ baseObject, scope }: SearchRequest, view: View): SearchedPart | Result {
  const name = parseDn(baseObject);
  if (name === undefined) return { code: RESULT.invalidDnSyntax, message: 'the search base is no distinguished name' };
  if (name.length === 0) return { base: true, everybody: scope === 'sub', entries: [] };
  if (dnKey(name) === dnKey(view.baseName)) return { base: scope !== 'one', everybody: scope !== 'base', entries: [] };
  const id = entryIdOf(name, view.baseName);
  const entry = id === undefined ? undefined : view.directory.byId(id, view.requester);
  if (entry !== undefined) return { base: false, everybody: false, entries: scope === 'one' ? [] : [entry] };
  const isBelow = name.length > view.baseName.length && dnKey(name.slice(name.length - view.baseName.length)) === dnKey(view.baseName);
  return { code: RESULT.noSuchObject, ...(isBelow ? { matchedDn: view.base } : {}), message: `the address book is below ${view.base}` };
}
