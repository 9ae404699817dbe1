import type { Config, ExchangeSignIn } from '../../config/config.ts';
import type { AskingWay } from './exchange-generations.ts';
import type { ExchangeSystem } from './exchange-script.ts';
import type { OtherSide } from './other-side.ts';
import { powerShell } from './quoting.ts';
import type { Step } from './script-part.ts';

/** How the bridge gets in to read (and to write, where it replicates): sign-in at the virtual directory, and its accounts. Nothing where nobody asks. */
export function reading({ clients, replication }: Config, { system }: OtherSide<ExchangeSystem>, way: AskingWay): readonly Step[] {
  const askers = clients.filter(({ mayAsk, detail }) => mayAsk.includes(system.name) && detail !== 'none');
  if (askers.length === 0 && !replication.some(({ to }) => to === system.name)) return [];
  const hosts = system.servers.length === 0 ? 'what Autodiscover says' : system.servers.map(({ host }) => host).join(' and ');
  const { kind } = system.signIn;
  const accounts = accountsOf(system.signIn);
  if (way === 'public-folder' || system.type === 'exchange-webdav') {
    return [{ title: titleFor(system, accounts), lines: [`# At the virtual directories Exchange and Public of ${hosts}: ${SIGN_INS[kind]} (auth: ${kind} in bridge.yaml).`] }];
  }
  if (way === 'online') return [kind === 'oauth' ? online(system) : { title: titleFor(system, accounts), lines: ['# Exchange Online takes tokens only: auth: oauth in bridge.yaml, and this script again. Microsoft ends EWS there by April 2027.'] }];
  const wantsSubjects = askers.some(({ detail }) => detail === 'details');
  return [
    {
      title: titleFor(system, accounts),
      lines: [
        `# ${SIGN_INS[kind]} for EWS, on every server to which ${hosts} leads:`,
        `Set-WebServicesVirtualDirectory "$env:COMPUTERNAME\\EWS (Default Web Site)" ${SWITCHES[kind]}`,
        ...(kind === 'ntlm' ? ['# Where a proxy ends the TLS before Exchange, Extended Protection refuses NTLM: let it pass TLS through.'] : []),
        ...accounts.map((account) => `Get-Mailbox ${powerShell(account)}`),
        ...impersonation(system, way === 'discovers', accounts),
        ...(wantsSubjects && way === 'told' ? ["# Subjects are shown to clients with detail: details. A calendar gives them by (its folder has another name in other languages):", "#    Set-MailboxFolderPermission 'anna@corp.example:\\Calendar' -User Default -AccessRights LimitedDetails"] : []),
      ],
    },
  ];
}

function accountsOf(signIn: ExchangeSignIn): readonly string[] {
  return signIn.kind === 'oauth' ? [] : signIn.accounts.map(({ username }) => username);
}

function titleFor(system: ExchangeSystem, accounts: readonly string[]): string {
  if (accounts.length === 0) return 'Let the bridge in, with tokens of its own.';
  const who = accounts.length === 1 ? 'an ordinary account with a mailbox, its password' : 'ordinary accounts with mailboxes, over which it spreads its questions; their passwords';
  return `Let the bridge in, as ${accounts.join(' and ')}: ${who} under systems.${system.name}.`;
}

/** Only where it asks in another one's name. */
function impersonation(system: ExchangeSystem, isOld: boolean, accounts: readonly string[]): readonly string[] {
  if (system.type !== 'exchange-ews' || system.impersonate === undefined) return [];
  return [
    `# It asks in the name of ${system.impersonate} (impersonate in bridge.yaml); it may take a quarter of an hour.`,
    ...accounts.map((account) => `New-ManagementRoleAssignment -Role ApplicationImpersonation -User ${powerShell(account)}`),
    ...(isOld ? ['# Exchange 2007 instead: Add-ADPermission with the extended rights ms-Exch-EPI-Impersonation on the servers and ms-Exch-EPI-May-Impersonate on the databases.'] : []),
  ];
}

function online(system: ExchangeSystem): Step {
  const { signIn } = system;
  const clientId = signIn.kind === 'oauth' ? signIn.oauth.clientId : '';
  return {
    title: 'Let the bridge in, as an application of your tenant (Microsoft Entra): until EWS ends there, by April 2027.',
    lines: [
      `# In Entra, the app registration ${clientId}: the application permission Office 365 Exchange Online, full_access_as_app, with admin consent; a certificate or a client secret as in bridge.yaml.`,
      '# It sees every mailbox then. Narrow it to a group that the people asked about are in:',
      `New-ApplicationAccessPolicy -AppId ${powerShell(clientId)} -PolicyScopeGroupId 'A-MAIL-ENABLED-SECURITY-GROUP' -AccessRight RestrictAccess -Description 'free/busy bridge'`,
      `# EWS has to be switched on for it: EWSEnabled $true, and ${clientId} among the allowed applications.`,
      ...(system.type === 'exchange-ews' && system.impersonate === undefined ? ['# In bridge.yaml, impersonate: names the mailbox in whose name it asks; without one Exchange Online refuses.'] : []),
    ],
  };
}

const SIGN_INS = { form: 'forms-based sign-in', basic: 'Basic sign-in', ntlm: 'Integrated Windows sign-in', oauth: 'OAuth' } as const;
const SWITCHES = { form: '-BasicAuthentication $true', basic: '-BasicAuthentication $true', ntlm: '-WindowsAuthentication $true', oauth: '-OAuthAuthentication $true' } as const;
