import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/core/clock.ts';
import type { LogFields, Logger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import type { Metrics } from '../../src/core/metrics.ts';
import { parseMailboxAddress } from '../../src/directory/smtp-address.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { ReplicationQueue } from '../../src/replication/queue.ts';
import type { ReplicationQueueOptions } from '../../src/replication/queue.ts';
import type { QueueTiming } from '../../src/replication/queue-options.ts';
import type { RedisStore } from '../../src/platform/redis/redis-store.ts';

/** All of the queue's times, a tenth and less of the real ones. */
export const FAST: QueueTiming = {
  gatherMs: 30,
  turnMs: 1_000,
  retry: { firstMs: 40, longestMs: 200 },
  blocked: { firstMs: 200, longestMs: 800 },
  parkMs: 50,
  lockMs: 800,
  stalledMs: 300,
  settleMs: 400,
};

/** The n-th mailbox. */
export function mailbox(n: number): MailboxAddress {
  return parseMailboxAddress(`u${n}@corp.example`)!;
}

export interface LogLine extends LogFields {
  readonly level: string;
  readonly message: string;
}

export type TestQueue = ReplicationQueue & { readonly log: readonly LogLine[]; readonly told: readonly (readonly unknown[])[] };

/** A queue as a bridge would have it, that keeps what it logs and counts. */
export function openQueue(store: RedisStore, options: Partial<ReplicationQueueOptions> = {}): TestQueue {
  const log: LogLine[] = [];
  const told: (readonly unknown[])[] = [];
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void =>
      void log.push({ ...fields, level, message });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const metrics: Metrics = { ...noMetrics, replicationFailed: (...all) => void told.push(['failed', ...all]), replicationStage: (...all) => void told.push(['stage', ...all]) };
  const queue = new ReplicationQueue({ route: 'a → b', key: 'a-b', store, concurrency: 8, clock: systemClock, logger, metrics, timing: FAST, ...options });
  return Object.assign(queue, { log, told });
}

/** Looks every 10 ms until `holds`. @throws when it does not in time */
export async function until(what: string, holds: () => boolean | Promise<boolean>, patienceMs = 15_000): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

export interface ProcessLine {
  readonly begin?: string;
  readonly end?: string;
  readonly value?: string;
  readonly at?: number;
}

/** A worker in a process of its own (queue-process.mjs), and what it has said. */
export interface QueueProcess {
  readonly lines: readonly ProcessLine[];
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9, and gone. */
  kill(): Promise<void>;
}

const children = new Set<ChildProcess>();

/** Kills what a test that failed has left behind. */
export function killProcesses(): void {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
}

export async function startProcess(socket: string, workMs: number, concurrency = 8): Promise<QueueProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'queue-process.mjs'), socket, JSON.stringify(FAST), String(workMs), String(concurrency)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  const lines: ProcessLine[] = [];
  const reader = createInterface(child.stdout);
  const ready = once(reader, 'line');
  reader.on('line', (line) => lines.push(JSON.parse(line) as ProcessLine));
  await ready;
  return {
    lines,
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
