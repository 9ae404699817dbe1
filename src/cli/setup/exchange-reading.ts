import type { Config } from '../../config/config.ts';
import type { AskingWay } from './exchange-generations.ts';
import type { ExchangeSystem } from './exchange-script.ts';
import type { OtherSide } from './other-side.ts';
import { powerShell } from './quoting.ts';
import type { Step } from './script-part.ts';

/** How the bridge gets in to read (and to write, where it replicates): sign-in at the virtual directory, and the account. Nothing where nobody asks. */
export function reading({ clients, replication }: Config, { system }: OtherSide<ExchangeSystem>, way: AskingWay): readonly Step[] {
  const askers = clients.filter(({ mayAsk, detail }) => mayAsk.includes(system.name) && detail !== 'none');
  if (askers.length === 0 && !replication.some(({ to }) => to === system.name)) return [];
  const title = `Let the bridge in, as ${system.username}: an ordinary account with a mailbox, its password under systems.${system.name}.password.`;
  const hosts = system.servers.map(({ host }) => host).join(' and ');
  if (way === 'public-folder' || system.type === 'exchange-webdav') {
    return [{ title, lines: [`# At the virtual directories Exchange and Public of ${hosts}: ${SIGN_INS[system.signIn.kind]}.`] }];
  }
  if (way === 'online') return [{ title, lines: ['# The bridge signs in by Basic, which Exchange Online no longer takes for EWS: this version asks Exchange Online nothing, it only answers.'] }];
  const wantsSubjects = askers.some(({ detail }) => detail === 'details');
  return [
    {
      title,
      lines: [
        `# Basic sign-in for EWS, on every server to which ${hosts} leads:`,
        'Set-WebServicesVirtualDirectory "$env:COMPUTERNAME\\EWS (Default Web Site)" -BasicAuthentication $true',
        `Get-Mailbox ${powerShell(system.username)}`,
        ...(wantsSubjects && way === 'told' ? ["# Subjects are shown to clients with detail: details. A calendar gives them by (its folder has another name in other languages):", "#    Set-MailboxFolderPermission 'anna@corp.example:\\Calendar' -User Default -AccessRights LimitedDetails"] : []),
      ],
    },
  ];
}

const SIGN_INS = { form: 'forms-based sign-in (auth: form in bridge.yaml)', basic: 'Basic sign-in (auth: basic in bridge.yaml)', ntlm: 'Integrated Windows sign-in (auth: ntlm in bridge.yaml)', oauth: 'OAuth (auth: oauth in bridge.yaml)' } as const;
