import type { DetailLevel } from '../core/request-context.ts';
import { Homes } from '../directory/homes.ts';
import { domainOf } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { NO_WHEREABOUTS } from '../directory/whereabouts.ts';
import type { ExpandedGroup, Whereabouts } from '../directory/whereabouts.ts';
import type { CalendarSystem } from '../freebusy/calendar-system.ts';

/** A configured system and whose mailboxes live there. */
export interface HomeSystem {
  readonly name: string;
  /** A Zimbra is not asked on behalf of a Zimbra (RequestContext.viaZimbra). */
  readonly isZimbra: boolean;
  readonly system: CalendarSystem;
  /** Lower case. */
  readonly domains: readonly string[];
  /** Stronger than any directory and any domain. */
  readonly mailboxes: readonly MailboxAddress[];
  /** The most that anybody sees of its mailboxes; absent: everything. */
  readonly detail?: Exclude<DetailLevel, 'none'> | undefined;
  /** How long an answer of it is given again without asking; 0: never, and nothing is kept but for `staleForMs`. Absent: LIMITS.freshMs, LIMITS.followedFreshMs for a mailbox whose changes are heard of. */
  readonly cacheForMs?: number | undefined;
  /** How old an answer may be that is given when it does not answer, also to clients that are not told how old it is; absent: none is. */
  readonly staleForMs?: number | undefined;
}

/** Where a mailbox lives: one system, none, or (several list its domain and no directory decides, or directories contradict each other) nobody can tell. */
export type Route =
  | {
      readonly home: HomeSystem;
      /** As its home knows it: the primary address behind an alias, without `+…`. */
      readonly address: MailboxAddress;
    }
  | { readonly home?: undefined; readonly claimedBy: readonly string[] };

/** Decides the home of a mailbox: its exact address first, then what the directories say, then its domain. */
export class Routing {
  readonly #systems: ReadonlyMap<string, HomeSystem>;
  readonly #homes: Homes;
  readonly #whereabouts: Whereabouts;

  constructor(systems: readonly HomeSystem[], whereabouts: Whereabouts = NO_WHEREABOUTS) {
    this.#systems = new Map(systems.map((one) => [one.name, one]));
    this.#homes = new Homes(systems);
    this.#whereabouts = whereabouts;
  }

  route(mailbox: MailboxAddress): Route {
    const decision = this.#homes.of(mailbox, this.#whereabouts.find(mailbox));
    if (decision.home === undefined) return decision;
    const home = this.#systems.get(decision.home);
    return home === undefined ? { claimedBy: [] } : { home, address: decision.address };
  }

  /** Where a mailbox of this domain that nobody knows is asked about: the only system that lists it. */
  homeOfUnknown(mailbox: MailboxAddress): HomeSystem | undefined {
    const listing = this.#homes.listing(domainOf(mailbox));
    return listing.length === 1 ? this.#systems.get(listing[0]!) : undefined;
  }

  /** The mailboxes of a group; undefined for what is none. */
  expand(group: MailboxAddress, most: number): ExpandedGroup | undefined {
    return this.#whereabouts.expand(group, most);
  }
}
