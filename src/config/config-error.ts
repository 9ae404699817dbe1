import { basename } from 'node:path';

export interface ConfigProblem {
  /** `clients[0].mayAsk[1]`; `line 3, column 5` where the file is no YAML; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what would be right, one line; never a secret's value, never a URL. */
  readonly message: string;
}

/** bridge.yaml cannot be used: every mistake found, in the order of the file. Safe to show to the administrator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Absolute path. */
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
    super(`${basename(file)}: ${count}: ${problems.map(lineOf).join(' | ')}`);
    this.file = file;
    this.problems = problems;
  }
}

/** For the command line: one line for each mistake, then one line that says what to do. No newline at the end. */
export function describeProblems(error: ConfigError): string {
  const lines = error.problems.map(lineOf);
  return [...lines, `Correct ${error.file} and try again; bridge.example.yaml shows every key.`].join('\n');
}

function lineOf({ path, message }: ConfigProblem): string {
  // A file's name may hold anything, and one line stays one line.
  return (path === '' ? message : `${path}: ${message}`).replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}
