import { below } from '../../platform/http-client/below.ts';
import { percentDecode } from '../../platform/http-server/raw-query.ts';
import type { MessageLocation } from './legacy-exchange-dn.ts';

/** Below the server's root, on the default public tree (exchange.md §2.1); the `+` is written `%2B`, as Exchange itself does. */
const FREE_BUSY_TREE = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/';

/** What Exchange writes instead of characters that separate names in a path (EVO server/lib/e2k-uri.c). */
const IN_NAMES: Readonly<Record<string, string>> = { '/': '_xF8FF_', '\\': '_xF8FE_', '?': '_x003F_', '~': '_x007E_' };
const FROM_NAMES: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(IN_NAMES).map(([character, written]) => [written.toLowerCase(), character]));

/** The WebDAV URL of a free/busy message below the server's root. Whatever stands in the names, it lies in its folder: every separator is escaped. */
export function messageUrl(root: URL, location: MessageLocation): URL {
  return below(root, `${FREE_BUSY_TREE}${pathName(location.folder)}/${pathName(location.subject)}.EML`);
}

/** The folder of one administrative group, without the message. */
export function folderUrl(root: URL, location: Pick<MessageLocation, 'folder'>): URL {
  return below(root, `${FREE_BUSY_TREE}${pathName(location.folder)}/`);
}

/** SCHEDULE+ FREE BUSY itself, in which these folders are. */
export function freeBusyRootUrl(root: URL): URL {
  return below(root, FREE_BUSY_TREE);
}

/**
 * Reads the path of a message backwards, as a stock Zimbra writes it: a `+` raw or escaped, other characters raw, a `/` inside the last name
 * left as it is (zimbra-measured.md §3). Names are compared without case.
 *
 * @param path of a raw request target, without its query
 * @returns the legacyExchangeDN that it names, in the path's spelling; undefined where it is no path of a message
 */
export function legacyExchangeDnOfPath(path: string): string | undefined {
  const [publicTree, subtree, tree, folder, ...message] = path.split('/').filter((one) => one !== '').map(percentDecode);
  const isThere = [publicTree, subtree, tree].join('/').toLowerCase() === 'public/non_ipm_subtree/schedule+ free busy';
  const organisation = /^EX:(.+)$/is.exec(folder ?? '')?.[1];
  const rest = /^USER-(.+)\.EML$/is.exec(message.join('/'))?.[1];
  if (!isThere || organisation === undefined || rest === undefined) return undefined;
  return nameOfPath(organisation) + nameOfPath(rest);
}

function pathName(name: string): string {
  const escaped = name.replace(/[/\\?~]/g, (character) => IN_NAMES[character]!);
  return encodeURIComponent(escaped).replace(/%3A/g, ':').replace(/%3D/g, '=').replace(/%40/g, '@');
}

function nameOfPath(name: string): string {
  return name.replace(/_x[0-9a-f]{4}_/gi, (written) => FROM_NAMES[written.toLowerCase()] ?? written);
}
