import { LIMITS } from '../core/limits.ts';
import { ENTRY_DETAILS } from '../directory/entry.ts';
import type { SourceEntry } from '../directory/entry-source.ts';

/**
 * An entry within the bounds of the address book, whatever its source lets through: a longer name is cut at a character, longer details are left out, and so are
 * proxy addresses and members beyond theirs. Undefined where its id is longer than any.
 */
export function boundedEntry(entry: SourceEntry): SourceEntry | undefined {
  if (entry.id.length > LIMITS.entryIdCharacters) return undefined;
  const long = ENTRY_DETAILS.filter((key) => (entry[key]?.length ?? 0) > LIMITS.entryDetailCharacters);
  const { name = '', aliases = [], members = [], formerDns = [] } = entry;
  const isLong = long.length > 0 || name.length > LIMITS.entryNameCharacters || aliases.length > LIMITS.entryAliases || formerDns.length > LIMITS.entryAliases || members.length > LIMITS.groupMembers;
  const dns = [entry.legacyExchangeDn, entry.ref, entry.foreignPrincipal].some((one) => (one?.length ?? 0) > LIMITS.legacyExchangeDnCharacters);
  if (!isLong && !dns) return entry;
  const { legacyExchangeDn, ref, foreignPrincipal, ...rest } = entry;
  const within = (text: string | undefined): boolean => text !== undefined && text.length <= LIMITS.legacyExchangeDnCharacters;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !long.some((one) => one === key))),
    ...(within(legacyExchangeDn) ? { legacyExchangeDn } : {}),
    ...(within(ref) ? { ref } : {}),
    ...(within(foreignPrincipal) ? { foreignPrincipal } : {}),
    ...(entry.name === undefined ? {} : { name: name.slice(0, LIMITS.entryNameCharacters).replace(/[\ud800-\udbff]$/, '') }),
    ...(entry.aliases === undefined ? {} : { aliases: aliases.slice(0, LIMITS.entryAliases) }),
    ...(entry.formerDns === undefined ? {} : { formerDns: formerDns.slice(0, LIMITS.entryAliases) }),
    ...(entry.members === undefined ? {} : { members: members.slice(0, LIMITS.groupMembers) }),
  } as unknown as SourceEntry;
}
