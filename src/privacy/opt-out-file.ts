import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Instant } from '../core/clock.ts';
import { BridgeError } from '../core/errors.ts';
import { GroupCommit } from '../core/group-commit.ts';
import { LIMITS } from '../core/limits.ts';
import { LogLines } from '../core/log-lines.ts';
import { parseMailboxAddress } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';

/** What somebody said when a mailbox opted out. */
export interface OptOut {
  readonly mailbox: MailboxAddress;
  /** See core/audit.ts. */
  readonly by: string;
  readonly via: string;
  readonly at: Instant;
}

/**
 * Who has opted out, in one file (0600) of JSON lines:
 *
 *     {"format":1,"count":1}
 *     {"mailbox":"anna@corp.example","by":"command root","via":"command","at":1772442000000}
 *
 * It is always written whole beside the old one and renamed, so that it is never half of anything: a file that is not exactly what was written is damaged. Then nothing is shown to anybody
 * rather than somebody who opted out: it does not open, and the bridge does not start.
 */
export class OptOutFile {
  readonly #path: string;
  readonly #isReadOnly: boolean;
  readonly #commit = new GroupCommit(() => this.#save());
  readonly #optOuts: Map<MailboxAddress, OptOut>;
  #writing: Promise<void> = Promise.resolve();
  #version = 0;

  private constructor(path: string, isReadOnly: boolean, optOuts: readonly OptOut[]) {
    this.#path = path;
    this.#isReadOnly = isReadOnly;
    this.#optOuts = new Map(optOuts.map((one) => [one.mailbox, one]));
  }

  /**
   * Reads it; a file that is not there is nobody's. `isReadOnly`: for a command beside a running bridge.
   *
   * @throws BridgeError CONFIGURATION where it cannot be read as a whole, in words for the administrator
   */
  static async open(path: string, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}): Promise<OptOutFile> {
    try {
      if (!isReadOnly) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return new OptOutFile(path, isReadOnly, await read(path));
    } catch (error) {
      const why = error instanceof Damaged ? error.message : `cannot be read (${codeOf(error)})`;
      throw new BridgeError('CONFIGURATION', `${path}, in which stands who has opted out, ${why}. Somebody who did would be shown again, so nothing starts: bring the file back from a backup; only where nobody ever opted out, remove it`, { cause: error });
    }
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** By the address that was opted out. */
  get optOuts(): ReadonlyMap<MailboxAddress, OptOut> {
    return this.#optOuts;
  }

  /**
   * Adds and takes away; resolves when that is on disk. Many at once share a write.
   *
   * @throws BridgeError STORE_UNAVAILABLE: then it is as it was before
   */
  async change({ add = [], remove = [] }: { readonly add?: readonly OptOut[]; readonly remove?: readonly MailboxAddress[] }): Promise<void> {
    if (this.#isReadOnly) throw new BridgeError('STORE_UNAVAILABLE', 'who has opted out is not open for writing');
    const before = new Map([...add.map(({ mailbox }) => mailbox), ...remove].map((mailbox) => [mailbox, this.#optOuts.get(mailbox)]));
    if (this.#optOuts.size + add.length > LIMITS.optOuts) throw new BridgeError('STORE_UNAVAILABLE', `it cannot be stored: ${LIMITS.optOuts} have opted out already`);
    for (const mailbox of remove) this.#optOuts.delete(mailbox);
    for (const one of add) this.#optOuts.set(one.mailbox, one);
    this.#version += 1;
    const writing = this.#commit.commit();
    this.#writing = writing.catch(() => undefined);
    try {
      await writing;
    } catch (error) {
      for (const [mailbox, former] of before) {
        if (former === undefined) this.#optOuts.delete(mailbox);
        else this.#optOuts.set(mailbox, former);
      }
      this.#version += 1;
      throw new BridgeError('STORE_UNAVAILABLE', `it cannot be stored: ${codeOf(error)}`, { temporary: true, cause: error });
    }
  }

  /** Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #save(): Promise<void> {
    const optOuts = [...this.#optOuts.values()];
    const written = await LogLines.replace(this.#path, async (fresh) => fresh.append([{ format: FORMAT, count: optOuts.length }, ...optOuts]));
    await written.close();
  }
}

const FORMAT = 1;

/** What is wrong with the file, in words that follow its name. */
class Damaged extends Error {}

async function read(path: string): Promise<readonly OptOut[]> {
  const size = await sizeOf(path);
  if (size === undefined) return [];
  if (size > LIMITS.optOutFileBytes) throw new Damaged('is larger than any that the bridge writes');
  const [head, ...rest] = linesOf(await readFile(path));
  const { format, count } = (typeof head === 'object' && head !== null ? head : {}) as { readonly format?: unknown; readonly count?: unknown };
  if (typeof format !== 'number' || typeof count !== 'number') throw new Damaged('is damaged');
  if (format !== FORMAT) throw new Damaged('was written by a later version');
  if (count !== rest.length) throw new Damaged(`is damaged: it says ${count} and holds ${rest.length}`);
  return rest.map(decode);
}

/** @throws Damaged where the last line has no end, or one of them is no JSON */
function linesOf(bytes: Buffer): readonly unknown[] {
  const text = bytes.toString('utf8');
  if (!text.endsWith('\n')) throw new Damaged('is damaged');
  try {
    return text.slice(0, -1).split('\n').map((line): unknown => JSON.parse(line));
  } catch (error) {
    throw new Damaged('is damaged', { cause: error });
  }
}

/** @throws Damaged */
function decode(line: unknown): OptOut {
  const { mailbox, by, via, at } = (typeof line === 'object' && line !== null ? line : {}) as { readonly [Key in keyof OptOut]?: unknown };
  const address = typeof mailbox === 'string' ? parseMailboxAddress(mailbox) : undefined;
  if (address === undefined || address !== mailbox || typeof by !== 'string' || typeof via !== 'string' || !Number.isSafeInteger(at)) throw new Damaged('is damaged');
  return { mailbox: address, by, via, at: at as Instant };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.name : 'unknown');
}
