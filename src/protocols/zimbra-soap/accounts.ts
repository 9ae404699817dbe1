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
import { isRefused } from './account-lookup.ts';
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

  /** The account with that zimbraId; undefined where there is none. @throws BridgeError where it cannot be asked */
  async byId(id: string, signal: AbortSignal): Promise<Resident | undefined> {
    const account = this.#known.current(id) ?? (await this.#ask(`id ${id}`, signal, () => this.#options.lookup.byId(id, this.#never)));
    if (account === undefined) this.#known.expire(id);
    return account === undefined ? undefined : residentOf(account);
  }

  /**
   * Addresses of accounts that a WaitSet named, piece by piece until every id has come once. What is known is not asked for; a few are asked
   * singly, many by filters, thousands by one pass over our own domains (an id that is not found there is not ours, or gone).
   *
   * Going on to the next piece says that the one before has been told.
   *
   * @throws BridgeError where the server cannot be asked; what was given before holds
   */
  async *named(ids: Iterable<string>, signal: AbortSignal): AsyncIterable<NamedAccounts> {
    const current: string[] = [];
    const unknown = new Set<string>();
    const pace = new Pace(LIMITS.waitSetAccountsPerTurn);
    for (const id of ids) {
      if (this.#known.current(id) === undefined) unknown.add(id);
      else current.push(id);
      if (pace.spend(1)) await pace.turn();
    }
    for (const group of groupsOf(current, LIMITS.zimbraAccountsPerPage)) yield* this.#addressesOf(group);
    if (unknown.size <= LIMITS.zimbraIdsAskedSingly) yield* this.#singly([...unknown], signal);
    else if (unknown.size <= LIMITS.zimbraIdsAskedByFilter) yield* this.#byFilter([...unknown], signal);
    else yield* this.#byPass(unknown, signal);
  }

  async *#singly(ids: readonly string[], signal: AbortSignal): AsyncIterable<NamedAccounts> {
    for (const group of groupsOf(ids, LIMITS.partsInFlight)) {
      await Promise.all(group.map(async (id) => this.byId(id, signal)));
      yield* this.#addressesOf(group);
    }
  }

  async *#byFilter(ids: readonly string[], signal: AbortSignal): AsyncIterable<NamedAccounts> {
    for (const group of groupsOf(ids, LIMITS.zimbraIdsPerFilter)) {
      try {
        this.#keep(await this.#options.lookup.byIds(group, signal));
      } catch (error) {
        if (!isRefused(error)) throw error;
        yield* this.#singly(group, signal);
        continue;
      }
      yield* this.#addressesOf(group);
    }
  }

  async *#byPass(wanted: Set<string>, signal: AbortSignal): AsyncIterable<NamedAccounts> {
    try {
      for await (const page of this.#pages(signal)) {
        const mine = page.map(({ id }) => id).filter((id) => wanted.delete(id));
        yield* this.#addressesOf(mine);
      }
    } catch (error) {
      if (!isRefused(error)) throw error;
      yield* this.#singly([...wanted], signal);
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
