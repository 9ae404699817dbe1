import type { Requester } from '../core/request-context.ts';
import type { Directory } from './directory.ts';

/** The address book, where one is kept and this client may see it; undefined: what it asks is answered as if there were none. */
export function visibleDirectory(directory: Directory | undefined, { gal }: Requester): Directory | undefined {
  return directory?.isKept === true && (gal === 'search' || gal === 'sync') ? directory : undefined;
}
