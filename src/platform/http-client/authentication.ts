/** `details.by` of an error that is the issuer's, and says nothing of the server that would have been asked. */
export const ISSUER = 'issuer';

/** Where bearer tokens come from: asked anew only when the last one is old, or was refused. */
export interface TokenSource {
  /** @throws BridgeError with `by` (ISSUER): BACKEND_AUTH (the issuer refuses us), BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_MALFORMED, DEADLINE */
  token(signal: AbortSignal): Promise<string>;
  /** This one was answered 401: it is not given again. */
  refused(token: string): void;
}

/** How an HTTP client proves who it is: Basic with every request, NTLMv2 on every connection, or a bearer token. */
export type Authentication =
  | {
      readonly kind: 'basic' | 'ntlm';
      /** `DOMAIN\user`, an address, or a bare name. */
      readonly username: string;
      readonly password: string;
    }
  | { readonly kind: 'bearer'; /** Tells accounts of one server apart, for their loads; no secret. */ readonly account: string; readonly tokens: TokenSource };

/**
 * Waits for a token before a request takes anybody's turn: how long the issuer needs is not the server's time.
 *
 * @throws BridgeError as TokenSource
 */
export async function tokenReady(authentication: Authentication | undefined, signal: AbortSignal): Promise<void> {
  if (authentication?.kind === 'bearer') await authentication.tokens.token(signal);
}

/** What tells the accounts of one server from each other; no secret. */
export function accountName(authentication: Authentication): string {
  return authentication.kind === 'bearer' ? authentication.account : authentication.username.toLowerCase();
}
