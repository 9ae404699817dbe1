import { percentDecode } from '../../platform/http-server/raw-query.ts';
import { legacyExchangeDnOfPath } from '../schedule-plus/message-url.ts';
import { LOGON_PAGES, LOGON_PATHS } from './names.ts';

/** What of this face a URL names. Case counts nowhere; neither does a doubled or trailing slash. */
export type FacePath =
  /** `/public`, where the only things are commands and the folder itself. */
  | { readonly kind: 'public' }
  /** `/exchange/…`: whose mailbox, and the names below it, decoded one by one (an escaped `/` is part of its name). */
  | { readonly kind: 'mailbox'; readonly user: string | undefined; readonly below: readonly string[] }
  /** `/owa`, where browsers and DavMail begin. */
  | { readonly kind: 'welcome' }
  | { readonly kind: 'logon'; readonly path: string }
  | { readonly kind: 'logon-page'; readonly path: string }
  /** A free/busy message; `path` as it was sent, `legacyExchangeDn` as it names it. */
  | { readonly kind: 'message'; readonly path: string; readonly legacyExchangeDn: string };

/** Reads the path of a raw request target (origin or absolute form); undefined for everything that is not this face's. */
export function facePathOf(target: string): FacePath | undefined {
  const sent = sentPath(target);
  const names = sent.split('/').filter((name) => name !== '');
  const path = `/${names.join('/').toLowerCase()}`;
  if (path === '/public') return { kind: 'public' };
  if (path === '/owa') return { kind: 'welcome' };
  if (path === '/exchange' || path.startsWith('/exchange/')) {
    const [user, ...below] = names.slice(1).map(percentDecode);
    return { kind: 'mailbox', user, below };
  }
  const logon = LOGON_PATHS.find((one) => one === path);
  if (logon !== undefined) return { kind: 'logon', path: logon };
  const page = LOGON_PAGES.find((one) => one === path);
  if (page !== undefined) return { kind: 'logon-page', path: page };
  const legacyExchangeDn = legacyExchangeDnOfPath(sent);
  return legacyExchangeDn === undefined ? undefined : { kind: 'message', path: sent, legacyExchangeDn };
}

function sentPath(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
}
