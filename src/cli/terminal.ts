/** What a command prints for its caller; the log goes to the standard error output by itself. */
export interface Terminal {
  /** One line of result. */
  readonly print: (line: string) => void;
  /** One line of complaint. */
  readonly complain: (line: string) => void;
  /** Where a long command stands, in place of what it said before; there only where somebody watches. Empty text: nothing any more. */
  readonly progress?: (text: string) => void;
}

const CLEAR_LINE = '\r\u001b[K';
let isProgressShown = false;

function write(stream: NodeJS.WriteStream, line: string): void {
  if (isProgressShown) process.stderr.write(CLEAR_LINE);
  isProgressShown = false;
  stream.write(`${line}\n`);
}

// `push --all | head`: whoever read has gone; the command still ends what it began, its Redis above all.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

export const processTerminal: Terminal = {
  print: (line) => write(process.stdout, line),
  complain: (line) => write(process.stderr, line),
  ...(process.stderr.isTTY
    ? {
        progress: (text: string) => {
          process.stderr.write(`${CLEAR_LINE}${text}`);
          isProgressShown = text !== '';
        },
      }
    : {}),
};

/** Text of others with nothing in it that a terminal would obey. */
export function shown(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g, '�');
}
