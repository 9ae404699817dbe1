import type { Terminal } from '../../src/cli/terminal.ts';

/** A terminal whose lines are kept. */
export interface CapturedTerminal extends Terminal {
  readonly printed: string[];
  readonly complained: string[];
}

export function capturedTerminal(): CapturedTerminal {
  const printed: string[] = [];
  const complained: string[] = [];
  return { printed, complained, print: (line) => void printed.push(line), complain: (line) => void complained.push(line) };
}
