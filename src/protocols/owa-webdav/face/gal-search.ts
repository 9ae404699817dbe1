import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory, DirectoryPage } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { fitsAll, wordsSought } from './galfind-criteria.ts';
import type { SoughtField } from './galfind-criteria.ts';

/**
 * Those whom all criteria fit, at most LIMITS.galfindResults and what an answer of this client may hold; nobody without a criterion. By words where the directory's search can begin, else
 * among everybody.
 *
 * @throws BridgeError as Directory.search and Directory.all
 */
export async function findByCriteria(book: Directory, sought: readonly SoughtField[], requester: Requester): Promise<DirectoryPage> {
  if (sought.length === 0 || sought.some(({ text }) => text.length > LIMITS.searchCharacters)) return { entries: [], more: false };
  const fits = fitsAll(sought);
  const words = wordsSought(sought);
  const { results, minimumLength } = book.allowance(requester);
  // Among everybody nothing else bounds it: a title of one letter would show everybody letter by letter.
  if (sought.every(({ text }) => [...text].length < minimumLength)) return { entries: [], more: false };
  const most = Math.min(LIMITS.galfindResults, results);
  return words === undefined ? among(book.all(requester), fits, most) : byWords(book, words, fits, most, requester);
}

function byWords(book: Directory, text: string, fits: (entry: DirectoryEntry) => boolean, most: number, requester: Requester): DirectoryPage {
  const address = parseMailboxAddress(text);
  const exact = address === undefined ? undefined : book.resolve(address, requester);
  if (exact !== undefined && fits(exact)) return { entries: [exact], more: false };
  const first = book.search({ text, limit: LIMITS.galfindResults }, requester);
  const found = first.entries.filter(fits);
  if (!first.more || found.length >= most) return { entries: found.slice(0, most), more: first.more || found.length > most };
  // The others at one go: the address book ranks all whom the words find for every page, whatever page it is.
  const others = book.search({ text, limit: LIMITS.galfindLookedThrough - LIMITS.galfindResults, offset: first.entries.length }, requester);
  found.push(...others.entries.filter(fits));
  return { entries: found.slice(0, most), more: others.more || found.length > most };
}

async function among(everybody: Iterable<DirectoryEntry>, fits: (entry: DirectoryEntry) => boolean, most: number): Promise<DirectoryPage> {
  const pace = new Pace(LIMITS.galEntriesPerTurn);
  const found: DirectoryEntry[] = [];
  for (const entry of everybody) {
    if (fits(entry)) found.push(entry);
    if (found.length > most) break;
    if (pace.spend(1)) await pace.turn();
  }
  return { entries: found.slice(0, most), more: found.length > most };
}
