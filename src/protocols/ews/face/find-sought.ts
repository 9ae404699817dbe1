import { LIMITS } from '../../../core/limits.ts';
import type { Requester } from '../../../core/request-context.ts';
import type { Directory, DirectoryPage } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { fold } from '../../../directory/fold.ts';
import type { SoughtName } from './sought-name.ts';

const NOBODY: DirectoryPage = { entries: [], more: false };

/** Whom the address book has for it, best first, at most LIMITS.resolvedNames. @throws BridgeError as Directory.search */
export function findSought(book: Directory, sought: SoughtName, requester: Requester): DirectoryPage {
  switch (sought.kind) {
    case 'legacy-dn':
      return only(book.byLegacyExchangeDn(sought.dn, requester));
    case 'address': {
      const found = only(book.resolve(sought.address, requester));
      return found.entries.length > 0 || sought.isExact ? found : beginningWith(book, sought.address, requester);
    }
    case 'address-prefix':
      return beginningWith(book, sought.text, requester);
    case 'words':
      return sought.isExact ? exactly(book, sought.text, requester) : search(book, sought.text, requester);
  }
}

function only(entry: DirectoryEntry | undefined): DirectoryPage {
  return entry === undefined ? NOBODY : { entries: [entry], more: false };
}

function search(book: Directory, text: string, requester: Requester): DirectoryPage {
  return book.search({ text, limit: LIMITS.resolvedNames }, requester);
}

function beginningWith(book: Directory, text: string, requester: Requester): DirectoryPage {
  return searchFor(book, text, ({ address, aliases }) => address.startsWith(text) || aliases.some((one) => one.startsWith(text)), requester);
}

function exactly(book: Directory, text: string, requester: Requester): DirectoryPage {
  const wanted = fold(text.trim());
  return searchFor(book, text, ({ name, nickname }) => fold(name.trim()) === wanted || fold((nickname ?? '').trim()) === wanted, requester);
}

/** Those of a search who fulfil a condition that the directory does not know; some of them may rank behind many others. */
function searchFor(book: Directory, text: string, fits: (entry: DirectoryEntry) => boolean, requester: Requester): DirectoryPage {
  const found: DirectoryEntry[] = [];
  let offset = 0;
  let more = true;
  for (let pages = 0; more && pages < LIMITS.galPagesLookedThrough && found.length < LIMITS.resolvedNames; pages += 1) {
    const page = book.search({ text, limit: LIMITS.resolvedNames, offset }, requester);
    found.push(...page.entries.filter(fits));
    offset += page.entries.length;
    more = page.more && page.entries.length > 0;
  }
  return { entries: found.slice(0, LIMITS.resolvedNames), more: more || found.length > LIMITS.resolvedNames };
}
