import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { Pace } from '../../core/pace.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { domainOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { FindOptions, Resident, Roster } from '../../freebusy/roster.ts';
import type { ZimbraAccount } from './account.ts';
import { isAboutAccounts, isRefused } from './account-lookup.ts';
import type { AccountLookup } from './account-lookup.ts';
import { KnownAccounts } from './known-accounts.ts';

export interface ZimbraRosterOptions {
  readonly lookup: AccountLookup;
  /** Lower case. */
  readonly domains: readonly string[];
  /** Exact addresses that live here beside the domains. */
  readonly mailboxes: readonly MailboxAddress[];
  readonly clock: Clock;
}

/** Some changed accounts, and whom they are about. */
export interface NamedAccounts {
  readonly ids: readonly string[];
  /** With the last known address of an account that is gone, and the former ones of a renamed one: messages lie there, too. */
  readonly mailboxes: readonly MailboxAddress[];
}

/** Who lives in a Zimbra, as its administrator sees it. What was asked a short while ago is not asked again (LIMITS.zimbraAccountKeptMs). */
export class ZimbraRoster implements Roster {
  readonly #options: ZimbraRosterOptions;
  readonly #known: KnownAccounts;
  readonly #pending = new Map<string, Promise<ZimbraAccount | undefined>>();
  /** A call that several wait for outlives whoever asked first; it ends by its own patience. */
  readonly #never = new AbortController().signal;

  constructor(options: ZimbraRosterOptions) {
    this.#options = options;
    this.#known = new KnownAccounts(options.clock);
  }

  async *all(signal: AbortSignal): AsyncIterable<readonly Resident[]> {
    for await (const page of this.#pages(signal)) yield page.map(residentOf);
  }

  /** An alias gives the account it belongs to, under that one's own address. */
  async find(mailbox: MailboxAddress, signal: AbortSignal, { fresh = false }: FindOptions = {}): Promise<Resident | undefined> {
    const known = fresh ? undefined : this.#known.currentBy(mailbox);
    const account = known ?? (await this.#ask(`name ${mailbox}`, signal, () => this.#options.lookup.byName(mailbox, this.#never)));
    if (account === undefined) this.#known.expireBy(mailbox);
    return account === undefined ? undefined : residentOf(account);
  }

  /**
   * Addresses of accounts that a WaitSet named, piece by piece until every id has come once. Who has just changed may have been renamed or
   * have got another foreign principal, so they are asked for anew: a few singly, many by filters. Of thousands those that are current are
   * not; the others come by one pass over our own domains (an id that is not found there is not ours, or gone).
   *
   * Going on to the next piece says that the one before has been told.
   *
   * @throws BridgeError where the server cannot be asked; what was given before holds. Where it could not show some accounts, all others have come
   */
  async *named(ids: ReadonlySet<string>, signal: AbortSignal): AsyncIterable<NamedAccounts> {
    const unknown = new Set(ids);
    if (ids.size > LIMITS.zimbraIdsAskedByFilter) yield* this.#current(unknown);
    const failures: unknown[] = [];
    if (unknown.size <= LIMITS.zimbraIdsAskedSingly) yield* this.#singly([...unknown], signal, failures);
    else if (unknown.size <= LIMITS.zimbraIdsAskedByFilter) yield* this.#byFilter([...unknown], signal, failures);
    else yield* this.#byPass(unknown, signal, failures);
    if (failures.length > 0) throw failures[0];
  }

  /** Those of accounts that cannot be asked for, as they were when they were last seen; an id of which nothing is remembered is left out. */
  remembered(ids: ReadonlySet<string>): NamedAccounts {
    const found = [...ids].filter((id) => this.#known.addresses(id).length > 0);
    return { ids: found, mailboxes: found.flatMap((id) => this.#known.addresses(id)) };
  }

  /** Takes those that are current out of `ids`. Each piece is looked at and given in one go: in between, newer accounts may push others out of memory. */
  async *#current(ids: Set<string>): AsyncIterable<NamedAccounts> {
    const pace = new Pace(LIMITS.waitSetAccountsPerTurn);
    for (const group of groupsOf([...ids], LIMITS.zimbraAccountsPerPage)) {
      yield* this.#addressesOf(group.filter((id) => this.#known.current(id) !== undefined && ids.delete(id)));
      if (pace.spend(group.length)) await pace.turn();
    }
  }

  /** @param failures of single accounts: the others are given nevertheless */
  async *#singly(ids: readonly string[], signal: AbortSignal, failures: unknown[]): AsyncIterable<NamedAccounts> {
    for (const group of groupsOf(ids, LIMITS.partsInFlight)) {
      const asked = await Promise.allSettled(group.map(async (id) => this.#byId(id, signal)));
      yield* this.#addressesOf(group.filter((_, index) => asked[index]?.status === 'fulfilled'));
      for (const one of asked) {
        if (one.status === 'fulfilled') continue;
        failures.push(one.reason);
        // So many at once are the server's trouble, and not for asking it hundreds of times more.
        if (!isAboutAccounts(one.reason) || failures.length >= LIMITS.zimbraIdsAskedSingly) throw one.reason;
      }
    }
  }

  async *#byFilter(ids: readonly string[], signal: AbortSignal, failures: unknown[]): AsyncIterable<NamedAccounts> {
    for (const group of groupsOf(ids, LIMITS.zimbraIdsPerFilter)) {
      let found: readonly ZimbraAccount[];
      try {
        found = await this.#options.lookup.byIds(group, signal);
      } catch (error) {
        if (!isAboutAccounts(error)) throw error;
        yield* this.#singly(group, signal, failures);
        continue;
      }
      this.#keep(found);
      const there = new Set(found.map(({ id }) => id));
      for (const id of group) if (!there.has(id)) this.#known.expire(id);
      yield* this.#addressesOf(group);
    }
  }

  async *#byPass(wanted: Set<string>, signal: AbortSignal, failures: unknown[]): AsyncIterable<NamedAccounts> {
    try {
      for await (const page of this.#pages(signal)) {
        const mine = page.map(({ id }) => id).filter((id) => wanted.delete(id));
        yield* this.#addressesOf(mine);
      }
    } catch (error) {
      if (!isRefused(error)) throw error;
      yield* this.#singly([...wanted], signal, failures);
      return;
    }
    for (const group of groupsOf([...wanted], LIMITS.zimbraAccountsPerPage)) {
      yield* this.#addressesOf(group);
      await nextTurn();
    }
  }

  *#addressesOf(ids: readonly string[]): Iterable<NamedAccounts> {
    if (ids.length === 0) return;
    yield { ids, mailboxes: [...new Set(ids.flatMap((id) => this.#known.addresses(id)))] };
    for (const id of ids) this.#known.told(id);
  }

  async *#pages(signal: AbortSignal): AsyncIterable<readonly ZimbraAccount[]> {
    const { lookup, domains, mailboxes } = this.#options;
    for (const domain of domains) {
      for await (const page of lookup.ofDomain(domain, signal)) {
        this.#keep(page);
        yield page;
      }
    }
    const others = mailboxes.filter((mailbox) => !domains.includes(domainOf(mailbox)));
    for (const group of groupsOf(others, LIMITS.partsInFlight)) {
      const found = await Promise.all(group.map(async (mailbox) => this.#ask(`name ${mailbox}`, signal, () => lookup.byName(mailbox, this.#never))));
      const accounts = found.filter((account) => account !== undefined);
      if (accounts.length > 0) yield accounts;
    }
  }

  async #byId(id: string, signal: AbortSignal): Promise<void> {
    const account = await this.#ask(`id ${id}`, signal, () => this.#options.lookup.byId(id, this.#never));
    if (account === undefined) this.#known.expire(id);
  }

  /** One call however many want the same. */
  async #ask(key: string, signal: AbortSignal, call: () => Promise<ZimbraAccount | undefined>): Promise<ZimbraAccount | undefined> {
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = call().finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    const account = await untilAborted(pending, signal);
    if (account !== undefined) this.#keep([account]);
    return account;
  }

  #keep(accounts: readonly ZimbraAccount[]): void {
    for (const account of accounts) this.#known.keep(account);
  }
}

function residentOf({ mailbox, isSystem, foreignPrincipal }: ZimbraAccount): Resident {
  return { mailbox, isSystem, ...(foreignPrincipal === undefined ? {} : { foreignPrincipal }) };
}
