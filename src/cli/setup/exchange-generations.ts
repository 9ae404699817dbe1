import type { SystemConfig } from '../../config/config.ts';

/** The generations of Exchange, oldest first, as `--generation` takes them. */
export const EXCHANGE_GENERATIONS = ['2000', '2003', '2007', '2010', '2013', '2016', '2019', 'se', 'online'] as const;
export type ExchangeGeneration = (typeof EXCHANGE_GENERATIONS)[number];

/** How a generation learns of free/busy elsewhere (exchange.md §4.4). */
export type AskingWay =
  /** It reads its public folder only; there is no PowerShell. */
  | 'public-folder'
  /** An address space; where Autodiscover answers is found by DNS. */
  | 'discovers'
  /** An address space that names the Autodiscover URL. */
  | 'told'
  /** The same, after New-AvailabilityConfig. */
  | 'online';

/** Generations that take the same commands, with the title of their part of the script. */
export interface GenerationGroup {
  readonly title: string;
  readonly generations: readonly ExchangeGeneration[];
  readonly way: AskingWay;
  /** Whether it looks for Autodiscover by SRV record too. */
  readonly readsSrv?: true;
}

export const GENERATION_GROUPS: readonly GenerationGroup[] = [
  { title: 'Exchange 2000 and 2003', generations: ['2000', '2003'], way: 'public-folder' },
  { title: 'Exchange 2007 (Exchange Management Shell, on a Client Access server)', generations: ['2007'], way: 'discovers' },
  { title: 'Exchange 2010 (Exchange Management Shell, on a Client Access server)', generations: ['2010'], way: 'discovers', readsSrv: true },
  { title: 'Exchange 2013, 2016, 2019 and SE (Exchange Management Shell)', generations: ['2013', '2016', '2019', 'se'], way: 'told' },
  { title: 'Exchange Online (Exchange Online PowerShell)', generations: ['online'], way: 'online' },
];

/** Which generations a system of this type can be. */
export function generationsOf(type: SystemConfig['type']): readonly ExchangeGeneration[] {
  return type === 'exchange-webdav' ? ['2000', '2003', '2007'] : EXCHANGE_GENERATIONS.slice(EXCHANGE_GENERATIONS.indexOf('2007'));
}
