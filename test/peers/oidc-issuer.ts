import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import type { Authority } from '../platform/certificates.ts';
import type { SigningKey } from '../platform/auth/bearer/issuing.ts';

/** As much of oidc-provider as is used; it has no types of its own. */
type Provider = new (issuer: string, configuration: object) => { callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void> };

export const SECRET = 'secret-of-the-client-at-its-issuer';

/** An issuer that is not ours: oidc-provider, over TLS, whose clients get JWTs by their secrets (RFC 6749 §4.4, RFC 8707, RFC 9068). */
export class OidcIssuer {
  readonly url: string;
  readonly #server: Server;
  readonly #Provider: Provider;
  readonly #audience: string;
  #handler: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined;
  /** Paths that were asked for. */
  readonly asked: string[] = [];

  private constructor(server: Server, provider: Provider, audience: string) {
    this.#server = server;
    this.#Provider = provider;
    this.#audience = audience;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.asked.push(request.url!);
      void this.#handler!(request, response);
    });
  }

  static async start(authority: Authority, audience: string): Promise<OidcIssuer> {
    const { certificate, key } = authority.issue('/CN=issuer', 'IP:127.0.0.1', 5);
    const server = createServer({ cert: certificate, key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = (createRequire(import.meta.url)('oidc-provider') as { readonly default: Provider }).default;
    return new OidcIssuer(server, provider, audience);
  }

  /** From now on it signs with this key, and has no other. */
  signWith({ alg, kid, privateKey }: SigningKey): void {
    const client = (id: string) => ({ client_id: id, client_secret: SECRET, grant_types: ['client_credentials'], redirect_uris: [], response_types: [], id_token_signed_response_alg: alg });
    this.#handler = new this.#Provider(this.url, {
      clients: [client('client-1'), client('client-2')],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx: unknown, resource: string) => ({ scope: 'freebusy.read', audience: resource === this.#audience ? this.#audience : resource, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg } } }),
        },
      },
    }).callback();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
