import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Mistake } from './field.ts';

/**
 * Reads a regular file as UTF-8 text.
 *
 * @throws Mistake for what cannot be read, is no regular file (a FIFO would hang a reload), is larger than the limit, or is no UTF-8
 */
export async function readBoundedFile(path: string, limitBytes: number): Promise<string> {
  try {
    // Without O_NONBLOCK opening a FIFO that nobody writes to would wait for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new Mistake(`${path} is no regular file`);
      if (stat.size > limitBytes) throw new Mistake(`${path} is larger than ${limitBytes} bytes`);
      const buffer = Buffer.alloc(limitBytes + 1);
      let size = 0;
      for (let read = -1; read !== 0 && size <= limitBytes; size += read) {
        ({ bytesRead: read } = await handle.read(buffer, size, buffer.length - size));
      }
      if (size > limitBytes) throw new Mistake(`${path} is larger than ${limitBytes} bytes`);
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, size));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Mistake) throw error;
    if (error instanceof TypeError) throw new Mistake(`${path} is no UTF-8 text`);
    throw new Mistake(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
}
