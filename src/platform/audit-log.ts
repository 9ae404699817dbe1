import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Audit, AuditEntry } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/logger.ts';
import { codeOf } from './http-client/connection-error.ts';

export interface AuditLogOptions {
  /** `dataDir/audit.log`. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of one file; for tests. */
  readonly fileBytes?: number;
}

/**
 * Appends to `audit.log` (0600) one JSON object a line, each complete in itself:
 *
 *     {"at":"2026-03-02T09:00:00.000Z","what":"presence.opt-in","mailbox":"anna@corp.example","by":"client im","via":"api"}
 *
 * `at` (UTC), `what`, `by` and `via` are always there, `mailbox` where it is about one; further members belong to `what`, and readers pass over those they do not
 * know, and over empty and broken lines (a full disk). `what` begins with what it is about (`presence.`). Lines are in the order in which it happened. Beyond LIMITS.auditFileBytes the file becomes
 * `audit.log.1`, that one `audit.log.2`, up to LIMITS.auditFilesKept; the oldest goes. No secret, subject or place stands in it.
 *
 * Nobody waits for it: a kill -9 may cost the last lines. A disk that does not take them is tried again with the next entry, and said in the log.
 */
export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  #waiting: string[] = [];
  #bytes: number | undefined;
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  record({ what, mailbox, by, via, ...details }: AuditEntry): void {
    if (this.#waiting.length >= LIMITS.auditWaiting) {
      this.#options.logger.error({ mailbox, operation: what, reason: 'the audit log cannot be written' }, 'an entry of the audit log is lost');
      return;
    }
    const entry = { at: new Date(this.#options.clock.now()).toISOString(), what, mailbox, by, via, ...details };
    this.#waiting.push(`${JSON.stringify(entry, (_key, value: unknown) => (typeof value === 'string' ? value.slice(0, LIMITS.auditTextCharacters) : value))}\n`);
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Resolves when what was recorded is written, or cannot be. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    // Whoever records more in this turn of the event loop comes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(lines.join(''));
        this.#hasFailed = false;
      } catch (error) {
        // A part of it may stand there: what comes next begins a line of its own.
        this.#waiting = [`\n${lines.join('').replace(/^\n/, '')}`, ...this.#waiting];
        this.#bytes = undefined;
        if (!this.#hasFailed) this.#options.logger.error({ reason: codeOf(error), count: lines.length }, 'the audit log cannot be written; it is tried again with the next entry');
        this.#hasFailed = true;
        return;
      }
    }
  }

  async #append(text: string): Promise<void> {
    const { path, fileBytes = LIMITS.auditFileBytes } = this.#options;
    if (this.#bytes === undefined) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      this.#bytes = (await stat(path).catch(absent))?.size ?? 0;
    }
    const bytes = Buffer.byteLength(text);
    if (this.#bytes > 0 && this.#bytes + bytes > fileBytes) {
      for (let at = LIMITS.auditFilesKept - 1; at >= 1; at--) await rename(`${path}.${at}`, `${path}.${at + 1}`).catch(absent);
      await rename(path, `${path}.1`).catch(absent);
      this.#bytes = 0;
    }
    await appendFile(path, text, { mode: 0o600 });
    this.#bytes += bytes;
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
