import { dnKey, escapeDnValue, parseDn } from './distinguished-name.ts';
import type { Rdn } from './distinguished-name.ts';

/**
 * The user name that a bind's name means: the `cn` of `cn={username},{base}`; anything else is taken for a user name itself (`bridge`, `CORP\bridge`,
 * `bridge@corp.example`), as Outlook and Thunderbird let people type it.
 *
 * A value that is not escaped as RFC 4514 wants (`cn=CORP\bridge,dc=bridge`) is taken as it stands.
 */
export function usernameOf(name: string, base: readonly Rdn[]): string {
  const parsed = parseDn(name);
  if (parsed !== undefined) {
    const [first, ...rest] = parsed;
    const value = first?.length === 1 && first[0]![0] === 'cn' && dnKey(rest) === dnKey(base) ? first[0]![1] : undefined;
    return value ?? name;
  }
  const begin = /^\s*cn\s*=\s*/i.exec(name)?.[0];
  if (begin === undefined) return name;
  for (let comma = name.indexOf(',', begin.length), looks = 0; comma !== -1 && looks < MOST_COMMAS; comma = name.indexOf(',', comma + 1), looks++) {
    const rest = parseDn(name.slice(comma + 1));
    if (rest !== undefined && dnKey(rest) === dnKey(base)) return name.slice(begin.length, comma).trim();
  }
  return name;
}

/** Nobody's name has more; each costs a look at the rest. */
const MOST_COMMAS = 16;

/** The name by which a client is known to have bound. */
export function bindNameOf(username: string, base: string): string {
  return `cn=${escapeDnValue(username)},${base}`;
}
