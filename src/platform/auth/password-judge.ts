import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ScryptHash } from '../../core/scrypt-hash.ts';
import type { ClientAccount } from './account-book.ts';
import type { HashedPasswords } from './hashed-passwords.ts';

/**
 * Whether a password is an account's. Nothing is to be learnt from the time that a wrong one takes: as soon as some client has a hash, every wrong
 * password costs a verification, also with a name that nobody has and with a client whose password is configured as it is.
 */
export class PasswordJudge {
  readonly #hashes: HashedPasswords;
  /** Passwords are compared as keyed digests: equal length, and nothing to learn from the time it takes. */
  readonly #key = randomBytes(32);
  readonly #passwords: ReadonlyMap<ClientAccount, Buffer>;
  readonly #noPassword: Buffer;
  /** Hashes that no password has, one for each price among the clients' own. */
  readonly #decoys: readonly ScryptHash[];

  constructor(accounts: readonly ClientAccount[], hashes: HashedPasswords) {
    this.#hashes = hashes;
    this.#passwords = new Map(accounts.flatMap((account) => (account.credentials?.password === undefined ? [] : [[account, this.#digest(account.credentials.password)] as const])));
    this.#noPassword = randomBytes(32);
    this.#decoys = decoysOf(accounts.flatMap(({ credentials }) => credentials?.passwordHash ?? []));
  }

  /**
   * @param account undefined: nobody is called so; the answer is no, after as long as for anybody
   * @param triedName as the client calls itself
   * @returns at once where no hash has to be verified; the promise rejects with BridgeError TOO_MANY_ATTEMPTS where too many are being looked at
   */
  isRight(account: ClientAccount | undefined, triedName: string, password: string, address: string): boolean | Promise<boolean> {
    // The comparison happens for unknown names too, so that they take as long.
    const isPlain = timingSafeEqual((account === undefined ? undefined : this.#passwords.get(account)) ?? this.#noPassword, this.#digest(password));
    if (isPlain) return true;
    const own = account?.credentials?.passwordHash;
    const hash = own ?? this.#decoyFor(account?.credentials?.username ?? triedName);
    if (hash === undefined) return false;
    if (own !== undefined && this.#hashes.isKnown(own, password)) return true;
    return this.#hashes.isRight(hash, password, address).then((isRight) => isRight && own !== undefined);
  }

  /** Always the same one for a name, so that its price tells nothing. */
  #decoyFor(name: string): ScryptHash | undefined {
    return this.#decoys.length === 0 ? undefined : this.#decoys[this.#digest(name.toLowerCase()).readUInt32BE() % this.#decoys.length];
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

function decoysOf(hashes: readonly ScryptHash[]): readonly ScryptHash[] {
  const prices = new Map(hashes.map(({ cost, blockSize, parallelism }) => [`${cost} ${blockSize} ${parallelism}`, { cost, blockSize, parallelism }]));
  return [...prices.values()].map((price) => ({ ...price, salt: randomBytes(16), hash: randomBytes(32) }));
}
