import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { within } from '../../../core/within.ts';
import { HttpClient } from '../../http-client/http-client.ts';
import type { HttpAnswer } from '../../http-client/http-client.ts';
import { RequestBudget } from '../../http-client/request-budget.ts';
import { decodeKeySet } from './key-set.ts';
import type { KeySet } from './key-set.ts';

/** Who makes tokens, and for whom. */
export interface TokenIssuer {
  /** Exactly as in the tokens' `iss`. */
  readonly issuer: string;
  /** One of these is in the tokens' `aud`. */
  readonly audience: readonly string[];
  /** Where its keys are; absent: where its metadata says. */
  readonly jwksUri?: URL | undefined;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
}

/**
 * Reads an issuer's keys, from where they are configured to be or where its metadata says. It is asked seldom: every time over a connection of its own, which leaves nothing open behind it.
 *
 * @throws BridgeError BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_REDIRECT, BACKEND_FAULT (another status than 200), BACKEND_MALFORMED, BACKEND_TOO_LARGE, DEADLINE, CONFIGURATION (no URL to ask)
 */
export async function readKeys(issuer: TokenIssuer): Promise<KeySet> {
  const client = new HttpClient({ ca: issuer.ca });
  try {
    return await within(LIMITS.issuerTimeoutMs, new AbortController().signal, async (signal) => {
      const ask = async (url: URL): Promise<HttpAnswer> => client.request({ method: 'GET', url, headers: { accept: 'application/json' }, signal, budget: new RequestBudget() });
      const url = issuer.jwksUri ?? (await keysUrl(issuer.issuer, ask));
      return decodeKeySet(documentOf(await ask(url)));
    });
  } finally {
    await client.close();
  }
}

/** By OpenID Connect Discovery 1.0 §4, else, where that is not there, by RFC 8414 §3. */
async function keysUrl(issuer: string, ask: (url: URL) => Promise<HttpAnswer>): Promise<URL> {
  const base = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (base === undefined || !isSafe(base) || base.search !== '' || base.hash !== '') {
    throw new BridgeError('CONFIGURATION', 'the issuer is no https URL under which its metadata could be found; write jwksUri');
  }
  const path = base.pathname.replace(/\/$/, '');
  const openId = await ask(new URL(`${path}/.well-known/openid-configuration`, base.origin));
  const answer = openId.status === 404 ? await ask(new URL(`/.well-known/oauth-authorization-server${path}`, base.origin)) : openId;
  const metadata = documentOf(answer) as { readonly issuer?: unknown; readonly jwks_uri?: unknown } | null;
  // Whoever answers for another issuer must not choose this one's keys (RFC 8414 §3.3).
  if (metadata?.issuer !== issuer) throw new BridgeError('BACKEND_MALFORMED', 'the metadata are those of another issuer; write issuer exactly as its tokens have it (iss), and jwksUri where its metadata differ');
  const { jwks_uri: uri } = metadata;
  const url = typeof uri === 'string' && uri.length <= LIMITS.urlCharacters && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || url.username !== '' || !(url.protocol === 'https:' || url.origin === base.origin)) throw new BridgeError('BACKEND_MALFORMED', "the issuer's metadata name no https URL for its keys (jwks_uri)");
  return url;
}

/** https; plain only on this machine, for a trial. */
function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && /^(?:127(?:\.\d+){3}|\[::1\]|localhost)$/.test(hostname));
}

function documentOf({ status, body }: HttpAnswer): unknown {
  if (status !== 200) throw new BridgeError('BACKEND_FAULT', `the issuer of tokens answers with status ${status}`, { temporary: status >= 500 || status === 429, details: { status } });
  if (body.length > LIMITS.issuerDocumentBytes) throw new BridgeError('BACKEND_TOO_LARGE', 'the answer of the issuer of tokens is too large', { details: { limitBytes: LIMITS.issuerDocumentBytes } });
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (cause) {
    throw new BridgeError('BACKEND_MALFORMED', 'the issuer of tokens answers with something that is no JSON', { cause });
  }
}
