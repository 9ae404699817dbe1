import { LIMITS } from '../core/limits.ts';
import { BridgeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { PushProgress } from './push-progress.ts';
import { errorsOf, isFailed, NO_PATIENCE, pushOne } from './push-one.ts';
import type { Pushed } from './push-one.ts';
import { pushedInWords, pushedJson } from './push-words.ts';
import type { Replicating } from './replicating.ts';
import type { Terminal } from './terminal.ts';

/** Failures in a row after which the rest would fail as well; three wrong passwords lock no account yet, and a server may be away for a moment. */
const HOPELESS_AFTER: Readonly<Partial<Record<ErrorCode, number>>> = { BACKEND_AUTH: 3, BACKEND_TLS: 3, BACKEND_REDIRECT: 3, CONFIGURATION: 3, STORE_UNAVAILABLE: 3, BACKEND_UNREACHABLE: 20 };

export interface PushEveryoneOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

/**
 * `push --all`: lists whom that means, then pushes one after another until one goes well, and several at a time from then on. A line for
 * each that was not written, progress meanwhile, and a summary. 1 when any failed, or when it gave up.
 *
 * @throws BridgeError where the list cannot be read
 */
export async function pushEveryone(replication: Replicating, options: PushEveryoneOptions, signal: AbortSignal, terminal: Terminal): Promise<ExitCode> {
  const progress = new PushProgress(terminal);
  try {
    const mailboxes = await listed(replication, signal, progress);
    const run = new Pass(replication, mailboxes, options, signal, terminal, progress);
    await run.toEnd();
    progress.close();
    if (options.json === true) terminal.print(JSON.stringify(run.pushed.flatMap(pushedJson), undefined, 2));
    for (const line of run.summary()) (options.json === true ? terminal.complain : terminal.print)(line);
    return run.isComplete && progress.failed === 0 ? EXIT.done : EXIT.failed;
  } finally {
    progress.close();
  }
}

async function listed(replication: Replicating, signal: AbortSignal, progress: PushProgress): Promise<readonly MailboxAddress[]> {
  const mailboxes = new Set<MailboxAddress>();
  for await (const part of replication.everyone(signal)) {
    for (const mailbox of part) mailboxes.add(mailbox);
    progress.listed(mailboxes.size);
    if (signal.aborted) throw new BridgeError('DEADLINE', 'the command was ended');
  }
  return [...mailboxes];
}

class Pass {
  readonly #replication: Replicating;
  readonly #waiting: readonly MailboxAddress[];
  readonly #options: PushEveryoneOptions;
  readonly #signal: AbortSignal;
  readonly #terminal: Terminal;
  readonly #progress: PushProgress;
  readonly #failuresInARow = new Map<ErrorCode, number>();
  readonly #counts = new Map<string, number>();
  /** All of them with --json; without, nobody wants them twice. */
  readonly pushed: Pushed[] = [];
  #next = 0;
  #done = 0;
  #hasSucceeded = false;
  #gaveUp: ErrorCode | undefined;

  constructor(replication: Replicating, mailboxes: readonly MailboxAddress[], options: PushEveryoneOptions, signal: AbortSignal, terminal: Terminal, progress: PushProgress) {
    this.#replication = replication;
    this.#waiting = mailboxes;
    this.#options = options;
    this.#signal = signal;
    this.#terminal = terminal;
    this.#progress = progress;
    progress.begin(mailboxes.length);
  }

  get isComplete(): boolean {
    return this.#done === this.#waiting.length;
  }

  async toEnd(): Promise<void> {
    while (!this.#hasSucceeded && this.#goesOn()) await this.#pushNext();
    await Promise.all(Array.from({ length: LIMITS.pushedAtOnce }, async () => {
      while (this.#goesOn()) await this.#pushNext();
    }));
  }

  #goesOn(): boolean {
    return this.#next < this.#waiting.length && this.#gaveUp === undefined && !this.#signal.aborted;
  }

  async #pushNext(): Promise<void> {
    const pushed = await pushOne(this.#replication, this.#waiting[this.#next++]!, { dryRun: this.#options.dryRun === true, signal: this.#signal }, NO_PATIENCE);
    if (this.#signal.aborted && isFailed(pushed)) return;
    this.#done++;
    this.#judge(pushed);
    this.#progress.pushed(isFailed(pushed));
    for (const name of pushed.error === undefined ? pushed.outcomes.map(({ outcome }) => outcome) : (['failed'] as const)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (this.#options.json === true) this.pushed.push(pushed);
    else if (this.#options.dryRun === true || pushed.error !== undefined || pushed.outcomes.some(({ outcome }) => outcome === 'failed' || outcome === 'removed')) {
      for (const line of await pushedInWords(pushed)) this.#terminal.print(line);
    }
  }

  /** A server that refuses us as a whole is not asked for everybody. */
  #judge(pushed: Pushed): void {
    const errors = errorsOf(pushed);
    if (errors.length === 0) {
      this.#hasSucceeded = true;
      this.#failuresInARow.clear();
    }
    for (const code of new Set(errors.map((error) => error.code))) {
      const count = (this.#failuresInARow.get(code) ?? 0) + 1;
      this.#failuresInARow.set(code, count);
      if (count >= (HOPELESS_AFTER[code] ?? Infinity)) this.#gaveUp = code;
    }
  }

  summary(): readonly string[] {
    const counts = [...this.#counts].map(([name, count]) => `${count} ${name.replace('would-write', 'would be written').replace('would-remove', 'would be removed')}`);
    const lines = [`${this.#done} of ${this.#waiting.length} mailboxes${counts.length === 0 ? '' : `: ${counts.join(', ')}`} in ${this.#progress.duration}`];
    if (this.#gaveUp !== undefined) lines.push(`gave up: ${this.#gaveUp} again and again; the rest would fail as well`);
    if (this.#signal.aborted) lines.push('ended before everything was done');
    return lines;
  }
}
