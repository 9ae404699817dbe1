import { LIMITS } from '../../core/limits.ts';

/** Which mail stores are watched: an all-accounts WaitSet hears only of the server that runs it (zimbra.md §5.2). */
export interface MailStores {
  /** Admin SOAP addresses, at least one. */
  readonly watched: readonly URL[];
  /** Host names that the server named and the configuration does not: never sent anything. */
  readonly unlisted: readonly string[];
}

/**
 * Decides where WaitSets are made. A store's address is `endpoint` with the store's host name. `endpoint` itself is always one of a single
 * store, whatever that calls itself; among several it is watched where one of them has its name, or where one of them may not be asked
 * (it may be that one under another name).
 *
 * @param names as the server gave them: untrusted
 * @param endpoint admin SOAP address of `adminUrl`
 * @param permits whether the configuration lets the administrator's token go there
 */
export function mailStoresOf(names: readonly string[], endpoint: URL, permits: (url: URL) => boolean): MailStores {
  if (names.length <= 1) return { watched: [endpoint], unlisted: [] };
  const watched = new Map<string, URL>();
  const unlisted: string[] = [];
  for (const name of names) {
    const url = storeUrl(name, endpoint);
    if (url !== undefined && permits(url) && watched.size < LIMITS.zimbraMailStores) watched.set(url.href, url);
    else unlisted.push(/^[\w.-]{1,253}$/.test(name) ? name : 'an unreadable name');
  }
  if (unlisted.length > 0) watched.set(endpoint.href, endpoint);
  return { watched: [...watched.values()], unlisted };
}

function storeUrl(name: string, endpoint: URL): URL | undefined {
  // Nothing but letters, digits, dots and hyphens: no port, no user, no path can come along.
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return undefined;
  const url = new URL(endpoint);
  url.hostname = name;
  return url.hostname === name ? url : undefined;
}
