import type { ServedSystem } from './served-addresses.ts';
import { domainOf } from './smtp-address.ts';
import type { MailboxAddress } from './smtp-address.ts';
import type { Whereabout } from './whereabouts.ts';

/** Where a mailbox lives, and by which address its home knows it: one system, none, or nobody can tell. */
export type HomeDecision = { readonly home: string; readonly address: MailboxAddress } | { readonly home?: undefined; readonly claimedBy: readonly string[] };

/**
 * Decides the home of a mailbox. A system's `mailboxes` are stronger than what directories say, these are stronger than its `domains`; a domain that several
 * systems list decides nothing, unless a directory says of all but one that the mailbox is not there. Directories that contradict each other leave it undecided.
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

  /** The systems that list a domain. */
  listing(domain: string): readonly string[] {
    return this.#byDomain.get(domain) ?? [];
  }

  /** @param known what the directories say of it */
  of(mailbox: MailboxAddress, known: Whereabout | undefined): HomeDecision {
    const own = this.#byMailbox.get(mailbox);
    // Whom the directories take for somebody of another system is asked about as he is written.
    if (own !== undefined) return { home: own, address: known?.home === own ? known.address : mailbox };
    const address = known?.address ?? mailbox;
    const exact = this.#byMailbox.get(address) ?? known?.home;
    if (exact !== undefined) return { home: exact, address };
    if (known?.claimedBy !== undefined) return { claimedBy: known.claimedBy };
    const claims = this.listing(domainOf(address));
    const left = claims.length > 1 ? claims.filter((name) => known?.notIn.includes(name) !== true) : claims;
    return left.length === 1 ? { home: left[0]!, address } : { claimedBy: claims };
  }
}
