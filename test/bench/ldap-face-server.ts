import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { Requester } from '../../src/core/request-context.ts';
import type { Directory } from '../../src/directory/directory.ts';
import type { DirectoryEntry } from '../../src/directory/entry.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { tokensOf, wordsOf } from '../../src/directory/words.ts';
import { LdapListener } from '../../src/protocols/ldap/endpoint.ts';
import { answerMessages } from './child-process.ts';

/** Opens the face over so many people; the answer tells the port and how much memory is in use. */
export interface LdapFaceServerWork {
  readonly people?: number;
}

const SYLLABLES = ['an', 'ber', 'chri', 'da', 'el', 'fra', 'gü', 'han', 'in', 'jo', 'kar', 'le', 'mar', 'nor', 'ol', 'pe', 'qui', 'ro', 'ste', 'tho'];

/** Constructed: the same people in every run. */
export function nameOf(index: number): { readonly givenName: string; readonly surname: string } {
  const part = (shift: number): string => SYLLABLES[Math.floor(index / shift) % SYLLABLES.length]!;
  const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);
  return { givenName: capital(part(1) + part(20)), surname: capital(part(400) + part(8_000) + part(7)) };
}

function entryAt(index: number): DirectoryEntry {
  const { givenName, surname } = nameOf(index);
  const id = index.toString(16).padStart(32, '0');
  const address = `u${index}@corp.example` as MailboxAddress;
  return { id, address, name: `${givenName} ${surname}`, givenName, surname, kind: 'person', home: 'exchange', aliases: [], department: 'Sales', phone: '+49 30 12345', modifiedAt: Date.UTC(2026, 10, 1), createdAt: Date.UTC(2026, 10, 1) };
}

/** An address book that finds the beginnings of one word by bisection: what is measured is the face. */
function bisected(count: number): Directory {
  const entries = Array.from({ length: count }, (_, index) => entryAt(index));
  const words = entries.flatMap((entry) => [...new Set([...wordsOf(entry.name), entry.address])].map((word) => ({ word, entry }))).sort((a, b) => (a.word < b.word ? -1 : 1));
  const from = (text: string): number => {
    let low = 0;
    for (let high = words.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (words[middle]!.word < text) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    isKept: true,
    allowance: ({ gal }: Requester) => ({ results: gal === 'sync' ? Infinity : 100, minimumLength: 1 }),
    search: ({ text, limit, offset = 0 }) => {
      const [token = ''] = tokensOf(text);
      const found = new Set<DirectoryEntry>();
      for (let at = from(token); at < words.length && words[at]!.word.startsWith(token) && found.size <= offset + Math.min(limit, 100); at++) found.add(words[at]!.entry);
      return { entries: [...found].slice(offset, offset + Math.min(limit, 100)), more: found.size > offset + Math.min(limit, 100) };
    },
    resolve: () => undefined,
    byId: (id) => entries[Number.parseInt(id, 16)],
    byLegacyExchangeDn: () => undefined,
    legacyExchangeDnOf: () => undefined,
    membersOf: () => [],
    all: () => entries,
    changes: () => ({ token: '1', isWhole: true, entries, removed: [] }),
  };
}

let listener: LdapListener | undefined;

answerMessages(async ({ people }: LdapFaceServerWork) => {
  if (people !== undefined) {
    const gal = (username: string): 'sync' | 'search' => (username === 'sync' ? 'sync' : 'search');
    const signIn = { withPassword: async (username: string): Promise<Requester> => ({ name: username, username, from: 'outside', mayAsk: new Set<string>(), detail: 'none', anonymous: false, presence: 'none', gal: gal(username) }) };
    listener = await LdapListener.open({ host: '127.0.0.1', port: 0 }, undefined, { directory: bisected(people), base: 'dc=bridge', signIn, clock: systemClock, logger: silentLogger, metrics: noMetrics });
  }
  return { url: listener!.url, rssBytes: process.memoryUsage().rss };
});
