/** What a command prints for its caller; the log goes to the standard error output by itself. */
export interface Terminal {
  /** One line of result. */
  readonly print: (line: string) => void;
  /** One line of complaint. */
  readonly complain: (line: string) => void;
}

export const processTerminal: Terminal = {
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
};
