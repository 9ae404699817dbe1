import { legacyExchangeDnOfPath } from '../schedule-plus/message-url.ts';
import { LOGON_PAGES, LOGON_PATHS } from './names.ts';

/** What of this face a URL names. Case counts nowhere; neither does a doubled or trailing slash. */
export type FacePath =
  | { readonly kind: 'query' }
  | { readonly kind: 'logon'; readonly path: string }
  | { readonly kind: 'logon-page'; readonly path: string }
  /** A free/busy message; `path` as it was sent, `legacyExchangeDn` as it names it. */
  | { readonly kind: 'message'; readonly path: string; readonly legacyExchangeDn: string };

/**
 * Reads the path of a raw request target (origin or absolute form). `/public`, `/exchange` and `/exchange/{user}` take
 * queries; undefined for everything that is not this face's.
 */
export function facePathOf(target: string): FacePath | undefined {
  const path = canonicalPath(target);
  if (path === '/public' || path === '/exchange' || /^\/exchange\/[^/]+$/.test(path)) return { kind: 'query' };
  const logon = LOGON_PATHS.find((one) => one === path);
  if (logon !== undefined) return { kind: 'logon', path: logon };
  const page = LOGON_PAGES.find((one) => one === path);
  if (page !== undefined) return { kind: 'logon-page', path: page };
  const sent = sentPath(target);
  const legacyExchangeDn = legacyExchangeDnOfPath(sent);
  return legacyExchangeDn === undefined ? undefined : { kind: 'message', path: sent, legacyExchangeDn };
}

function sentPath(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
}

function canonicalPath(target: string): string {
  const single = sentPath(target).replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  return single.toLowerCase();
}
