import type { Config } from '../../config/config.ts';
import { localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { GENERATION_GROUPS } from './exchange-generations.ts';
import type { AskingWay, ExchangeGeneration } from './exchange-generations.ts';
import type { OtherSide } from './other-side.ts';
import { powerShell } from './quoting.ts';

export interface ExchangeScriptOptions {
  /** Only for this one; absent: for all. */
  readonly generation?: ExchangeGeneration | undefined;
  /** For whom mail contacts are written out; empty: from a list in a file. */
  readonly addresses: readonly MailboxAddress[];
}

/**
 * What an administrator of Exchange enters so that its users see the other side: comments begin with `#`, everything else is
 * to be run as it stands. No password is in it: PowerShell asks for it.
 */
export function exchangeScript(config: Config, side: OtherSide, options: ExchangeScriptOptions): readonly string[] {
  const groups = GENERATION_GROUPS.filter(({ generations }) => options.generation === undefined || generations.includes(options.generation));
  return [
    `# So that users of ${side.system.name} (Exchange) see when people of ${listed(side.domains)} are busy. The bridge: ${side.publicUrl}`,
    ...side.cautions.map((caution) => `# CAUTION: ${caution}`),
    ...groups.flatMap(({ title, way }) => ['', `# ── ${title}`, ...partFor(way, config, side, options.addresses)]),
  ];
}

function partFor(way: AskingWay, config: Config, side: OtherSide, addresses: readonly MailboxAddress[]): readonly string[] {
  switch (way) {
    case 'public-folder':
      return [...replicationPart(config, side, way), ...contactsWithoutShell(side, addresses)];
    case 'discovers':
      return [...contacts(side, addresses), ...dnsRecords(side), ...credentials(side), ...addressSpaces(side, undefined), ...checks(side), ...replicationPart(config, side, way)];
    case 'told':
      return [...contacts(side, addresses), ...credentials(side), ...addressSpaces(side, autodiscoverUrl(side)), ...checks(side)];
    case 'online':
      return [
        '# Basic sign-in of Exchange Online at the bridge goes out from Microsoft: the bridge must be reached from the Internet, with a certificate of a public authority.',
        "# OrgWideAccount: any mail-enabled security group or account of yours; it lets others ask you, and the cmdlet below wants it to be there.",
        "if (-not (Get-AvailabilityConfig)) { New-AvailabilityConfig -OrgWideAccount 'AN-ACCOUNT-OF-YOURS' }",
        ...contacts(side, addresses),
        ...credentials(side),
        ...addressSpaces(side, autodiscoverUrl(side)),
        ...checks(side),
      ];
  }
}

function contacts({ domains, mailboxes }: OtherSide, addresses: readonly MailboxAddress[]): readonly string[] {
  const named = [...new Set([...mailboxes, ...addresses])];
  return [
    '# 1. A mail contact for everybody who is to be seen. Its external address decides which address space is asked; a mailbox of the same address would be asked instead.',
    ...named.map((address) => `New-MailContact -Name ${powerShell(address)} -Alias ${powerShell(aliasOf(address))} -ExternalEmailAddress ${powerShell(`SMTP:${address}`)}`),
    ...(named.length > 0 || domains.length === 0
      ? []
      : [
          `#    people.csv: a first line "Address,Name", then a line for each, like "kim@${domains[0]!},Kim"`,
          "Import-Csv people.csv | ForEach-Object { New-MailContact -Name $_.Name -ExternalEmailAddress ('SMTP:' + $_.Address) }",
        ]),
  ];
}

/** LDIF for `ldifde`: there is no Exchange shell before 2007. The Recipient Update Service makes the legacyExchangeDN of what has a mailNickname. */
function contactsWithoutShell({ domains, mailboxes }: OtherSide, addresses: readonly MailboxAddress[]): readonly string[] {
  const named = [...new Set([...mailboxes, ...addresses])];
  if (named.length === 0) return [`# Make a mail-enabled contact for everybody of ${listed(domains)} in Active Directory Users and Computers, or name them here: exchange-setup ADDRESS... prints them for ldifde.`];
  return [
    '# The contacts, as contacts.ldf for: ldifde -i -f contacts.ldf   (put your own base in place of OU=…)',
    ...named.flatMap((address) => ['', `dn: CN=${address},OU=Zimbra,DC=corp,DC=example`, 'changetype: add', 'objectClass: contact', `mailNickname: ${aliasOf(address)}`, `mail: ${address}`, `targetAddress: SMTP:${address}`, `proxyAddresses: SMTP:${address}`]),
  ];
}

function dnsRecords({ domains, publicUrl }: OtherSide): readonly string[] {
  const { hostname, port } = new URL(publicUrl);
  const usual = port === '' || port === '443';
  return [
    '# 2. DNS: this generation cannot be told where Autodiscover is; it looks there, by https on port 443, and wants a certificate that names the host it asked for:',
    ...domains.map((domain) => `#    autodiscover.${domain}.  IN  CNAME  ${hostname}.`),
    ...(usual ? [] : [`#    The bridge is reached on port ${port}: have port 443 of these names lead to it, or, where Exchange looks for it (not 2007):`, ...domains.map((domain) => `#    _autodiscover._tcp.${domain}.  IN  SRV  0 0 ${port} ${hostname}.`)]),
  ];
}

function credentials({ client }: OtherSide): readonly string[] {
  return [
    `# The user name and password of the client ${client.name} of bridge.yaml; PowerShell asks for the password.`,
    `$bridge = Get-Credential ${powerShell(credentialName(client.credentials.username))}`,
  ];
}

/** Exchange takes `DOMAIN\user` and mail addresses only; the bridge looks past a domain that none of its clients has. */
function credentialName(username: string): string {
  return /[\\@]/.test(username) ? username : `BRIDGE\\${username}`;
}

/** One for each domain: the match is exact, a sub-domain needs its own. */
function addressSpaces({ domains }: OtherSide, autodiscover: string | undefined): readonly string[] {
  const target = autodiscover === undefined ? '' : ` -TargetAutodiscoverEpr ${powerShell(autodiscover)}`;
  return domains.map((domain) => `Add-AvailabilityAddressSpace -ForestName ${powerShell(domain)} -AccessMethod OrgWideFB -Credentials $bridge${target}`);
}

function checks({ domains }: OtherSide): readonly string[] {
  return [
    'Get-AvailabilityAddressSpace | Format-List ForestName,AccessMethod,TargetAutodiscoverEpr,UserName',
    `# Then look at somebody of ${domains[0] ?? 'theirs'} in the scheduling assistant of OWA. What fails is event 4002 of MSExchange Availability, and a line in the bridge's log.`,
    ...domains.map((domain) => `# To undo it: Remove-AvailabilityAddressSpace ${powerShell(domain)}`),
  ];
}

/** The other way for old Outlooks: the bridge writes into the public folder, and nobody is asked. */
function replicationPart(config: Config, { system }: OtherSide, way: AskingWay): readonly string[] {
  const isReplicated = config.replication.some(({ to }) => to === system.name);
  const template = 'legacyExchangeDn' in system ? system.legacyExchangeDn : undefined;
  const organisation = template?.split(/\/cn=/i, 1)[0];
  if (!isReplicated || organisation === undefined || !('username' in system) || system.username === undefined) {
    return way === 'public-folder' ? ['# This generation asks nobody: it reads its free/busy folder. Add a replication: entry and legacyExchangeDn to bridge.yaml, then run this again.'] : [];
  }
  const folder = `\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\EX:${organisation}`;
  if (way === 'public-folder') {
    return [
      '# This generation asks nobody: the bridge writes into its free/busy folder. There is no cmdlet for the right: in Exchange System Manager (or PFDAVAdmin),',
      `# below Folders, Public Folders, "View System Folders": ${folder}, Properties, Permissions: ${system.username} = Owner.`,
    ];
  }
  return [
    '# Replication, for Outlook 2003 and whoever has no address space: the right to write into the folder (it may take hours to come into force). With an address space for a domain Exchange asks live and does not read the folder.',
    `Add-PublicFolderClientPermission ${powerShell(folder)} -User ${powerShell(system.username)} -AccessRights Owner`,
    `Get-PublicFolderClientPermission ${powerShell(folder)}`,
  ];
}

function autodiscoverUrl({ publicUrl }: OtherSide): string {
  return `${publicUrl}/autodiscover/autodiscover.xml`;
}

/** What Exchange takes for an alias. */
function aliasOf(address: MailboxAddress): string {
  return localPartOf(address).replace(/[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/g, '-');
}

function listed(domains: readonly string[]): string {
  return domains.length === 0 ? 'the other side' : domains.join(', ');
}
