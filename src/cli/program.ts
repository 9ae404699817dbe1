import { Command, CommanderError } from 'commander';
import { check } from './check.ts';
import type { CheckOptions } from './check.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { lookup } from './lookup.ts';
import type { LookupOptions } from './lookup.ts';
import { reload } from './reload.ts';
import { addToSandbox, sandbox } from './sandbox.ts';
import type { SandboxEntryOptions, SandboxOptions } from './sandbox.ts';
import { serve } from './serve.ts';
import { processTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

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
    .description('try every system and client: name, port, certificate, sign-in, right to read, clock, version')
    .argument('[address...]', 'mailboxes to read when the right to read is tried')
    .requiredOption(...config)
    .option('--verbose', 'one line for every step')
    .option('--json', 'print everything as JSON')
    .action(async (addresses: string[], options: CheckOptions) => {
      exit = await check(addresses, options, terminal);
    });
  program
    .command('reload')
    .description('have the running bridge apply a changed file')
    .requiredOption(...config)
    .action(async (options: { config: string }) => {
      exit = await reload(options.config, terminal);
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

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
  }
  return exit;
}
