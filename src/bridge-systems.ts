import type { Config, SystemConfig } from './config/config.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { CalendarSystem } from './freebusy/calendar-system.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { HomeSystem } from './lookup/routing.ts';
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
  readonly #lookups = new Set<Lookup>();

  keep(lookup: Lookup): Lookup {
    this.#lookups.add(lookup);
    return lookup;
  }

  drop(lookup: Lookup): void {
    this.#lookups.delete(lookup);
  }

  /** See Lookup.calendarsChanged. */
  changed(system?: string, mailboxes?: readonly MailboxAddress[]): void {
    for (const lookup of this.#lookups) lookup.calendarsChanged(system, mailboxes);
  }
}
