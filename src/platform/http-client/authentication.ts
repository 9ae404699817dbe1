/** Where bearer tokens come from: asked anew only when the last one is old, or was refused. */
export interface TokenSource {
  /** @throws BridgeError BACKEND_AUTH (the issuer refuses us), BACKEND_UNREACHABLE, BACKEND_TLS, BACKEND_MALFORMED, DEADLINE */
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

/** What tells the accounts of one server from each other; no secret. */
export function accountName(authentication: Authentication): string {
  return authentication.kind === 'bearer' ? authentication.account : authentication.username.toLowerCase();
}
