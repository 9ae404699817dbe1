import { BridgeError } from '../../src/core/errors.ts';
import type { Requester } from '../../src/core/request-context.ts';
import type { Directory, DirectoryPage, DirectoryQuery } from '../../src/directory/directory.ts';
import type { DirectoryEntry } from '../../src/directory/entry.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';

/** An address book over a list, for tests of the faces: prefix of a word or of an address, in the order of the list. */
export function memoryDirectory(entries: readonly DirectoryEntry[], options: { readonly members?: Readonly<Record<string, readonly string[]>>; readonly dns?: Readonly<Record<string, string>>; readonly results?: number } = {}): Directory {
  const may = ({ gal }: Requester): void => {
    if (gal === undefined || gal === 'none') throw new BridgeError('ACCESS_DENIED', 'this client may not see the address book');
  };
  const resolve = (address: string): DirectoryEntry | undefined => entries.find((one) => one.address === address || one.aliases.some((alias) => alias === address));
  const tokens = (text: string): readonly string[] => text.toLowerCase().split(/[\s,;]+/).filter((one) => one !== '');
  const fits = (entry: DirectoryEntry, token: string): boolean =>
    [...tokens(`${entry.name} ${entry.givenName ?? ''} ${entry.surname ?? ''} ${entry.nickname ?? ''}`), entry.address, ...entry.aliases].some((word) => word.startsWith(token));
  const search = ({ text, kinds, limit, offset = 0 }: DirectoryQuery): DirectoryPage => {
    const wanted = tokens(text);
    const found = wanted.length === 0 ? [] : entries.filter((one) => (kinds === undefined || kinds.includes(one.kind)) && wanted.every((token) => fits(one, token)));
    const most = Math.min(limit, options.results ?? 100);
    return { entries: found.slice(offset, offset + most), more: found.length > offset + most };
  };
  return {
    isKept: true,
    allowance: ({ gal }) => ({ results: gal === 'sync' ? Infinity : (options.results ?? 100), minimumLength: 1 }),
    search: (query, requester) => (may(requester), search(query)),
    resolve: (address, requester) => (may(requester), resolve(address)),
    byId: (id, requester) => (may(requester), entries.find((one) => one.id === id)),
    byLegacyExchangeDn: (dn, requester) => (may(requester), resolve(Object.entries(options.dns ?? {}).find(([, value]) => value.toLowerCase() === dn.toLowerCase())?.[0] ?? '')),
    legacyExchangeDnOf: ({ address }) => options.dns?.[address],
    membersOf: ({ address }, requester) => (may(requester), (options.members?.[address] ?? []).flatMap((one) => resolve(one) ?? [])),
    all: (requester) => (may(requester), entries),
    changes: (token, requester) => {
      if (requester.gal !== 'sync') throw new BridgeError('ACCESS_DENIED', 'this client may not take the whole address book');
      return token === 'M-1' ? { token: 'M-1', isWhole: false, entries: [], removed: [] } : { token: 'M-1', isWhole: true, entries, removed: [] };
    },
  };
}

/** An entry with what a test does not say filled in. */
export function entryOf(address: string, keys: Partial<Omit<DirectoryEntry, 'address' | 'aliases'>> & { readonly aliases?: readonly string[] } = {}): DirectoryEntry {
  const mailbox = parseMailboxAddress(address)!;
  const { aliases = [], ...rest } = keys;
  return {
    id: Buffer.from(address).toString('hex').padEnd(32, '0').slice(0, 32),
    address: mailbox,
    name: address,
    kind: 'person',
    home: 'exchange',
    aliases: aliases.map((one) => parseMailboxAddress(one)!),
    modifiedAt: Date.UTC(2026, 10, 29, 12),
    createdAt: Date.UTC(2026, 10, 1),
    ...rest,
  };
}
