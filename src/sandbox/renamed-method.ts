import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A method that Node's parser does not know (`POLL`), and the one that it is let past the parser as: one that it knows and nobody here uses, of no special meaning to it. */
export interface MethodName {
  readonly method: string;
  readonly as: string;
}

/** As much as Node takes of a head. */
const HEAD_BYTES = 65_536;
/** Of a chunk's size line; a longer one is left to Node to refuse. */
const LINE_BYTES = 1_024;

/** A connection whose requests have the method renamed; everything else passes as it is, in both directions. */
export function renamedConnection(socket: Socket, name: MethodName): Duplex {
  const rename = createRenaming(name);
  const connection = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write: (part: Buffer, _, done) => void socket.write(part, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (part: Buffer) => {
    const renamed = rename(part);
    if (renamed.length > 0 && !connection.push(renamed)) socket.pause();
  });
  socket.on('end', () => connection.push(null));
  socket.on('error', (error) => connection.destroy(error));
  socket.on('close', () => connection.destroy());
  return connection;
}

/**
 * Follows the requests of one connection (heads, bodies by Content-Length or chunked) as far as is needed to know where the next one begins, and renames the
 * method there. Where it loses its way everything passes as it is: Node's parser then says what is wrong with it.
 */
export function createRenaming({ method, as }: MethodName): (part: Buffer) => Buffer {
  let state: 'head' | 'body' | 'size' | 'chunk' | 'trailer' | 'lost' = 'head';
  let pending: Buffer = Buffer.alloc(0);
  let left = 0;

  /** One step: what may pass on now; undefined where more has to come first. */
  const step = (): Buffer | undefined => {
    if (state === 'lost') return take(pending.length);
    if (state === 'body' || state === 'chunk') {
      const passing = take(Math.min(left, pending.length));
      left -= passing.length;
      if (left === 0) state = state === 'body' ? 'head' : 'size';
      return passing;
    }
    if (state === 'head') {
      // Empty lines before a request are nobody's.
      if (pending[0] === 0x0d && pending[1] === 0x0a) return take(2);
      const end = pending.indexOf('\r\n\r\n');
      if (end === -1) return pending.length > HEAD_BYTES ? lose() : undefined;
      const head = take(end + 4).toString('latin1');
      readFraming(head);
      return Buffer.from(head.startsWith(`${method} `) ? as + head.slice(method.length) : head, 'latin1');
    }
    const end = pending.indexOf('\r\n');
    if (end === -1) return pending.length > LINE_BYTES ? lose() : undefined;
    const line = take(end + 2);
    if (state === 'trailer') {
      if (line.length === 2) state = 'head';
      return line;
    }
    const size = /^([0-9a-f]{1,8})\s*(?:;|\r)/i.exec(line.toString('latin1'))?.[1];
    if (size === undefined) state = 'lost';
    else if (/^0+$/.test(size)) state = 'trailer';
    else {
      state = 'chunk';
      // The line end behind the chunk passes with it.
      left = Number.parseInt(size, 16) + 2;
    }
    return line;
  };
  const take = (bytes: number): Buffer => {
    const taken = pending.subarray(0, bytes);
    pending = pending.subarray(bytes);
    return taken;
  };
  const lose = (): Buffer => {
    state = 'lost';
    return take(pending.length);
  };
  const readFraming = (head: string): void => {
    const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r$/im.exec(head)?.[1];
    left = Number(length ?? 0);
    if (/^transfer-encoding:.*chunked/im.test(head)) state = 'size';
    else if (/^upgrade:/im.test(head)) state = 'lost';
    else state = left > 0 ? 'body' : 'head';
  };

  return (part) => {
    pending = pending.length === 0 ? part : Buffer.concat([pending, part]);
    const passing: Buffer[] = [];
    while (pending.length > 0) {
      const next = step();
      if (next === undefined) break;
      passing.push(next);
    }
    return Buffer.concat(passing);
  };
}
