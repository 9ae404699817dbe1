import type { Requester } from '../core/request-context.ts';
import { domainOf } from './smtp-address.ts';
import type { MailboxAddress } from './smtp-address.ts';
import { NO_WHEREABOUTS } from './whereabouts.ts';
import type { Whereabouts } from './whereabouts.ts';

/** A calendar system and whose mailboxes live there. */
export interface ServedSystem {
  readonly name: string;
  /** Lower case. */
  readonly domains: readonly string[];
  readonly mailboxes: readonly MailboxAddress[];
}

/**
 * Which addresses belong to a system that somebody may ask about. It says nothing of whether such a mailbox exists, so every address of a served
 * domain looks the same; an address of another domain counts where a directory says that its mailbox lives in such a system.
 */
export class ServedAddresses {
  readonly #domains = new Map<string, readonly string[]>();
  readonly #mailboxes = new Map<MailboxAddress, readonly string[]>();

  readonly #whereabouts: Whereabouts;

  constructor(systems: readonly ServedSystem[], whereabouts: Whereabouts = NO_WHEREABOUTS) {
    this.#whereabouts = whereabouts;
    for (const { name, domains, mailboxes } of systems) {
      for (const domain of domains) this.#domains.set(domain, [...(this.#domains.get(domain) ?? []), name]);
      for (const mailbox of mailboxes) this.#mailboxes.set(mailbox, [...(this.#mailboxes.get(mailbox) ?? []), name]);
    }
  }

  /** Whether the address is one that `requester` may ask about, by its exact spelling or its domain. */
  serves(address: MailboxAddress, requester: Requester): boolean {
    const systems = this.#mailboxes.get(address) ?? this.#domains.get(domainOf(address)) ?? [];
    if (mayAskAny(requester, systems)) return true;
    const home = this.#mailboxes.has(address) ? undefined : this.#whereabouts.find(address)?.home;
    return home !== undefined && mayAskAny(requester, [home]);
  }

  /** Whether the domain (in any case) is one whose mailboxes `requester` may ask about. */
  servesDomain(domain: string, requester: Requester): boolean {
    return mayAskAny(requester, this.#domains.get(domain.toLowerCase()) ?? []);
  }
}

function mayAskAny({ mayAsk, detail }: Requester, systems: readonly string[]): boolean {
  return detail !== 'none' && (mayAsk === 'all' ? systems.length > 0 : systems.some((name) => mayAsk.has(name)));
}
