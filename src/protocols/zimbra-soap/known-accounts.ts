import type { Clock, Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ZimbraAccount } from './account.ts';

interface Known {
  readonly account: ZimbraAccount;
  readonly until: Instant;
  /** Addresses it had before, of which nobody has been told yet. */
  readonly former: readonly MailboxAddress[];
}

/**
 * Accounts by id and by address, as they were when they were last asked for. They are current for LIMITS.zimbraAccountKeptMs, and remembered longer, for their last known address, until
 * LIMITS.zimbraAccountsKept newer ones have come.
 */
export class KnownAccounts {
  readonly #clock: Clock;
  readonly #byId = new Map<string, Known>();
  readonly #ids = new Map<MailboxAddress, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As the server gave it a short while ago. */
  current(id: string): ZimbraAccount | undefined {
    const known = this.#byId.get(id);
    return known !== undefined && this.#clock.now() < known.until ? known.account : undefined;
  }

  currentBy(mailbox: MailboxAddress): ZimbraAccount | undefined {
    const id = this.#ids.get(mailbox);
    return id === undefined ? undefined : this.current(id);
  }

  keep(account: ZimbraAccount): void {
    const before = this.#byId.get(account.id);
    const former = before === undefined ? [] : [...before.former, before.account.mailbox].filter((one) => one !== account.mailbox);
    this.forget(account.id);
    this.#byId.set(account.id, { account, until: this.#clock.now() + LIMITS.zimbraAccountKeptMs, former: [...new Set(former)] });
    this.#ids.set(account.mailbox, account.id);
    if (this.#byId.size > LIMITS.zimbraAccountsKept) this.forget(this.#byId.keys().next().value!);
  }

  /** Where messages about it may lie: its address, now or when it was last seen, and those it had before. */
  addresses(id: string): readonly MailboxAddress[] {
    const known = this.#byId.get(id);
    return known === undefined ? [] : [known.account.mailbox, ...known.former];
  }

  /** Somebody has been told of all its addresses. */
  told(id: string): void {
    const known = this.#byId.get(id);
    if (known !== undefined && known.former.length > 0) this.#byId.set(id, { ...known, former: [] });
  }

  /** There is no such account any more: it is not current, its last address stays known. */
  expire(id: string): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#byId.set(id, { ...known, until: 0 });
  }

  /** No account has this address any more. */
  expireBy(mailbox: MailboxAddress): void {
    const id = this.#ids.get(mailbox);
    if (id !== undefined) this.expire(id);
  }

  forget(id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    if (this.#ids.get(known.account.mailbox) === id) this.#ids.delete(known.account.mailbox);
  }
}
