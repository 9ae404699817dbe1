import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * A file of JSON values, one a line, that is only added to: what a process was killed in the middle of is one torn line at its end.
 */
export class LogLines {
  #path: string;
  #file: FileHandle | undefined;
  #bytes: number;
  #isSynced = true;

  private constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = bytes;
  }

  /**
   * Reads what is there, in slices of lines; a torn last line is left out, and cut off before anything is added. A file that is not there is empty.
   *
   * @param take is given the values of some lines, in their order
   * @returns undefined where a line in the middle cannot be read: the file is not what it was
   * @throws the system's error where it cannot be read
   */
  static async read(path: string, take: (values: readonly unknown[]) => void): Promise<LogLines | undefined> {
    let bytes = 0;
    let rest: Buffer = Buffer.alloc(0);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return LogLines.empty(path);
      throw error;
    }
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(SLICE_BYTES), 0, SLICE_BYTES, null);
        if (bytesRead === 0) return new LogLines(path, bytes);
        rest = rest.length === 0 ? buffer.subarray(0, bytesRead) : Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = rest.lastIndexOf(NEWLINE) + 1;
        if (end === 0) continue;
        const lines = rest.toString('utf8', 0, end - 1).split('\n');
        bytes += end;
        rest = rest.subarray(end);
        try {
          take(lines.map((line): unknown => JSON.parse(line)));
        } catch (error) {
          if (error instanceof SyntaxError) return undefined;
          throw error;
        }
        await nextTurn();
      }
    } finally {
      await file.close();
    }
  }

  /** One that nothing stands in, and nobody has opened. */
  static empty(path: string): LogLines {
    return new LogLines(path, 0);
  }

  /** Writes a file anew beside the old one, and puts it in its place when it is on disk. @throws the system's error: then the old one is still there */
  static async replace(path: string, write: (fresh: LogLines) => Promise<void>): Promise<LogLines> {
    const fresh = new LogLines(`${path}.new`, 0);
    try {
      await write(fresh);
      await fresh.sync();
      await rename(fresh.#path, path);
      await syncFolder(path);
    } catch (error) {
      await fresh.close().catch(() => undefined);
      await rm(fresh.#path, { force: true }).catch(() => undefined);
      throw error;
    }
    fresh.#path = path;
    return fresh;
  }

  /** Adds lines, one call after the other. They are on disk after `sync`; of those that could not be added none is there. @throws the system's error */
  async append(values: readonly unknown[]): Promise<void> {
    if (values.length === 0) return;
    const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    this.#file ??= await this.#openAtEnd();
    try {
      // Unlike write, it does not end when only a part could be written.
      await this.#file.appendFile(bytes);
    } catch (error) {
      // Some of it may stand there; it is cut off before anything else is added.
      await this.close().catch(() => undefined);
      throw error;
    }
    this.#bytes += bytes.length;
    this.#isSynced = false;
  }

  async sync(): Promise<void> {
    if (this.#isSynced) return;
    await this.#file?.datasync();
    this.#isSynced = true;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #openAtEnd(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', 0o600);
    try {
      if (this.#bytes === 0) await syncFolder(this.#path);
      // The torn line would become one with the next.
      await file.truncate(this.#bytes);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    return file;
  }
}

/** The name of a new file is as lasting as its content only when its folder is on disk, too (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Parsed in 2 to 4 ms. */
const SLICE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
