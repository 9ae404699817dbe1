import type { Config } from '../../config/config.ts';
import { localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { aliasesOf, cautionsAboutAliases, homesOf } from './addresses.ts';
import type { OtherSide } from './other-side.ts';
import { powerShell } from './quoting.ts';
import { listed } from './script-part.ts';
import type { Step } from './script-part.ts';

/** For whom contacts are written out, and a line for each address that can have none. */
interface ContactsFor {
  readonly named: readonly MailboxAddress[];
  readonly remarks: readonly string[];
}

/** Mail contacts by PowerShell: 2007 and later. */
export function contacts(config: Config, side: OtherSide, addresses: readonly MailboxAddress[]): Step {
  const { named, remarks } = sorted(config, side, addresses);
  const aliases = aliasesOf(named);
  const example = side.domains[0];
  return {
    title: 'A mail contact for everybody who is to be seen. Its external address decides which address space is asked; a mailbox of the same address would be asked instead.',
    lines: [
      ...remarks,
      ...named.map((address) => `New-MailContact -Name ${powerShell(address)} -Alias ${powerShell(aliases.get(address)!)} -ExternalEmailAddress ${powerShell(`SMTP:${address}`)}`),
      ...(named.length > 0 || example === undefined
        ? []
        : [
            `#    people.csv: a first line "Address,Name", then a line for each, like "kim@${example},Kim". From Zimbra: ${side.domains.map((domain) => `zmprov -l gaa ${domain}`).join('; ')}`,
            '#    Two people with the same part before the @ need an alias of their own: name them behind exchange-setup instead.',
            "Import-Csv people.csv | ForEach-Object { New-MailContact -Name $_.Name -Alias ($_.Address.Split('@')[0]) -ExternalEmailAddress ('SMTP:' + $_.Address) }",
          ]),
    ],
  };
}

/** LDIF for `ldifde`: there is no Exchange shell before 2007. The Recipient Update Service makes the legacyExchangeDN of what has a mailNickname. */
export function contactsWithoutShell(config: Config, side: OtherSide, addresses: readonly MailboxAddress[]): Step {
  const { named, remarks } = sorted(config, side, addresses);
  const aliases = aliasesOf(named);
  if (named.length === 0) {
    return {
      title: `A mail-enabled contact for everybody of ${listed(side.domains)}: in Active Directory Users and Computers, or name them: exchange-setup ADDRESS... prints them for ldifde.`,
      lines: remarks,
    };
  }
  return {
    title: 'The contacts, as contacts.ldf for: ldifde -i -f contacts.ldf   (put your own base in place of OU=Zimbra,DC=corp,DC=example)',
    lines: [
      ...remarks,
      ...named.flatMap((address) => [
        '',
        `dn: CN=${escapedInDn(address)},OU=Zimbra,DC=corp,DC=example`,
        'changetype: add',
        'objectClass: contact',
        `displayName: ${localPartOf(address)}`,
        `mailNickname: ${aliases.get(address)!}`,
        `mail: ${address}`,
        `targetAddress: SMTP:${address}`,
        `proxyAddresses: SMTP:${address}`,
      ]),
    ],
  };
}

function sorted(config: Config, { system, seen, domains, mailboxes }: OtherSide, addresses: readonly MailboxAddress[]): ContactsFor {
  const good: MailboxAddress[] = [];
  const remarks: string[] = [];
  for (const address of new Set(addresses)) {
    const homes = homesOf(config, address);
    if (homes.includes(system.name)) remarks.push(`# CAUTION: ${address} lives in ${system.name} itself: no contact for it`);
    else if (homes.some((home) => seen.includes(home))) good.push(address);
    else remarks.push(`# CAUTION: ${address} lives in no system that ${system.name} may see (${listed(domains)}): no contact for it`);
  }
  const named = [...new Set([...mailboxes, ...good])];
  return { named, remarks: [...remarks, ...cautionsAboutAliases(named)] };
}

/** RFC 4514 §2.4. */
function escapedInDn(text: string): string {
  return text.replace(/[,+"\\<>;=]/g, '\\$&').replace(/^#/, '\\#');
}
