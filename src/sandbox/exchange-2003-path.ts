import { percentDecoded } from './raw-query.ts';

/** What a path of the public folder tree names. */
export type PublicPath =
  | { readonly kind: 'tree' }
  /** SCHEDULE+ FREE BUSY in it. */
  | { readonly kind: 'schedule' }
  /** An EX: folder; `organisation` in lower case. */
  | { readonly kind: 'folder'; readonly organisation: string }
  /** A message in one; its name without `.eml`, in lower case. */
  | { readonly kind: 'message'; readonly organisation: string; readonly name: string };

/** In names a slash is written `_xF8FF_`; case does not matter (exchange.md §2.1). Undefined for any other path. */
export function readPublicPath(path: string): PublicPath | undefined {
  const names = path.replace(/\/$/, '').split('/').slice(1).map((segment) => percentDecoded(segment).replaceAll(/_xf8ff_/gi, '/').toLowerCase());
  const [root, tree, schedule, folder, message, ...more] = names;
  if (root !== 'public' || tree !== 'non_ipm_subtree' || more.length > 0) return undefined;
  if (schedule === undefined) return { kind: 'tree' };
  if (schedule !== 'schedule+ free busy') return undefined;
  if (folder === undefined) return { kind: 'schedule' };
  if (!folder.startsWith('ex:')) return undefined;
  const organisation = folder.slice('ex:'.length);
  if (message === undefined) return { kind: 'folder', organisation };
  return message.endsWith('.eml') ? { kind: 'message', organisation, name: message.slice(0, -'.eml'.length) } : undefined;
}
