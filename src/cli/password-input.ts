import { LIMITS } from '../core/limits.ts';

/** Where a password is read from. */
export interface PasswordInput {
  /** Somebody types it, and may mistype. */
  readonly isTerminal: boolean;
  /** What was typed at this prompt, or everything that came, without the end of its last line; undefined where it was interrupted. Beyond LIMITS.typedPasswordBytes it is cut, a little later. */
  read(prompt: string): Promise<string | undefined>;
}

const ENTER = /[\r\n]/;
const INTERRUPTS = new Set(['\u0003', '\u0004']);
const ERASES = new Set(['\u007f', '\b']);
const ERASE_LINE = '\u0015';

/** The standard input; from a terminal without an echo, the prompt on the standard error output, so that the hash can be sent into a file. */
export const processPasswordInput: PasswordInput = {
  get isTerminal() {
    return process.stdin.isTTY === true;
  },
  read: async (prompt) => (process.stdin.isTTY === true ? typed(process.stdin, prompt) : piped(process.stdin)),
};

async function typed(stdin: NodeJS.ReadStream, prompt: string): Promise<string | undefined> {
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true).setEncoding('utf8').resume();
  // Whoever sees the prompt may type.
  process.stderr.write(prompt);
  try {
    return await new Promise((resolve) => {
      let line: readonly string[] = [];
      const end = (result: string | undefined, rest: string): void => {
        stdin.off('data', take).off('end', interrupted);
        stdin.pause();
        if (rest !== '') stdin.unshift(rest, 'utf8');
        resolve(result);
      };
      const interrupted = (): void => end(undefined, '');
      // What is pasted comes as one piece.
      const take = (piece: string): void => {
        const keys = [...piece];
        for (const [index, key] of keys.entries()) {
          const rest = keys.slice(index + 1).join('');
          if (ENTER.test(key)) return end(line.join(''), rest);
          if (INTERRUPTS.has(key)) return end(undefined, '');
          if (ERASES.has(key)) line = line.slice(0, -1);
          else if (key === ERASE_LINE) line = [];
          else if (line.length <= LIMITS.typedPasswordBytes) line = [...line, key];
        }
      };
      stdin.on('data', take).once('end', interrupted);
    });
  } finally {
    stdin.setRawMode(wasRaw);
    process.stderr.write('\n');
  }
}

async function piped(stdin: NodeJS.ReadStream): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stdin as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > LIMITS.typedPasswordBytes + 2) break;
  }
  return Buffer.concat(pieces).toString('utf8').replace(/\r?\n$/, '');
}
