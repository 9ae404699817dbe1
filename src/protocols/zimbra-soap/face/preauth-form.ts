import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Preauth } from '../../../platform/auth/sign-in.ts';
import { firstRaw, formDecode } from '../../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../../platform/http-server/raw-query.ts';

/** What a preauth address brings. */
export interface PreauthForm {
  readonly preauth: Preauth;
  /** A path of this server with its query, beginning with exactly one `/`. */
  readonly destination: string;
}

/**
 * Reads a preauth address or form (zimbra.md §1.4). `authtoken` is not read (Zimbra takes a token out of the query), `admin=1` is not
 * signed in: there are no administrators here.
 *
 * @throws BridgeError AUTH_REQUIRED where something is missing, AUTH_FAILED
 */
export function decodePreauthForm(parameters: readonly RawParameter[]): PreauthForm {
  const read = (name: string): string | undefined => {
    const raw = firstRaw(parameters, name);
    return raw === undefined ? undefined : formDecode(raw);
  };
  const account = read('account');
  const digest = read('preauth');
  const timestamp = read('timestamp');
  const expires = read('expires');
  if (account === undefined || digest === undefined || timestamp === undefined || expires === undefined) {
    throw new BridgeError('AUTH_REQUIRED', 'account, timestamp, expires and preauth are required');
  }
  const by = read('by') ?? 'name';
  const isUsable = by === 'name' && read('admin') !== '1' && /^\d{1,15}$/.test(timestamp) && /^\d{1,15}$/.test(expires) && account.length <= LIMITS.credentialCharacters;
  if (!isUsable) throw new BridgeError('AUTH_FAILED', 'the preauth is not valid');
  return { preauth: { account, by, timestamp, expires, digest }, destination: ownPath(read('redirecturl') ?? '/') };
}

const BASE = 'http://bridge.invalid';

/** Only a path below our own root is kept: a signed address must not send its user elsewhere. */
function ownPath(destination: string): string {
  // What a browser drops or takes for a slash would make another host of it.
  if (!destination.startsWith('/') || /[\u0000-\u0020\\]/.test(destination) || !URL.canParse(destination, BASE)) return '/';
  const { origin, pathname, search } = new URL(destination, BASE);
  const path = `${pathname}${search}`;
  return origin !== BASE || path.startsWith('//') || path.length > LIMITS.destinationCharacters ? '/' : path;
}
