import type { Config } from '../../config/config.ts';
import type { ExchangeSystem } from './exchange-script.ts';
import type { OtherSide } from './other-side.ts';
import { powerShell } from './quoting.ts';
import type { Step } from './script-part.ts';

/** The service account and the folder into which it writes; undefined where nothing is replicated into this Exchange. */
function folderOf(config: Config, { system }: OtherSide<ExchangeSystem>): { readonly folder: string; readonly account: string } | undefined {
  const organisation = system.legacyExchangeDn?.split(/\/cn=/i, 1)[0];
  if (organisation === undefined || !config.replication.some(({ to }) => to === system.name)) return undefined;
  return { folder: `\\NON_IPM_SUBTREE\\SCHEDULE+ FREE BUSY\\EX:${organisation}`, account: system.username };
}

/** The other way for old Outlooks: the bridge writes into the public folder, and nobody is asked. 2007 and 2010. */
export function replication(config: Config, side: OtherSide<ExchangeSystem>): readonly Step[] {
  const into = folderOf(config, side);
  if (into === undefined) return [];
  return [
    {
      title: 'Replication, for Outlook 2003 and whoever has no address space: the right to write into the folder (it may take hours to come into force). With an address space for a domain Exchange asks live and does not read the folder.',
      lines: [`Add-PublicFolderClientPermission ${powerShell(into.folder)} -User ${powerShell(into.account)} -AccessRights Owner`, `Get-PublicFolderClientPermission ${powerShell(into.folder)}`],
    },
    {
      title: 'Under which name each contact is published. Where the last cn is not the alias (2010 SP1 adds letters), the whole value goes into Zimbra: zmprov ma ADDRESS zimbraForeignPrincipal ad:VALUE',
      lines: ['Get-MailContact -ResultSize Unlimited | Format-List Name,LegacyExchangeDN'],
    },
  ];
}

/** The same for 2000 and 2003, which ask nobody and have no cmdlets. */
export function replicationWithoutShell(config: Config, side: OtherSide<ExchangeSystem>): Step {
  const into = folderOf(config, side);
  if (into === undefined) {
    return { title: 'This generation asks nobody: it reads its free/busy folder. Add a replication: entry and legacyExchangeDn to bridge.yaml, then run this again.', lines: [] };
  }
  return {
    title: 'This generation asks nobody: the bridge writes into its free/busy folder. There is no cmdlet for the right: in Exchange System Manager (or PFDAVAdmin),',
    lines: [
      `# below Folders, Public Folders, "View System Folders": ${into.folder}, Properties, Permissions: ${into.account} = Owner.`,
      '# Where the last cn of a contact\'s legacyExchangeDN (ADSI Edit) is not its alias, the whole value goes into Zimbra: zmprov ma ADDRESS zimbraForeignPrincipal ad:VALUE',
    ],
  };
}
