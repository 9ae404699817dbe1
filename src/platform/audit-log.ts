import { appendFile, mkdir, open, rename, unlink } from 'node:fs/promises';
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
  /** Of one file. */
  readonly fileBytes?: number;
  /** Older files kept beside it. */
  readonly files?: number;
  /** Of a command, beside which a bridge may run: it adds lines and never renames, so that two do not rename at once; until `takeOver`. */
  readonly isGuest?: boolean;
}

/**
 * Appends to `audit.log` (0600) one JSON object a line, each complete in itself:
 *
 *     {"at":"2026-03-02T09:00:00.000Z","what":"presence.opt-in","mailbox":"anna@corp.example","by":"client im","via":"api"}
 *
 * `at` (UTC), `what`, `by` and `via` are always there, `mailbox` where it is about one; further members belong to `what`, and readers pass over those they do not
 * know, and over empty and broken lines (a full disk). Lines are in the order in which it happened. No secret, subject or place stands in it.
 *
 * | what | says | further members |
 * |---|---|---|
 * | `presence.…` | somebody's presence was switched on or off, or its language chosen (presence/opt-ins.ts) | `changed`, `language`, `count` |
 * | `privacy.opt-out`, `privacy.opt-in` | somebody's free/busy is shown to nobody, or again (privacy/opt-outs.ts) | `changed` |
 * | `lookup` | who asked about whom, and what of them was shown (lookup/lookup-audit.ts) | there |
 * | `audit.lost` | so many entries are missing here, because the disk did not take them | `count` |
 *
 * Where the next lines would make a file larger than `fileBytes` it becomes `audit.log.1`, that one `audit.log.2`, and so on up to `files`; the oldest goes. A reader that follows the file
 * opens it anew when its inode changes, as with any rotated log.
 *
 * Nobody waits for it: a kill -9 may cost the last lines. A disk that does not take them is tried again with the next entry after LIMITS.auditRetryMs, which is said once in the log; beyond LIMITS.auditWaitingBytes
 * entries are lost, which is said once there and, when it goes on, here.
 */
export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  #isGuest: boolean;
  #bounds: { readonly fileBytes: number; readonly files: number };
  #waiting: string[] = [];
  /** Characters, which is at least a third of its bytes. */
  #waitingCharacters = 0;
  #lost = 0;
  #bytes: number | undefined;
  #writing: Promise<void> | undefined;
  #hasFailed = false;
  /** By performance.now(). */
  #notBefore = 0;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { fileBytes = LIMITS.auditFileBytes, files = LIMITS.auditFilesKept, isGuest = false } = options;
    this.#isGuest = isGuest;
    this.#bounds = { fileBytes, files };
  }

  /** From now on this process alone has the dataDir. */
  takeOver(): void {
    this.#isGuest = false;
  }

  /** Other bounds from now on; what is there of older files beyond `files` goes with the next rotation. */
  setBounds(bounds: { readonly fileBytes: number; readonly files: number }): void {
    this.#bounds = { fileBytes: bounds.fileBytes, files: bounds.files };
  }

  record(entry: AuditEntry): void {
    if (this.#waitingCharacters >= LIMITS.auditWaitingBytes) {
      if (this.#lost === 0) this.#options.logger.error({ mailbox: entry.mailbox, operation: entry.what, reason: 'the audit log cannot be written' }, 'entries of the audit log are lost');
      this.#lost += 1;
      return;
    }
    this.#add(entry);
    // What waits may be megabytes: on a full disk they are not put together anew for every question.
    if (performance.now() < this.#notBefore) return;
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
  }

  /** Resolves when what was recorded is written, or cannot be. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
  }

  #add(entry: AuditEntry): void {
    const line = lineOf(this.#options.clock.now(), entry);
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
  }

  async #write(): Promise<void> {
    // Whoever records more in this turn of the event loop comes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const characters = this.#waitingCharacters;
      this.#waiting = [];
      this.#waitingCharacters = 0;
      try {
        await this.#append(lines.join(''));
        this.#hasFailed = false;
        if (this.#lost > 0) this.#add({ what: 'audit.lost', by: 'the bridge', via: 'file', count: this.#lost });
        this.#lost = 0;
      } catch (error) {
        this.#waiting = [lines.join(''), ...this.#waiting];
        this.#waitingCharacters += characters;
        this.#bytes = undefined;
        this.#notBefore = performance.now() + LIMITS.auditRetryMs;
        if (!this.#hasFailed) this.#options.logger.error({ reason: codeOf(error), count: lines.length }, 'the audit log cannot be written; it is tried again with the next entry');
        this.#hasFailed = true;
        return;
      }
    }
  }

  async #append(lines: string): Promise<void> {
    const { path } = this.#options;
    const { fileBytes, files } = this.#bounds;
    let text = lines;
    if (this.#bytes === undefined) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const { bytes, isTorn } = await endOf(path);
      this.#bytes = bytes;
      // After a full disk, in this process or the one before, a part of a line may stand there: what comes next begins one of its own.
      if (isTorn) text = `\n${lines}`;
    }
    const bytes = Buffer.byteLength(text);
    if (!this.#isGuest && this.#bytes > 0 && this.#bytes + bytes > fileBytes) {
      for (let at = files - 1; at >= 1; at--) await rename(`${path}.${at}`, `${path}.${at + 1}`).catch(absent);
      await rename(path, `${path}.1`).catch(absent);
      this.#bytes = 0;
      text = lines;
      await removeBeyond(path, files);
    }
    await appendFile(path, text, { mode: 0o600 });
    this.#bytes += bytes;
  }
}

/** Built member by member: an entry is short, and a replacer costs more than all the rest. */
function lineOf(now: number, { what, mailbox, by, via, ...details }: AuditEntry): string {
  const entry: Record<string, unknown> = { at: new Date(now).toISOString(), what, mailbox, by, via, ...details };
  for (const key in entry) entry[key] = bounded(entry[key]);
  return `${JSON.stringify(entry)}\n`;
}

function bounded(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, LIMITS.auditTextCharacters);
  return Array.isArray(value) ? value.map(bounded) : value;
}

/** How large the file is, and whether its last line has no end; one that is not there is empty. */
async function endOf(path: string): Promise<{ readonly bytes: number; readonly isTorn: boolean }> {
  const file = await open(path, 'r').catch(absent);
  if (file === undefined) return { bytes: 0, isTorn: false };
  try {
    const { size } = await file.stat();
    const last = size === 0 ? undefined : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
    return { bytes: size, isTorn: last !== undefined && last !== 10 };
  } finally {
    await file.close();
  }
}

/** What an earlier configuration kept more of. */
async function removeBeyond(path: string, files: number): Promise<void> {
  for (let at = files + 1; at <= LIMITS.auditFiles.max; at++) {
    try {
      await unlink(`${path}.${at}`);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
  }
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
