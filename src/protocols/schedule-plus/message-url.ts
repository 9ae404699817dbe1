import { below } from '../../platform/http-client/below.ts';
import type { MessageLocation } from './legacy-exchange-dn.ts';

/** Below the server's root, on the default public tree (exchange.md §2.1); the `+` is written `%2B`, as Exchange itself does. */
const FREE_BUSY_TREE = '/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/';

/** What Exchange writes instead of characters that separate names in a path (EVO server/lib/e2k-uri.c). */
const IN_NAMES: Readonly<Record<string, string>> = { '/': '_xF8FF_', '\\': '_xF8FE_', '?': '_x003F_', '~': '_x007E_' };

/** The WebDAV URL of a free/busy message below the server's root. */
export function messageUrl(root: URL, location: MessageLocation): URL {
  return below(root, `${FREE_BUSY_TREE}${pathName(location.folder)}/${pathName(location.subject)}.EML`);
}

function pathName(name: string): string {
  const escaped = name.replace(/[/\\?~]/g, (character) => IN_NAMES[character]!);
  return encodeURIComponent(escaped).replace(/%3A/g, ':').replace(/%3D/g, '=').replace(/%40/g, '@');
}
