import type { Config, ZimbraConfig } from '../../config/config.ts';
import { localPartOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';

/** How a stock Zimbra asks the bridge; it can do only one of them (zimbra.md §0). */
export const ZIMBRA_WAYS = ['webdav', 'ews', 'zimbra'] as const;
export type ZimbraWay = (typeof ZIMBRA_WAYS)[number];

export interface ZimbraScriptOptions {
  readonly way: ZimbraWay;
  /** Of Zimbra, instead of all of it. */
  readonly domain?: string | undefined;
  /** Who is replicated into Exchange and gets a foreign principal. */
  readonly addresses: readonly MailboxAddress[];
}

const PASSWORD = "'THE-PASSWORD'";

/** What an administrator of Zimbra enters, as the user zimbra: comments begin with `#`, everything else is to be run as it stands once the passwords are filled in. */
export function zimbraScript(config: Config, side: OtherSide & { readonly system: ZimbraConfig }, options: ZimbraScriptOptions): readonly string[] {
  return [
    `# So that users of ${side.system.name} (Zimbra) see when people of ${side.domains.join(', ') || 'the other side'} are busy. The bridge: ${side.publicUrl}`,
    ...side.cautions.map((caution) => `# CAUTION: ${caution}`),
    '',
    ...askingPart(side, options),
    '',
    ...readingPart(side.system),
    ...replicationPart(config, side, options.addresses),
  ];
}

function askingPart({ client, publicUrl, domains }: OtherSide, { way, domain }: ZimbraScriptOptions): readonly string[] {
  const modify = domain === undefined ? 'zmprov mcf' : `zmprov md ${shellWord(domain)}`;
  const { username } = client.credentials;
  const intro = `# ── Let Zimbra ask the bridge (client ${client.name} of bridge.yaml). It asks about every address that is no mailbox of its own.`;
  if (way === 'zimbra') {
    const { protocol, host } = new URL(publicUrl);
    return [
      intro,
      '# As an external Zimbra: the bridge speaks its SOAP. Not together with zimbraFreebusyExchangeURL: Zimbra refuses both. It takes effect with a restart of the mailbox service.',
      '# % escapes what has a meaning in a URL: : is %3A, @ is %40.',
      `zmprov mcf zimbraFreebusyExchangeURL ''`,
      `zmprov mcf +zimbraFreebusyExternalZimbraURL ${protocol}//${encodeURIComponent(username)}:THE-PASSWORD@${host}`,
      'zmmailboxdctl restart',
    ];
  }
  const url = way === 'webdav' ? publicUrl : `${publicUrl}/EWS/Exchange.asmx`;
  const try_ = way === 'webdav' ? [`curl -u ${shellWord(username)} '${publicUrl}/public/?cmd=freebusy&start=${EXAMPLE_DAY}T08:00:00Z&end=${EXAMPLE_DAY}T18:00:00Z&interval=30&u=SMTP:somebody@${domains[0] ?? 'corp.example'}'`] : [];
  return [
    intro,
    ...(way === 'webdav' ? ['# As an Exchange 2003 (works in every version). --way ews takes the place of one with EWS, which shows subjects too where the client may see them.'] : ['# As an Exchange with EWS: the whole URL, and the scheme is needed although it is not used.']),
    `${modify} zimbraFreebusyExternalZimbraURL ''`,
    `${modify} zimbraFreebusyExchangeURL ${shellWord(url)}`,
    `${modify} zimbraFreebusyExchangeAuthScheme basic`,
    `${modify} zimbraFreebusyExchangeAuthUsername ${shellWord(username)}`,
    `${modify} zimbraFreebusyExchangeAuthPassword ${PASSWORD}`,
    `${modify} zimbraFreebusyExchangeServerType ${way}`,
    '# Zimbra\'s Java must trust the certificate: zmcertmgr addcacert ca.pem, then zmmailboxdctl restart.',
    ...(try_.length === 0 ? [] : ['# Try it as Zimbra will, from the Zimbra server (digits: 0 free, 1 tentative, 2 busy, 3 out of office, 4 unknown):', ...try_]),
    `# To undo it: ${modify} zimbraFreebusyExchangeURL ''`,
  ];
}

/** Any day does. */
const EXAMPLE_DAY = '2026-11-23';

function readingPart({ username }: ZimbraConfig): readonly string[] {
  if (username === undefined) return ['# The bridge has no account to read this Zimbra with (username: in bridge.yaml): nobody can ask about its users.'];
  return [
    '# ── Let the bridge read Zimbra: an ordinary account, no administrator. Users who restrict who sees their free/busy must let it in (the right viewFreeBusy).',
    `zmprov ca ${shellWord(username)} ${PASSWORD} zimbraHideInGal TRUE`,
  ];
}

function replicationPart(config: Config, { system }: OtherSide & { readonly system: ZimbraConfig }, addresses: readonly MailboxAddress[]): readonly string[] {
  if (!config.replication.some(({ from }) => from === system.name)) return [];
  return [
    '',
    '# ── Replication: the bridge hears of changes',
    ...(system.admin === undefined
      ? ['# Without admin: in bridge.yaml it hears by POST /notify only.']
      : ['# A global administrator, for WaitSets over all accounts and their names; it reads no calendar.', `zmprov ca ${shellWord(system.admin.username)} ${PASSWORD} zimbraIsAdminAccount TRUE zimbraHideInGal TRUE`]),
    '# A change is told within a second instead of three:',
    'zmlocalconfig -e zimbra_waitset_nodata_sleep_time=200 && zmmailboxdctl restart',
    "# Whoever is replicated says which contact of Exchange is theirs (the last cn of its legacyExchangeDN, or all of it):",
    ...(addresses.length === 0 ? ['# zmprov ma kim@zimbra.example +zimbraForeignPrincipal ad:kim        (zimbra-setup ADDRESS... prints them)'] : []),
    ...addresses.map((address) => `zmprov ma ${shellWord(address)} +zimbraForeignPrincipal ${shellWord(`ad:${localPartOf(address)}`)}`),
    '# zimbraFreebusyExchangeUserOrg may stay empty. Where a domain, class of service or account still has a zimbraFreebusyExchangeURL of a real Exchange, take it away: two writers overwrite each other.',
  ];
}
