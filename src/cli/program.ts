import { Command, CommanderError } from 'commander';
import { LIMITS } from '../core/limits.ts';
import { check } from './check.ts';
import type { CheckOptions } from './check.ts';
import { decode } from './decode/decode.ts';
import type { DecodeOptions } from './decode/decode.ts';
import { EXIT } from './exit-code.ts';
import { addGalCommand } from './gal/gal-command.ts';
import { reachGal } from './gal/reach-gal.ts';
import type { ExitCode } from './exit-code.ts';
import { HASH_COSTS, printPasswordHash } from './hash-password.ts';
import type { HashPasswordOptions } from './hash-password.ts';
import { lookup } from './lookup.ts';
import type { LookupOptions } from './lookup.ts';
import { processPasswordInput } from './password-input.ts';
import { openStoredPresence } from './presence/open-stored-presence.ts';
import { addPresenceCommand } from './presence/presence-command.ts';
import { reachPresenceCheck } from './presence/reach-presence-check.ts';
import { reachPresence } from './presence/reach-presence.ts';
import { addPrivacyCommand } from './privacy/privacy-command.ts';
import { reachPrivacy } from './privacy/reach-privacy.ts';
import { push } from './push.ts';
import type { PushOptions } from './push.ts';
import { dropQueued, retryQueued, showQueue } from './queue.ts';
import type { QueueChangeOptions, QueueOptions } from './queue.ts';
import { reload } from './reload.ts';
import { addToSandbox, removeFromSandbox, sandbox } from './sandbox.ts';
import type { SandboxEntryOptions, SandboxOptions } from './sandbox.ts';
import { serve } from './serve.ts';
import { EXCHANGE_GENERATIONS } from './setup/exchange-generations.ts';
import { exchangeSetup, zimbraSetup } from './setup/setup.ts';
import type { ExchangeSetupOptions, ZimbraSetupOptions } from './setup/setup.ts';
import { ZIMBRA_WAYS } from './setup/zimbra-ways.ts';
import { processTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

const HASH_HELP = `
With cost 17 a verification takes about 0.3 s of one core and 128 MiB. The bridge verifies two at once and remembers who was right, so a client pays for it
once; with 14 it is an eighth of both. A client with a hash signs in by Basic, form, AuthRequest or LDAP bind, not by NTLM and not by preauth.
Example: openssl rand -base64 24 | tee /dev/tty | freebusy-bridge hash-password`;

/** Runs the command that the arguments name (`argv` as Node has it) and gives its exit code. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal = processTerminal): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const program = new Command('freebusy-bridge')
    .description('Free/busy between Zimbra and Microsoft Exchange: each side sees when the people of the other are busy.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.\nFirst time here? `npm start` shows it at work, with nothing to configure.');
  const config = ['-c, --config <file>', 'the bridge.yaml to use'] as const;

  program
    .command('serve')
    .description('run the bridge until SIGTERM; SIGHUP applies a changed file')
    .requiredOption(...config)
    .action(async (options: { config: string }) => {
      exit = await serve(options.config, terminal);
    });
  program
    .command('lookup')
    .description('ask about mailboxes as the faces do, without a running bridge')
    .argument('<address...>', 'whom to ask about')
    .requiredOption(...config)
    .option('--from <time>', 'ISO 8601, without a zone UTC; default: today 00:00 UTC')
    .option('--to <time>', 'ISO 8601; default: a day after --from')
    .option('--as <client>', 'with the rights of this client; default: everything')
    .option('--explain', 'show the route, what was asked upstream, the raw answer, why there is no data')
    .option('--json', 'print the body of /api/v1/freebusy')
    .action(async (addresses: string[], options: LookupOptions) => {
      exit = await lookup(addresses, options, terminal);
    });
  program
    .command('check')
    .description('try every system and client, and the replication: name, port, certificate, sign-in, rights, clock, version, Redis')
    .argument('[address...]', 'mailboxes to read when the right to read is tried')
    .requiredOption(...config)
    .option('--verbose', 'one line for every step')
    .option('--json', 'print everything as JSON')
    .action(async (addresses: string[], options: CheckOptions) => {
      exit = await check(addresses, options, terminal);
    });
  program
    .command('push')
    .description('write the free/busy of mailboxes into the systems that keep a replica, now; with or without a running bridge')
    .argument('[address...]', 'whose')
    .requiredOption(...config)
    .option('--all', 'everybody who is replicated')
    .option('--dry-run', 'write nothing: show where and what would be written')
    .option('--json', 'print the outcomes as JSON')
    .action(async (addresses: string[], options: PushOptions) => {
      exit = await push(addresses, options, terminal);
    });
  // The options of `queue` stand before or after its sub-command: it takes them, and the sub-commands name them for their help.
  const queue = program
    .command('queue')
    .description('what of the replication waits, runs and has failed')
    .requiredOption(...config)
    .addHelpText('after', '\nWithout a sub-command it is `queue show`. A change that failed for good stays until it is tried again or dropped.');
  queue
    .command('show', { isDefault: true })
    .description('print it, route by route')
    .option(...config)
    .option('--json', 'print it as JSON')
    .action(async (_options: unknown, command: Command) => {
      exit = await showQueue(command.optsWithGlobals<QueueOptions>(), terminal);
    });
  queue
    .command('retry')
    .description('try again now what has failed or waits for its next try')
    .argument('[address...]', 'whose')
    .option(...config)
    .option('--all', 'everything')
    .action(async (addresses: string[], _options: unknown, command: Command) => {
      exit = await retryQueued(addresses, command.optsWithGlobals<QueueChangeOptions>(), terminal);
    });
  queue
    .command('drop')
    .description('forget changes that were stored; the next pass over everybody reads the mailboxes again')
    .argument('[address...]', 'whose')
    .option(...config)
    .option('--all', 'everything')
    .action(async (addresses: string[], _options: unknown, command: Command) => {
      exit = await dropQueued(addresses, command.optsWithGlobals<QueueChangeOptions>(), terminal);
    });
  addGalCommand(program, terminal, reachGal, (ended) => {
    exit = ended;
  });
  addPresenceCommand(program, terminal, { reach: reachPresence(openStoredPresence), reachCheck: reachPresenceCheck }, (ended) => {
    exit = ended;
  });
  addPrivacyCommand(program, terminal, reachPrivacy, (ended) => {
    exit = ended;
  });
  program
    .command('decode')
    .description('print any free/busy message as people read it: a PROPFIND answer, a PROPPATCH, an EWS item, or a log with several of them')
    .argument('<file>', 'where it is; - for the standard input')
    .option('--json', 'print it as JSON')
    .action(async (file: string, options: DecodeOptions) => {
      exit = await decode(file, options, terminal);
    });
  program
    .command('hash-password')
    .description('print what stands as passwordHash: of a client in place of its password; the password is typed twice, or comes in one line of the standard input')
    .option('--cost <n>', `how dear a guess is, ${HASH_COSTS.min} to ${HASH_COSTS.max}; one more is twice the time and memory`, String(LIMITS.scryptDefaultCost))
    .addHelpText('after', HASH_HELP)
    .action(async (options: HashPasswordOptions) => {
      exit = await printPasswordHash(options, terminal, processPasswordInput);
    });
  program
    .command('reload')
    .description('have the running bridge apply a changed file')
    .requiredOption(...config)
    .action(async (options: { config: string }) => {
      exit = await reload(options.config, terminal);
    });
  program
    .command('exchange-setup')
    .description('print what to enter in Exchange, for each generation: sign-in, mail contacts, trust, address spaces, DNS, replication; asks nobody')
    .argument('[address...]', 'for whom mail contacts are written out')
    .requiredOption(...config)
    .option('--generation <name>', `only for this one, or several with commas between: ${EXCHANGE_GENERATIONS.join(', ')}; default: those that the system can be`)
    .option('--system <name>', 'which Exchange of the configuration, where there are several')
    .option('--client <name>', 'as which client it signs in, where several speak for it')
    .action(async (addresses: string[], options: ExchangeSetupOptions) => {
      exit = await exchangeSetup(addresses, options, terminal);
    });
  program
    .command('zimbra-setup')
    .description('print what to enter in Zimbra: trust, a line to try it, zmprov lines; asks nobody')
    .argument('[address...]', 'who is replicated and gets a foreign principal')
    .requiredOption(...config)
    .option('--way <way>', `as what Zimbra takes the bridge: ${ZIMBRA_WAYS.join(', ')}`, 'webdav')
    .option('--domain <domain>', 'for this domain of Zimbra instead of all of it (not with --way zimbra)')
    .option('--system <name>', 'which Zimbra of the configuration, where there are several')
    .option('--client <name>', 'as which client it signs in, where several speak for it')
    .action(async (addresses: string[], options: ZimbraSetupOptions) => {
      exit = await zimbraSetup(addresses, options, terminal);
    });
  const demonstration = program
    .command('sandbox')
    .description('run the demonstration: stand-ins for two Exchange and a Zimbra with a bridge between them, on loopback only')
    .option('--port <port>', 'of the bridge; default: 8480, or a free one')
    .option('--quiet', 'without the guided walk')
    .action(async (options: SandboxOptions) => {
      exit = await sandbox(options, terminal);
    });
  demonstration
    .command('add')
    .description('put an entry into a calendar of the running demonstration')
    .argument('<address>', 'whose calendar')
    .requiredOption('--from <time>', 'ISO 8601')
    .requiredOption('--to <time>', 'ISO 8601')
    .option('--type <type>', 'busy, tentative, oof, working-elsewhere or free', 'busy')
    .option('--subject <text>', 'what it is about', 'Added by hand')
    .action(async (address: string, options: SandboxEntryOptions) => {
      exit = await addToSandbox(address, options, terminal);
    });
  demonstration
    .command('remove')
    .description('take an entry out of a calendar of the running demonstration')
    .argument('<address>', 'whose calendar')
    .argument('<id>', 'of the entry, as `sandbox add` has printed it')
    .action(async (address: string, id: string) => {
      exit = await removeFromSandbox(address, id, terminal);
    });

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
  }
  return exit;
}
