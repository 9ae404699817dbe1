import type { ZimbraConfig } from '../../config/config.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { loadConfiguration } from '../load-configuration.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { EXCHANGE_GENERATIONS } from './exchange-generations.ts';
import { exchangeScript } from './exchange-script.ts';
import { otherSideOf } from './other-side.ts';
import type { OtherSide } from './other-side.ts';
import { ZIMBRA_WAYS, zimbraScript } from './zimbra-script.ts';

export interface SetupOptions {
  readonly config: string;
  readonly system?: string;
}

export interface ExchangeSetupOptions extends SetupOptions {
  readonly generation?: string;
}

export interface ZimbraSetupOptions extends SetupOptions {
  readonly way?: string;
  readonly domain?: string;
}

/** `exchange-setup [ADDRESS...]`: prints what to enter in Exchange, by generation. Asks nobody. */
export async function exchangeSetup(texts: readonly string[], options: ExchangeSetupOptions, terminal: Terminal): Promise<ExitCode> {
  const generation = EXCHANGE_GENERATIONS.find((one) => one === options.generation?.toLowerCase());
  if (options.generation !== undefined && generation === undefined) return wrong(terminal, `--generation is one of ${EXCHANGE_GENERATIONS.join(', ')}`);
  const addresses = addressesOf(texts, terminal);
  const config = addresses === undefined ? undefined : await loadConfiguration(options.config, terminal);
  if (addresses === undefined || config === undefined) return EXIT.wrongUsage;
  const side = otherSideOf(config, ({ type }) => type === 'exchange-ews' || type === 'exchange-webdav', 'Exchange', options.system);
  if ('why' in side) return wrong(terminal, side.why);
  for (const line of exchangeScript(config, side, { generation, addresses })) terminal.print(line);
  return EXIT.done;
}

/** `zimbra-setup [ADDRESS...]`: prints what to enter in Zimbra. Asks nobody. */
export async function zimbraSetup(texts: readonly string[], options: ZimbraSetupOptions, terminal: Terminal): Promise<ExitCode> {
  const way = ZIMBRA_WAYS.find((one) => one === (options.way ?? 'webdav'));
  if (way === undefined) return wrong(terminal, `--way is one of ${ZIMBRA_WAYS.join(', ')}`);
  const addresses = addressesOf(texts, terminal);
  const config = addresses === undefined ? undefined : await loadConfiguration(options.config, terminal);
  if (addresses === undefined || config === undefined) return EXIT.wrongUsage;
  const side = otherSideOf(config, ({ type }) => type === 'zimbra', 'zimbra', options.system);
  if ('why' in side) return wrong(terminal, side.why);
  if (!isZimbra(side)) return wrong(terminal, `${side.system.name} is no Zimbra`);
  for (const line of zimbraScript(config, side, { way, domain: options.domain, addresses })) terminal.print(line);
  return EXIT.done;
}

function isZimbra(side: OtherSide): side is OtherSide & { readonly system: ZimbraConfig } {
  return side.system.type === 'zimbra';
}

function addressesOf(texts: readonly string[], terminal: Terminal): readonly MailboxAddress[] | undefined {
  const addresses = texts.flatMap((text) => parseMailboxAddress(text) ?? []);
  if (addresses.length === texts.length) return addresses;
  terminal.complain(`no mail address: ${texts.filter((text) => parseMailboxAddress(text) === undefined).map(shown).join(', ')}`);
  return undefined;
}

function wrong(terminal: Terminal, why: string): ExitCode {
  terminal.complain(shown(why));
  return EXIT.wrongUsage;
}
