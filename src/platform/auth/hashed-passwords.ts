import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { encodeScryptHash } from '../../core/scrypt-hash.ts';
import type { ScryptHash } from '../../core/scrypt-hash.ts';
import { derive } from './scrypt.ts';

/** How the hash of a password is made from it; a test replaces it. */
export type Derive = typeof derive;

/**
 * Judges passwords by their hashes. A right one is paid for once: its keyed digest is remembered with the hash that it belongs to, over reloads,
 * so that a client's requests cost what they cost with a password in the configuration. A wrong one costs a verification every time.
 * Few are at work at once, some wait, the rest are turned away.
 */
export class HashedPasswords {
  readonly #derive: Derive;
  readonly #key = randomBytes(32);
  /** Hash, as it is configured, to the digest of its password; the oldest first. */
  readonly #right = new Map<string, Buffer>();
  /** The same password tried on the same hash many times at once, as a client does that starts with ten questions, is one work. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #queue: (() => void)[] = [];
  readonly #waitingByAddress = new Map<string, number>();
  #atWork = 0;

  constructor(work: Derive = derive) {
    this.#derive = work;
  }

  /** Whether this password was found right for this hash before. */
  isKnown(hash: ScryptHash, password: string): boolean {
    const right = this.#right.get(encodeScryptHash(hash));
    return right !== undefined && timingSafeEqual(right, this.#digest(password));
  }

  /**
   * Whether the password is the one that was hashed.
   *
   * @param address of who asks: one address cannot fill the queue
   * @throws BridgeError TOO_MANY_ATTEMPTS where too many wait already
   */
  async isRight(hash: ScryptHash, password: string, address: string): Promise<boolean> {
    if (this.isKnown(hash, password)) return true;
    const text = encodeScryptHash(hash);
    const digest = this.#digest(password);
    const attempt = `${text} ${digest.toString('base64')}`;
    let verified = this.#underWay.get(attempt);
    if (verified === undefined) {
      verified = this.#inTurn(address, async () => timingSafeEqual(await this.#derive(password, hash, hash.hash.length), hash.hash));
      this.#underWay.set(attempt, verified);
      const over = (): boolean => this.#underWay.delete(attempt);
      verified.then(over, over);
    }
    const isRight = await verified;
    if (isRight) this.#remember(text, digest);
    return isRight;
  }

  #remember(text: string, digest: Buffer): void {
    this.#right.delete(text);
    this.#right.set(text, digest);
    if (this.#right.size > LIMITS.rememberedPasswords) this.#right.delete(this.#right.keys().next().value!);
  }

  async #inTurn<T>(address: string, work: () => Promise<T>): Promise<T> {
    if (this.#atWork >= LIMITS.scryptAtOnce) await this.#wait(address);
    else this.#atWork += 1;
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over.
      const next = this.#queue.shift();
      if (next === undefined) this.#atWork -= 1;
      else next();
    }
  }

  async #wait(address: string): Promise<void> {
    const ofAddress = this.#waitingByAddress.get(address) ?? 0;
    if (this.#queue.length >= LIMITS.scryptWaiting || ofAddress >= LIMITS.scryptWaitingPerAddress) {
      throw new BridgeError('TOO_MANY_ATTEMPTS', 'too many passwords are being looked at, try again later', { temporary: true, retryAfterMs: LIMITS.failureDelayMs });
    }
    this.#waitingByAddress.set(address, ofAddress + 1);
    await new Promise<void>((resolve) => this.#queue.push(resolve));
    const left = this.#waitingByAddress.get(address)! - 1;
    if (left === 0) this.#waitingByAddress.delete(address);
    else this.#waitingByAddress.set(address, left);
  }

  #digest(password: string): Buffer {
    return createHmac('sha256', this.#key).update(password).digest();
  }
}
