import type { Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { dnKey, parseDn } from './distinguished-name.ts';
import type { Rdn } from './distinguished-name.ts';

/** The directory as one requester may see it, below one base. */
export interface View {
  readonly directory: Directory;
  readonly requester: Requester;
  /** As configured: `dc=bridge`. */
  readonly base: string;
  readonly baseName: readonly Rdn[];
}

/** An entry, and what its attributes need beside it. */
export interface ShownEntry {
  readonly entry: DirectoryEntry;
  readonly view: View;
}

/** `uid={id},{base}`: the id stays when somebody is renamed, and Zimbra takes the name of an entry for its identity. */
export function entryDn(id: string, base: string): string {
  return `uid=${id},${base}`;
}

/** The id in an entry's name; undefined for another name. */
export function entryIdOf([first, ...rest]: readonly Rdn[], baseName: readonly Rdn[]): string | undefined {
  const [type, value] = first?.length === 1 ? first[0]! : ['', ''];
  return type === 'uid' && dnKey(rest) === dnKey(baseName) ? value.trim().toLowerCase() : undefined;
}

/** The entry that a name means, for the one who asks. */
export function entryNamed(dn: string, view: View): DirectoryEntry | undefined {
  const name = parseDn(dn);
  const id = name === undefined ? undefined : entryIdOf(name, view.baseName);
  return id === undefined ? undefined : view.directory.byId(id, view.requester);
}
