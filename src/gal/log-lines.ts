import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * A file of JSON values, one a line, that is only added to: what a process was killed in the middle of is one torn line at its end.
 */
export class LogLines {
  readonly #path: string;
  #file: FileHandle | undefined;
  #bytes: number;

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
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new LogLines(path, 0);
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

  /** Adds lines. They are on disk after `sync`. @throws the system's error */
  async append(values: readonly unknown[]): Promise<void> {
    if (values.length === 0) return;
    this.#file ??= await this.#openAtEnd();
    const { bytesWritten } = await this.#file.write(Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join('')));
    this.#bytes += bytesWritten;
  }

  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #openAtEnd(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', 0o600);
    // The torn line would become one with the next.
    await file.truncate(this.#bytes);
    return file;
  }
}

/** Parsed in 2 to 4 ms. */
const SLICE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
