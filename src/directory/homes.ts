import type { ServedSystem } from './served-addresses.ts';
import { domainOf } from './smtp-address.ts';
import type { MailboxAddress } from './smtp-address.ts';
import type { Whereabout } from './whereabouts.ts';

/** Where a mailbox lives: one system, none, or nobody can tell. */
export type HomeDecision = { readonly home: string } | { readonly home?: undefined; readonly claimedBy: readonly string[] };

/**
 * Decides the home of a mailbox. A system's `mailboxes` are stronger than what directories say, these are stronger than its `domains`; a domain that several
 * systems list decides nothing, unless a directory says of all but one that the mailbox is not there.
 */
export class Homes {
  readonly #byMailbox = new Map<MailboxAddress, string>();
  readonly #byDomain = new Map<string, readonly string[]>();

  constructor(systems: readonly ServedSystem[]) {
    for (const { name, domains, mailboxes } of systems) {
      for (const mailbox of mailboxes) this.#byMailbox.set(mailbox, name);
      for (const domain of domains) this.#byDomain.set(domain, [...(this.#byDomain.get(domain) ?? []), name]);
    }
  }

  /** @param known what the directories say of it */
  of(mailbox: MailboxAddress, known: Whereabout | undefined): HomeDecision {
    const exact = this.#byMailbox.get(mailbox) ?? (known === undefined ? undefined : this.#byMailbox.get(known.address));
    if (exact !== undefined) return { home: exact };
    if (known?.home !== undefined) return { home: known.home };
    const claims = this.#byDomain.get(domainOf(known?.address ?? mailbox)) ?? [];
    const left = claims.length > 1 ? claims.filter((name) => known?.notIn.includes(name) !== true) : claims;
    return left.length === 1 ? { home: left[0]! } : { claimedBy: claims };
  }
}
