import type { Clock } from '../../../core/clock.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import type { TokenIssuer } from './issuer-document.ts';
import { IssuerKeys } from './issuer-keys.ts';

/** An issuer of the configuration with its keys. */
export interface KnownIssuer {
  readonly issuer: TokenIssuer;
  readonly keys: IssuerKeys;
}

/** The issuers' keys, one for the life of the process: a reload asks nobody again, and does not forget the keys of an issuer that happens to be away. */
export class TokenIssuers {
  readonly #options: { readonly clock: Clock; readonly logger: Logger };
  /** By all that decides where keys come from and who vouches for that; the oldest first. */
  readonly #keys = new Map<string, IssuerKeys>();

  constructor(options: { readonly clock: Clock; readonly logger: Logger }) {
    this.#options = options;
  }

  /** Those of a configuration. */
  of(issuers: readonly TokenIssuer[]): readonly KnownIssuer[] {
    return issuers.map((issuer) => {
      const name = JSON.stringify([issuer.issuer, issuer.jwksUri?.href, issuer.ca]);
      const keys = this.#keys.get(name) ?? new IssuerKeys({ issuer, ...this.#options });
      this.#keys.delete(name);
      this.#keys.set(name, keys);
      if (this.#keys.size > LIMITS.rememberedIssuers) this.#keys.delete(this.#keys.keys().next().value!);
      return { issuer, keys };
    });
  }
}
