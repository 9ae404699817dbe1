import { percentDecode } from '../../platform/http-server/raw-query.ts';

/** The three ways to ask: Zimbra's REST address, Zimbra's public calendar servlet, and a file for Outlook. */
export type FaceForm = 'home' | 'pubcal' | 'freebusy';

/** What a URL of this face names; `address` as the client spelled it, unescaped, and absent where the query names it. */
export interface FacePath {
  readonly form: FaceForm;
  readonly address?: string;
}

/**
 * Reads the path of a raw request target (origin or absolute form): `/home/{address}[/…]`, `/service/home/{address}[/…]`, `/service/pubcal/freebusy.ifb`, `/freebusy/{address}.ifb`. The words
 * count without case. What follows the address under `/home` is a folder, which Zimbra's ifb ignores (zimbra.md §3.1). `+` is a plus.
 *
 * @returns undefined for everything that is not this face's
 */
export function facePathOf(target: string): FacePath | undefined {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
  if (/^\/service\/pubcal\/freebusy\.ifb$/i.test(path)) return { form: 'pubcal' };
  const home = /^(?:\/service)?\/home\/([^/]+)(?:\/|$)/i.exec(path)?.[1];
  if (home !== undefined) return { form: 'home', address: percentDecode(home) };
  const file = /^\/freebusy\/([^/]+)\.ifb$/i.exec(path)?.[1];
  return file === undefined ? undefined : { form: 'freebusy', address: percentDecode(file) };
}
