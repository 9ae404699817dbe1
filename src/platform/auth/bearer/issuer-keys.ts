import type { Clock, Instant } from '../../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Logger } from '../../../core/logger.ts';
import { readKeys } from './issuer-document.ts';
import type { TokenIssuer } from './issuer-document.ts';
import type { KeySet } from './key-set.ts';

export interface IssuerKeysOptions {
  readonly issuer: TokenIssuer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How they are read; absent: from the issuer. */
  readonly read?: ((issuer: TokenIssuer) => Promise<KeySet>) | undefined;
}

/**
 * The keys of one issuer, read when first wanted and kept. They are read again when they have become old, behind the requests' backs, and when a token names a key that is not
 * among them; in no case more often than every LIMITS.issuerPauseMs, one question at a time. While the issuer does not answer, those that it gave last are good for LIMITS.issuerKeysKeptMs.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #held: { readonly keys: KeySet; readonly readAt: Instant } | undefined;
  #asking: Promise<void> | undefined;
  #askedAt: Instant | undefined;
  /** Why the last question went wrong; undefined where it did not. */
  #failure: BridgeError | undefined;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /** Changes whenever the keys do; undefined where there are none. Sees to it that they do not become old. */
  version(): string | undefined {
    const { keys, ageMs } = this.#good();
    if (ageMs > LIMITS.issuerKeysFreshMs) void this.#ask();
    return keys?.version;
  }

  /**
   * The keys, with that of this id among them if the issuer has it.
   *
   * @param id undefined: any will do
   * @throws BridgeError BACKEND_UNREACHABLE, temporary, where the issuer does not answer, so that nobody can say whether the token is good
   */
  async keysFor(id: string | undefined): Promise<KeySet> {
    const { keys, ageMs } = this.#good();
    const isThere = keys?.has(id) === true;
    // After a quiet night nobody has looked whether that key is still good.
    if (!isThere || ageMs > 2 * LIMITS.issuerKeysFreshMs) await this.#ask();
    else if (ageMs > LIMITS.issuerKeysFreshMs) void this.#ask();
    const now = this.#good().keys;
    if (now !== undefined && (now.has(id) || this.#failure === undefined)) return now;
    throw new BridgeError('BACKEND_UNREACHABLE', 'tokens cannot be checked at the moment', {
      temporary: true,
      retryAfterMs: LIMITS.issuerPauseMs,
      cause: this.#failure,
      ...(this.#failure === undefined ? {} : { details: { reason: this.#failure.publicMessage } }),
    });
  }

  #good(): { readonly keys: KeySet | undefined; readonly ageMs: number } {
    const ageMs = this.#held === undefined ? Infinity : this.#options.clock.now() - this.#held.readAt;
    return { keys: ageMs > LIMITS.issuerKeysKeptMs ? undefined : this.#held?.keys, ageMs };
  }

  /** Never throws. Whoever comes while a question is under way waits for that one. */
  async #ask(): Promise<void> {
    const sinceMs = this.#askedAt === undefined ? Infinity : this.#options.clock.now() - this.#askedAt;
    // A clock that was set back must not stop it for longer than the pause.
    if (this.#asking === undefined && sinceMs >= 0 && sinceMs < LIMITS.issuerPauseMs) return;
    this.#asking ??= this.#read().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #read(): Promise<void> {
    const { issuer, clock, logger, read = readKeys } = this.#options;
    this.#askedAt = clock.now();
    try {
      const keys = await read(issuer);
      if (this.#failure !== undefined) logger.info({ system: issuer.issuer, count: keys.keys.length }, 'the issuer of tokens answers again');
      this.#failure = undefined;
      this.#held = { keys, readAt: clock.now() };
    } catch (thrown) {
      const error = toBridgeError(thrown);
      // Said once, not every ten seconds of an outage.
      if (this.#failure?.code !== error.code) logger.warn({ system: issuer.issuer, code: error.code, reason: error.publicMessage }, "an issuer's keys could not be read");
      this.#failure = error;
    }
  }
}
