import { SECOND_MS } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { BerReader } from '../ber-read.ts';
import { PAGED_RESULTS, RESULT } from '../names.ts';
import type { ResultCode } from '../names.ts';
import { selectAttributes } from './attribute-selection.ts';
import { candidatesOf } from './candidates.ts';
import { ENTRY_ATTRIBUTES, entryAttributeFinder } from './entry-attributes.ts';
import { compileFilter } from './evaluate-filter.ts';
import type { Filter } from './filter.ts';
import { findEntries } from './find-entries.ts';
import type { FoundEntries, Hit, HowFound } from './find-entries.ts';
import { SEARCH_CONTROLS, unknownCriticalControl, viewOf } from './operation.ts';
import type { Answer, OperationContext } from './operation.ts';
import { decodePagedControl, encodePagedControl } from './paged-results.ts';
import type { RequestControl } from './request-message.ts';
import { baseEntry, rootDse } from './root-dse.ts';
import { encodeSearchEntry } from './search-entry.ts';
import { isAboutServer, searchedPart } from './search-base.ts';
import type { SearchedPart } from './search-base.ts';
import { decodeSearchRequest } from './search-request.ts';
import type { SearchRequest } from './search-request.ts';
import { searchedLength } from './searched-length.ts';
import { entryDn } from './shown-entry.ts';
import type { View } from './shown-entry.ts';
import type { StaticEntry } from './static-entry.ts';

/** What a search ends with that nobody waits for; it is not sent. */
const ABANDONED = undefined;

const CODE_OF: Readonly<Record<Exclude<HowFound, 'abandoned'>, ResultCode>> = { all: RESULT.success, cut: RESULT.sizeLimitExceeded, late: RESULT.timeLimitExceeded };

/**
 * Answers a search (RFC 4511 §4.5): sends the entries, gives the result.
 *
 * @throws BridgeError what the request has wrong, and what Directory throws
 */
export async function search(content: BerReader, controls: readonly RequestControl[], context: OperationContext): Promise<Answer | typeof ABANDONED> {
  const request = decodeSearchRequest(content);
  if (unknownCriticalControl(controls, SEARCH_CONTROLS) !== undefined) return { code: RESULT.unavailableCriticalExtension, message: 'a critical control that is not known here' };
  if (isAboutServer(request)) {
    const isSent = await sendStatic(rootDse(context.base, context.offersStartTls), request, context);
    return { code: RESULT.success, count: isSent ? 1 : 0 };
  }
  const view = viewOf(context);
  const part = searchedPart(request, view);
  if ('code' in part) return part;
  const paged = controls.find(({ type }) => type === PAGED_RESULTS);
  const page = paged === undefined ? undefined : decodePagedControl(paged.value);
  if (page !== undefined && page.cookie !== '') {
    const rest = context.pagedSearches.take(request, page.cookie);
    // A page of nothing is how a client says that it wants no more (RFC 2696 §3).
    if (page.size === 0) return { code: RESULT.success, controls: [encodePagedControl('', 0)], count: 0 };
    return sendPage(rest, rest.offset, page.size, request, view, context);
  }
  const count = part.base && (await sendStatic(baseEntry(view.base, view.baseName, view), request, context)) ? 1 : 0;
  const found = await find(part, count, request, view, context);
  return sendPage(found, 0, page === undefined ? undefined : Math.max(0, page.size - count), request, view, context, count);
}

async function find(part: SearchedPart, alreadySent: number, request: SearchRequest, view: View, { clock, signal }: OperationContext): Promise<FoundEntries> {
  const attributes = entryAttributeFinder(view);
  const { results, minimumLength } = view.directory.allowance(view.requester);
  const most = Math.min(results, request.sizeLimit === 0 ? Infinity : request.sizeLimit) - alreadySent;
  // Who may take everything need not know whom to look for. One character is asked for where nothing else is said, and a filter without any text selects by other things.
  if (part.everybody && results !== Infinity && Math.max(1, searchedLength(request.filter, attributes)) < minimumLength) return { hits: [], how: 'all' };
  const candidates = part.everybody ? candidatesOf(request.filter, attributes, view) : { entries: part.entries, texts: [], isWhole: true };
  const until = clock.now() + Math.min(LIMITS.ldapSearchMs, request.timeLimit === 0 ? Infinity : request.timeLimit * SECOND_MS);
  return findEntries({ view, candidates, test: compileFilter(request.filter, attributes), items: itemsOf(request.filter), most, until, clock, signal });
}

/** Sends what was found from an offset on: all of it, or a page. @param size of the page; undefined where none was asked for */
async function sendPage(found: FoundEntries, offset: number, size: number | undefined, request: SearchRequest, view: View, context: OperationContext, alreadySent = 0): Promise<Answer | typeof ABANDONED> {
  const attributes = entryAttributeFinder(view);
  const selection = selectAttributes(request.attributes, ENTRY_ATTRIBUTES, attributes);
  const test = compileFilter(request.filter, attributes);
  const pace = new Pace(LIMITS.ldapOctetsPerTurn);
  let sent = 0;
  let at = offset;
  for (; at < found.hits.length && sent < (size ?? Infinity); at++) {
    if (context.signal.aborted) return ABANDONED;
    const hit = found.hits[at]!;
    const entry = typeof hit === 'string' ? view.directory.byId(hit, view.requester) : hit;
    // Gone meanwhile, hidden, or no more what the filter wants.
    if (entry === undefined || (typeof hit === 'string' && test({ entry, view }) !== true)) continue;
    const message = encodeSearchEntry(context.id, entryDn(entry.id, view.base), { entry, view }, selection, request.typesOnly);
    await context.send(message);
    sent += 1;
    if (pace.spend(message.length)) await pace.turn();
  }
  if (found.how === 'abandoned' || context.signal.aborted) return ABANDONED;
  const count = alreadySent + sent;
  if (size !== undefined && at < found.hits.length) {
    // Who may take everything is shown each as it is when its page comes.
    const hits = offset === 0 && view.directory.allowance(view.requester).results === Infinity ? found.hits.map(idOf) : found.hits;
    const cookie = context.pagedSearches.keep(request, { hits, offset: at, how: found.how });
    return { code: RESULT.success, controls: [encodePagedControl(cookie, found.hits.length)], count };
  }
  const code = CODE_OF[found.how];
  return { code, count, ...(size === undefined ? {} : { controls: [encodePagedControl('', 0)] }), ...(code === RESULT.success ? {} : { message: WORDS[found.how] }) };
}

const WORDS: Readonly<Record<HowFound, string>> = { all: '', cut: 'there are more entries than may be sent', late: 'the search took too long', abandoned: '' };

const idOf = (hit: Hit): string => (typeof hit === 'string' ? hit : hit.id);

/** Sends an entry that is nobody's, where the filter is true of it. */
async function sendStatic({ dn, attributes, find: findAttribute }: StaticEntry, { filter, attributes: asked, typesOnly }: SearchRequest, context: OperationContext): Promise<boolean> {
  if (compileFilter<unknown>(filter, findAttribute)(undefined) !== true) return false;
  await context.send(encodeSearchEntry<unknown>(context.id, dn, undefined, selectAttributes<unknown>(asked, attributes, findAttribute), typesOnly));
  return true;
}

/** What a test of the filter costs: its items. */
function itemsOf(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.filters.reduce((sum, one) => sum + itemsOf(one), 1);
    case 'not':
      return 1 + itemsOf(filter.filter);
    case 'substrings':
      return 1 + filter.any.length;
    case 'present':
    case 'equal':
    case 'approx':
    case 'atLeast':
    case 'atMost':
    case 'extensible':
      return 1;
  }
}
