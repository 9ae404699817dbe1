import { domainOf } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { CalendarSystem } from '../freebusy/calendar-system.ts';

/** A configured system and whose mailboxes live there. */
export interface HomeSystem {
  readonly name: string;
  /** A Zimbra is not asked on behalf of a Zimbra (RequestContext.viaZimbra). */
  readonly isZimbra: boolean;
  readonly system: CalendarSystem;
  /** Lower case. */
  readonly domains: readonly string[];
  /** Stronger than any domain. */
  readonly mailboxes: readonly MailboxAddress[];
}

/** Where a mailbox lives: one system, none, or (a domain listed twice, with no directory to decide) nobody can tell. */
export type Route = { readonly home: HomeSystem } | { readonly home?: undefined; readonly claimedBy: readonly string[] };

/** Decides the home of a mailbox: its exact address first, then its domain. */
export class Routing {
  readonly #byMailbox = new Map<string, HomeSystem>();
  readonly #byDomain = new Map<string, HomeSystem[]>();

  constructor(systems: readonly HomeSystem[]) {
    for (const system of systems) {
      for (const mailbox of system.mailboxes) this.#byMailbox.set(mailbox, system);
      for (const domain of system.domains) this.#byDomain.set(domain, [...(this.#byDomain.get(domain) ?? []), system]);
    }
  }

  route(mailbox: MailboxAddress): Route {
    const exact = this.#byMailbox.get(mailbox);
    if (exact !== undefined) return { home: exact };
    const claims = this.#byDomain.get(domainOf(mailbox)) ?? [];
    return claims.length === 1 ? { home: claims[0]! } : { claimedBy: claims.map((one) => one.name) };
  }
}
