import type { Config, SystemConfig } from './config/config.ts';
import { LIMITS } from './core/limits.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { CalendarSystem } from './freebusy/calendar-system.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { HomeSystem, Routing } from './lookup/routing.ts';
import type { BackEnds } from './protocols/back-ends.ts';

/** A configured system with its client. */
export interface RunningSystem {
  readonly config: SystemConfig;
  readonly system: CalendarSystem;
}

/** What of a system the lookup goes by. */
export function homeSystem({ config, system }: RunningSystem): HomeSystem {
  const { name, type, domains, mailboxes, detail, cacheForMs, staleForMs } = config;
  return { name, isZimbra: type === 'zimbra', system, domains, mailboxes, detail, cacheForMs, staleForMs };
}

export async function closeSystems(systems: readonly RunningSystem[]): Promise<void> {
  await Promise.all(systems.map(({ system }) => system.close()));
}

/** Whatever has tokens or is found by Autodiscover, or may. */
export function exchangesOf({ systems, presence }: Config): Parameters<BackEnds['retain']>[0] {
  return [...systems.filter((one) => one.type === 'exchange-ews'), ...presence.gateways.filter(({ type }) => type === 'ews')];
}

/** Every lookup that may still answer somebody: during a reload two of them do, and both keep answers. */
export class LiveLookups {
  readonly #lookups = new Map<Lookup, Routing>();
  /** By these addresses feeds have named mailboxes, so they will again. The oldest goes. */
  readonly #named = new Set<MailboxAddress>();

  keep(lookup: Lookup, routing: Routing): Lookup {
    this.#lookups.set(lookup, routing);
    return lookup;
  }

  drop(lookup: Lookup): void {
    this.#lookups.delete(lookup);
  }

  /**
   * Calendars have changed: nothing that is kept of them is right.
   *
   * @param system who tells; absent: nobody knows where it was
   * @param mailboxes under whatever addresses; absent: anybody's of that system
   */
  changed(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    for (const [lookup, routing] of this.#lookups) {
      if (mailboxes === undefined) lookup.calendarsChanged(system);
      for (const mailbox of mailboxes ?? []) {
        const route = routing.route(mailbox);
        if (route.home === undefined) lookup.calendarsChanged(system);
        else lookup.calendarsChanged(route.home.name, [route.address, mailbox]);
      }
    }
    for (const mailbox of mailboxes ?? []) this.#named.delete(mailbox);
    for (const mailbox of mailboxes ?? []) this.#named.add(mailbox);
    for (const oldest of this.#named) {
      if (this.#named.size <= LIMITS.mailboxesNamedByFeeds) break;
      this.#named.delete(oldest);
    }
  }

  /** Whether a feed of its system has named a mailbox by this address: an alias it never does. */
  isNamed(mailbox: MailboxAddress): boolean {
    return this.#named.has(mailbox);
  }
}
