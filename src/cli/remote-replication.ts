import { BridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { askRunningBridge } from '../platform/control-socket.ts';
import { decodeError } from './over-socket/error.ts';
import { decodeFindings } from './over-socket/findings.ts';
import { decodeMailbox, decodeOutcome } from './over-socket/push-outcome.ts';
import { decodeQueueReport } from './over-socket/queue-report.ts';
import { isRecord, readEach } from './over-socket/record.ts';
import { PROBE_DEADLINE_MS } from './probe-context.ts';
import type { Replicating } from './replicating.ts';

/** Redis is asked, nothing else. */
const QUEUE_TIMEOUT_MS = 30_000;
/** A page of a directory, or a mailbox's turn on each of several routes. */
const TURN_TIMEOUT_MS = 4 * LIMITS.replicationTurnMs;
const PROBE_TIMEOUT_MS = PROBE_DEADLINE_MS + 15_000;

/** The replication of the bridge that runs with a dataDir, asked over its control socket. Its errors come out here as they were thrown there. */
export class RemoteReplication implements Replicating {
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  async push(mailbox: MailboxAddress, { dryRun, signal }: Parameters<Replicating['push']>[1]): ReturnType<Replicating['push']> {
    const data = await this.#ask('push', TURN_TIMEOUT_MS, { mailbox, dryRun }, signal);
    return readEach(data['outcomes'], decodeOutcome) ?? otherVersion();
  }

  async *everyone(signal: AbortSignal): AsyncIterable<readonly MailboxAddress[]> {
    for (let cursor: string | undefined, begun = false; !begun || cursor !== undefined; begun = true) {
      const data = await this.#ask('everyone', TURN_TIMEOUT_MS, { cursor }, signal);
      yield readEach(data['mailboxes'], decodeMailbox) ?? otherVersion();
      cursor = typeof data['cursor'] === 'string' ? data['cursor'] : undefined;
    }
  }

  async queue(): ReturnType<Replicating['queue']> {
    return decodeQueueReport(await this.#ask('queue', QUEUE_TIMEOUT_MS)) ?? otherVersion();
  }

  async retry(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return countOf(await this.#ask('queue/retry', QUEUE_TIMEOUT_MS, { mailboxes: which }));
  }

  async drop(which: readonly MailboxAddress[] | 'all'): Promise<number> {
    return countOf(await this.#ask('queue/drop', QUEUE_TIMEOUT_MS, { mailboxes: which }));
  }

  async probe(ctx: Parameters<Replicating['probe']>[0]): ReturnType<Replicating['probe']> {
    const data = await this.#ask('probe', PROBE_TIMEOUT_MS, {}, ctx.signal);
    return readEach(data['probed'], decodeFindings) ?? otherVersion();
  }

  async #ask(command: string, timeoutMs: number, body: unknown = {}, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const answer = await askRunningBridge(this.#dataDir, command, timeoutMs, body, signal);
    if (answer.ok) return isRecord(answer.data) ? answer.data : otherVersion();
    const message = answer.lines.join('; ');
    if (answer.isMisconfigured === true) throw new BridgeError('CONFIGURATION', message);
    throw (isRecord(answer.data) ? decodeError(answer.data['error']) : undefined) ?? new BridgeError('INTERNAL', message);
  }
}

function countOf(data: Readonly<Record<string, unknown>>): number {
  return typeof data['count'] === 'number' ? data['count'] : otherVersion();
}

function otherVersion(): never {
  throw new BridgeError('UNSUPPORTED', 'the running bridge is another version than this command: restart it');
}
