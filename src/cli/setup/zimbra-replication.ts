import type { Config, ZimbraConfig } from '../../config/config.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { aliasesOf, cautionsAboutAliases, homesOf } from './addresses.ts';
import type { OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';
import type { Step } from './script-part.ts';

/** How the bridge hears of changes, and whose; where nothing is replicated from this Zimbra, only what addresses are named for nothing. */
export function replication(config: Config, { system }: OtherSide<ZimbraConfig>, addresses: readonly MailboxAddress[]): readonly Step[] {
  if (!config.replication.some(({ from }) => from === system.name)) {
    return addresses.length === 0 ? [] : [{ title: `Nothing is replicated from ${system.name} (no replication: entry of bridge.yaml), so nobody needs a zimbraForeignPrincipal.`, lines: [] }];
  }
  return [
    {
      title: 'Replication: the bridge hears of changes.',
      lines: [
        ...(system.admin === undefined
          ? ['# Without admin: in bridge.yaml it hears by POST /notify only.']
          : [
              `# A global administrator, for WaitSets over all accounts and their names; it reads no calendar. THE-PASSWORD: systems.${system.name}.admin.password of bridge.yaml.`,
              `zmprov ca ${shellWord(system.admin.username)} 'THE-PASSWORD' zimbraIsAdminAccount TRUE zimbraHideInGal TRUE`,
            ]),
        '# A change is told within a second instead of three, after the restart below:',
        'zmlocalconfig -e zimbra_waitset_nodata_sleep_time=200',
      ],
    },
    foreignPrincipals(config, system, addresses),
  ];
}

function foreignPrincipals(config: Config, system: ZimbraConfig, addresses: readonly MailboxAddress[]): Step {
  const own = [...new Set(addresses)].filter((address) => homesOf(config, address).includes(system.name));
  const strangers = [...new Set(addresses)].filter((address) => !own.includes(address));
  const aliases = aliasesOf([...new Set([...system.mailboxes, ...own])]);
  return {
    title: 'Whoever is replicated says which contact of Exchange is theirs: the last cn of its legacyExchangeDN (exchange-setup gives contacts these aliases), or ad: and all of it where that differs.',
    lines: [
      ...strangers.map((address) => `# CAUTION: ${address} does not live in ${system.name}: no zimbraForeignPrincipal for it`),
      ...cautionsAboutAliases([...system.mailboxes, ...own]),
      ...(own.length === 0 ? ['# zmprov ma kim@zimbra.example +zimbraForeignPrincipal ad:kim        (zimbra-setup ADDRESS... prints them)'] : []),
      ...own.map((address) => `zmprov ma ${shellWord(address)} +zimbraForeignPrincipal ${shellWord(`ad:${aliases.get(address)!}`)}`),
      '# zimbraFreebusyExchangeUserOrg may stay empty. Where a domain, class of service or account still has a zimbraFreebusyExchangeURL of a real Exchange, take it away: two writers overwrite each other.',
    ],
  };
}
