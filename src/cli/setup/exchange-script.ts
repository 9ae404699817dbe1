import type { Config, ExchangeEwsConfig, ExchangeWebdavConfig } from '../../config/config.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { contacts, contactsWithoutShell } from './exchange-contacts.ts';
import { GENERATION_GROUPS, generationsOf } from './exchange-generations.ts';
import type { ExchangeGeneration, GenerationGroup } from './exchange-generations.ts';
import { addressSpaces, dnsRecords, trust, tryIt } from './exchange-live.ts';
import { reading } from './exchange-reading.ts';
import { replication, replicationWithoutShell } from './exchange-replication.ts';
import type { OtherSide } from './other-side.ts';
import { listed, numbered, remarksOn } from './script-part.ts';
import type { Step } from './script-part.ts';

export type ExchangeSystem = ExchangeEwsConfig | ExchangeWebdavConfig;

export interface ExchangeScriptOptions {
  /** Only for these; empty: for all that the system can be. */
  readonly generations: readonly ExchangeGeneration[];
  /** For whom mail contacts are written out; empty: from a list in a file. */
  readonly addresses: readonly MailboxAddress[];
}

/**
 * What an administrator of Exchange enters so that its users see the other side: comments begin with `#`, everything else is
 * to be run as it stands. No password is in it: PowerShell asks for it.
 */
export function exchangeScript(config: Config, side: OtherSide<ExchangeSystem>, options: ExchangeScriptOptions): readonly string[] {
  const possible = generationsOf(side.system.type);
  const wanted = options.generations.length === 0 ? possible : options.generations;
  const impossible = wanted.filter((one) => !possible.includes(one));
  return [
    `# So that users of ${side.system.name} (Exchange) see when people of ${listed(side.domains)} are busy. The bridge: ${side.publicUrl}${options.generations.length === 0 ? '. Every generation that it can be; yours alone: --generation 2019 (or a list: 2010,2019)' : ''}`,
    ...remarksOn(side),
    ...(impossible.length === 0 ? [] : [`# CAUTION: ${side.system.name} is of type ${side.system.type}, which no Exchange ${impossible.join(', ')} is`]),
    ...GENERATION_GROUPS.filter(({ generations }) => generations.some((one) => wanted.includes(one))).flatMap((group) => ['', `# ── ${group.title}`, ...numbered(stepsFor(group, config, side, options.addresses))]),
  ];
}

function stepsFor({ way, readsSrv }: GenerationGroup, config: Config, side: OtherSide<ExchangeSystem>, addresses: readonly MailboxAddress[]): readonly Step[] {
  if (way === 'public-folder') return [...reading(config, side, way), replicationWithoutShell(config, side), contactsWithoutShell(config, side, addresses)];
  const { live, publicUrl } = side;
  const isOld = way === 'discovers';
  const asking = live === undefined ? [] : liveSteps({ live, publicUrl });
  return [...(way === 'online' ? [CONNECT] : []), ...reading(config, side, way), contacts(config, side, addresses), ...asking, ...(isOld ? replication(config, side) : [])];

  function liveSteps(one: { readonly live: NonNullable<typeof live>; readonly publicUrl: string }): readonly Step[] {
    return [
      ...(way === 'online' ? [ORGANISATION] : trust(one, isOld)),
      ...(isOld ? [dnsRecords(config, one, readsSrv === true)] : []),
      addressSpaces(one, !isOld),
      tryIt(one),
    ];
  }
}

const CONNECT: Step = { title: 'Exchange Online PowerShell.', lines: ['Connect-ExchangeOnline'] };

const ORGANISATION: Step = {
  title: 'Questions of Exchange Online come from Microsoft: the bridge must be reached from the Internet, with a certificate of a public authority.',
  lines: [
    '# OrgWideAccount: any mail-enabled security group or account of yours; it lets others ask you, and the cmdlets below want it to be there.',
    "if (-not (Get-AvailabilityConfig)) { New-AvailabilityConfig -OrgWideAccount 'AN-ACCOUNT-OF-YOURS' }",
  ],
};
