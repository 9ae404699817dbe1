import { DAY_MS, SECOND_MS } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { EntrySource, SourceBatch, SourceRead } from '../../directory/entry-source.ts';
import { readWhole, stateOf } from './file-content.ts';
import type { FileState } from './file-content.ts';
import { probeFile } from './probe.ts';
import { readEntries } from './read-entries.ts';
import type { FileEntries } from './read-entries.ts';

export interface AddressFileOptions {
  readonly label: string;
  /** Absolute. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** So long after its last change a file may still be being written; and where its clock counts whole seconds, another change in them would not show. */
const SETTLED_MS = 2 * SECOND_MS;

/**
 * A file of entries (LDIF, vCard, CSV) as a source of the address book. It is looked at every ten seconds and read when its size or time has changed; a file with a
 * mistake in it is not taken at all, so that what was known before stays.
 */
export class AddressFileSource implements EntrySource {
  readonly label: string;
  readonly pauseMs = 10 * SECOND_MS;
  readonly wholeEveryMs = DAY_MS;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor({ label, path, clock, logger }: AddressFileOptions) {
    this.label = label;
    this.#path = path;
    this.#clock = clock;
    this.#logger = logger;
  }

  async read(cursor: string | undefined, take: (batch: SourceBatch) => Promise<void>, signal: AbortSignal): Promise<SourceRead> {
    const known = cursor === undefined ? undefined : readCursor(cursor);
    if (known !== undefined) {
      const state = await stateOf(this.#path);
      if (state.size === known.size && state.modifiedAt === known.modifiedAt) return { cursor, isWhole: false };
      // The next look will find it settled. Somebody who has nothing yet cannot lose anything, and is not kept waiting.
      if (this.#isFresh(state)) return { cursor, isWhole: false };
    }
    const content = await readWhole(this.#path, signal);
    const next = writeCursor(this.#isFresh(content) ? { ...content, modifiedAt: 0 } : content, content.hash);
    if (known?.hash === content.hash) return { cursor: next, isWhole: false };
    const found = await readEntries(this.#path, content.bytes, signal);
    refuseMistakes(found);
    this.#report(found);
    for (let at = 0; at < found.entries.length; at += LIMITS.galFileBatch) {
      signal.throwIfAborted();
      await take({ entries: found.entries.slice(at, at + LIMITS.galFileBatch) });
    }
    return { cursor: next, isWhole: true };
  }

  probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    return probeFile(this.#path, signal);
  }

  async close(): Promise<void> {
    // Nothing stays open between two readings.
  }

  #isFresh({ modifiedAt }: FileState): boolean {
    const age = this.#clock.now() - modifiedAt;
    return age >= 0 && age < SETTLED_MS;
  }

  #report({ encoding, skipped, cut }: FileEntries): void {
    const fields = { system: this.label };
    if (encoding === 'windows-1252') this.#logger.warn(fields, 'the file is no UTF-8 and was read as Windows-1252');
    if (skipped > 0) this.#logger.info({ ...fields, count: skipped }, 'entries without an address were left out');
    if (cut > 0) this.#logger.warn({ ...fields, count: cut }, 'values longer, or more, than the address book keeps were cut');
  }
}

/** @throws BridgeError BACKEND_MALFORMED with the line of the first mistake */
function refuseMistakes({ mistakes }: FileEntries): void {
  const [first, ...others] = mistakes;
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${mistakes.length >= LIMITS.galFileMistakes ? 'at least ' : ''}${others.length} more)`;
  throw new BridgeError('BACKEND_MALFORMED', `line ${first.line}: ${first.text}${more}`, { details: { line: first.line } });
}

interface Cursor extends FileState {
  readonly hash: string;
}

function writeCursor({ size, modifiedAt }: FileState, hash: string): string {
  return `${size}/${modifiedAt}/${hash}`;
}

/** Undefined for one of another source or version. */
function readCursor(text: string): Cursor | undefined {
  const [, size, modifiedAt, hash = ''] = /^(\d+)\/(-?\d+(?:\.\d+)?)\/([0-9a-f]{32})$/.exec(text) ?? [];
  return size === undefined ? undefined : { size: Number(size), modifiedAt: Number(modifiedAt), hash };
}

