import type { Config, SystemConfig } from '../../config/config.ts';
import { domainOf, localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** Names of the systems where a mailbox lives: an exact address is stronger than its domain. */
export function homesOf({ systems }: Config, address: MailboxAddress): readonly string[] {
  const named = (test: (system: SystemConfig) => boolean) => systems.filter(test).map(({ name }) => name);
  const exact = named(({ mailboxes }) => mailboxes.includes(address));
  return exact.length > 0 ? exact : named(({ domains }) => domains.includes(domainOf(address)));
}

/**
 * What an address is called inside Exchange: the alias of its contact, from which Exchange makes the last cn of the legacyExchangeDN, which
 * Zimbra's zimbraForeignPrincipal repeats. Addresses with the same local part get their domain appended, all of them, so that the order
 * in which they are named does not matter.
 */
export function aliasesOf(addresses: readonly MailboxAddress[]): ReadonlyMap<MailboxAddress, string> {
  return new Map([...grouped(addresses)].flatMap(([alias, same]) => same.map((address) => [address, same.length === 1 ? alias : `${alias}-${domainOf(address)}`] as const)));
}

/** A line of caution where local parts are the same. */
export function cautionsAboutAliases(addresses: readonly MailboxAddress[]): readonly string[] {
  return [...grouped(addresses).values()]
    .filter((same) => same.length > 1)
    .map((same) => `# CAUTION: ${same.join(' and ')} are the same before the @: their aliases have the domain appended. Name the same addresses to exchange-setup and to zimbra-setup.`);
}

function grouped(addresses: readonly MailboxAddress[]): ReadonlyMap<string, readonly MailboxAddress[]> {
  const groups = new Map<string, MailboxAddress[]>();
  for (const address of new Set(addresses)) groups.set(aliasOf(address), [...(groups.get(aliasOf(address)) ?? []), address]);
  return groups;
}

/** What Exchange takes for an alias. */
function aliasOf(address: MailboxAddress): string {
  return localPartOf(address).replace(/[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/g, '-');
}
