import { LIMITS } from '../../../core/limits.ts';

/** Where a client of SyncGal is: behind a whole answer, or inside one that came in pages. */
export interface GalToken {
  /** What the directory is asked with; undefined: for everybody. */
  readonly from: string | undefined;
  /** Inside a page: what the client has when all pages are read (the directory's token of the first one), and the last id of the page before. */
  readonly within?: { readonly to: string; readonly after: string };
}

/**
 * Reads a token. Pages keep nothing here: `{from}_{to}_{after}` holds all of it, and the directory's own tokens have no `_` in them. Whatever else somebody sends (a Zimbra's
 * own token, another life's, garbage) goes to the directory as it is or, where it cannot be one, as one that the directory does not know: the client gets everything anew.
 */
export function decodeGalToken(text: string): GalToken {
  if (text === '') return { from: undefined };
  const [, from, to, after] = /^([0-9A-Za-z.-]{0,100})_([0-9A-Za-z.-]{1,100})_([0-9A-Za-z]{1,40})$/.exec(text) ?? [];
  if (to !== undefined && after !== undefined) return { from: from === '' ? undefined : from, within: { to, after } };
  return { from: /^[0-9A-Za-z.-]{1,100}$/.test(text) ? text : UNKNOWN };
}

/** The token of a page that has others behind it. */
export function encodeGalToken({ from, within }: Required<GalToken>): string {
  return `${from ?? ''}_${within.to}_${within.after}`;
}

/** Shorter than any that a directory makes. */
const UNKNOWN = '-';

/** A token as it came, for an answer that changes nothing; none of ours is longer. */
export function echoedToken(text: string): string {
  return text.slice(0, LIMITS.zimbraGalTokenCharacters);
}
