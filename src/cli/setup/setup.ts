import type { Config, SystemConfig, ZimbraConfig } from '../../config/config.ts';
import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { EXCHANGE_GENERATIONS } from './exchange-generations.ts';
import type { ExchangeGeneration } from './exchange-generations.ts';
import { exchangeScript } from './exchange-script.ts';
import type { ExchangeSystem } from './exchange-script.ts';
import { otherSideOf } from './other-side.ts';
import { zimbraScript } from './zimbra-script.ts';
import { ZIMBRA_WAYS } from './zimbra-ways.ts';

export interface SetupOptions {
  readonly config: string;
  readonly system?: string;
  readonly client?: string;
}

export interface ExchangeSetupOptions extends SetupOptions {
  /** One or several, with commas between. */
  readonly generation?: string;
}

export interface ZimbraSetupOptions extends SetupOptions {
  readonly way?: string;
  readonly domain?: string;
}

/** `exchange-setup [ADDRESS...]`: prints what to enter in Exchange, by generation. Asks nobody. */
export async function exchangeSetup(texts: readonly string[], options: ExchangeSetupOptions, terminal: Terminal): Promise<ExitCode> {
  const generations = generationsIn(options.generation);
  if (generations === undefined) return wrong(terminal, `--generation is one of ${EXCHANGE_GENERATIONS.join(', ')}, or several with commas between`);
  const given = await readGiven(texts, options, terminal);
  if (given === undefined) return EXIT.wrongUsage;
  const side = otherSideOf(given.config, { isOfKind: isExchange, kind: 'Exchange', system: options.system, client: options.client });
  if ('why' in side) return wrong(terminal, side.why);
  return print(terminal, exchangeScript(given.config, side, { generations, addresses: given.addresses }));
}

/** `zimbra-setup [ADDRESS...]`: prints what to enter in Zimbra. Asks nobody. */
export async function zimbraSetup(texts: readonly string[], options: ZimbraSetupOptions, terminal: Terminal, clock: Clock = systemClock): Promise<ExitCode> {
  const way = ZIMBRA_WAYS.find((one) => one === (options.way ?? 'webdav'));
  if (way === undefined) return wrong(terminal, `--way is one of ${ZIMBRA_WAYS.join(', ')}`);
  if (way === 'zimbra' && options.domain !== undefined) return wrong(terminal, '--domain does not go with --way zimbra: zimbraFreebusyExternalZimbraURL exists in the global configuration only');
  const given = await readGiven(texts, options, terminal);
  if (given === undefined) return EXIT.wrongUsage;
  const side = otherSideOf(given.config, { isOfKind: isZimbra, kind: 'Zimbra', system: options.system, client: options.client });
  if ('why' in side) return wrong(terminal, side.why);
  const { name, domains } = side.system;
  const domain = options.domain?.toLowerCase();
  if (domain !== undefined && !domains.includes(domain)) return wrong(terminal, `${domain} is no domain of ${name}; there is ${domains.join(', ') || 'none'}`);
  return print(terminal, zimbraScript(given.config, side, { way, domain, addresses: given.addresses, now: clock.now() }));
}

function isExchange(system: SystemConfig): system is ExchangeSystem {
  return system.type === 'exchange-ews' || system.type === 'exchange-webdav';
}

function isZimbra(system: SystemConfig): system is ZimbraConfig {
  return system.type === 'zimbra';
}

/** None where none is named; undefined where one is not known. */
function generationsIn(text: string | undefined): readonly ExchangeGeneration[] | undefined {
  if (text === undefined) return [];
  const named = text.split(',').map((one) => EXCHANGE_GENERATIONS.find((known) => known === one.trim().toLowerCase()));
  return named.includes(undefined) ? undefined : named.flatMap((one) => one ?? []);
}

/** The addresses and the configuration; undefined where one of them is wrong, which it says. */
async function readGiven(texts: readonly string[], { config: file }: SetupOptions, terminal: Terminal): Promise<{ readonly config: Config; readonly addresses: readonly MailboxAddress[] } | undefined> {
  const bad = texts.filter((text) => parseMailboxAddress(text) === undefined);
  if (bad.length > 0) {
    terminal.complain(`no mail address: ${bad.map(shown).join(', ')}`);
    return undefined;
  }
  const config = await loadConfiguration(file, terminal);
  return config === undefined ? undefined : { config, addresses: texts.flatMap((text) => parseMailboxAddress(text) ?? []) };
}

function print(terminal: Terminal, lines: readonly string[]): ExitCode {
  for (const line of lines) terminal.print(shown(line));
  return EXIT.done;
}

function wrong(terminal: Terminal, why: string): ExitCode {
  terminal.complain(shown(why));
  return EXIT.wrongUsage;
}
