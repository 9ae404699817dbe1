import type { Config, ZimbraConfig } from '../../config/config.ts';
import type { Instant } from '../../core/clock.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';
import { listed, numbered, remarksOn } from './script-part.ts';
import type { Step } from './script-part.ts';
import { asking } from './zimbra-asking.ts';
import { addressBook } from './zimbra-gal.ts';
import { replication } from './zimbra-replication.ts';
import { tryIt } from './zimbra-try.ts';
import type { ZimbraWay } from './zimbra-ways.ts';

export interface ZimbraScriptOptions {
  readonly way: ZimbraWay;
  /** Of Zimbra, instead of all of it. */
  readonly domain?: string | undefined;
  /** Who is replicated into Exchange and gets a foreign principal. */
  readonly addresses: readonly MailboxAddress[];
  /** The example asks about the day after. */
  readonly now: Instant;
}

/** What an administrator of Zimbra enters, as the user zimbra: comments begin with `#`, everything else is to be run as it stands once the passwords are filled in. */
export function zimbraScript(config: Config, side: OtherSide<ZimbraConfig>, { way, domain, addresses, now }: ZimbraScriptOptions): readonly string[] {
  const { live, system, publicUrl } = side;
  const steps = [
    ...(live === undefined ? [] : [...trust(publicUrl), tryIt(side, live, way, now), asking(side, live, way, domain)]),
    ...reading(config, system),
    ...replication(config, side, addresses),
    ...addressBook(config, side, domain),
  ];
  return [
    `# So that users of ${system.name} (Zimbra) see when people of ${listed(side.domains)} are busy. The bridge: ${publicUrl}. As the user zimbra.`,
    ...remarksOn(side),
    ...(live === undefined || live.client.auth.includes('basic') ? [] : [`# CAUTION: the client ${live.client.name} has auth: [${live.client.auth.join(', ')}]. Zimbra can only do Basic: write auth: [basic]`]),
    ...(live === undefined || way === 'zimbra' ? [] : ['# A value of an account or its class of service is stronger than its domain\'s, and that is stronger than mcf, which is for all: zmprov gc COS, zmprov gd DOMAIN, zmprov ga ADDRESS, with "| grep -i freebusy".']),
    ...numbered(steps),
    '',
    '# At a quiet hour, once, on every mailbox server, for all of the above that needs it (certificates, localconfig, an external Zimbra): zmmailboxdctl restart',
  ];
}

function trust(publicUrl: string): readonly Step[] {
  if (!publicUrl.startsWith('https:')) return [];
  return [
    {
      title: "Zimbra's Java must trust the bridge's certificate. Only where it is from an authority of your own (ca.pem, without a key), on every mailbox server:",
      lines: ['#    /opt/zimbra/bin/zmcertmgr addcacert /tmp/ca.pem'],
    },
  ];
}

function reading({ clients, replication: routes }: Config, { name, username }: ZimbraConfig): readonly Step[] {
  if (username === undefined) return [{ title: 'The bridge has no account to read this Zimbra with (username: in bridge.yaml): nobody can ask about its users.', lines: [] }];
  if (!clients.some(({ mayAsk }) => mayAsk.includes(name)) && !routes.some(({ from }) => from === name)) return [];
  return [
    {
      title: `Let the bridge read Zimbra: an ordinary account, no administrator. THE-PASSWORD: systems.${name}.password of bridge.yaml.`,
      lines: ['# Users who restrict who sees their free/busy must let it in (the right viewFreeBusy).', `zmprov ca ${shellWord(username)} 'THE-PASSWORD' zimbraHideInGal TRUE`],
    },
  ];
}
