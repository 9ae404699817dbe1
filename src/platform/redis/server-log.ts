import { readFile } from 'node:fs/promises';

/**
 * Why a Redis of ours ended: the warnings ("#") at the end of its log, without process id and time of day. Empty where it said nothing.
 * At most 300 characters, printable only: it may quote a broken file.
 */
export async function lastWarnings(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // What it says about the machine (overcommit, huge pages) begins with WARNING and ends nothing.
  const lines = text.split('\n').filter((line) => line !== '' && !line.includes(' # WARNING '));
  // A mistake in an option is told without the usual form.
  const warnings = lines.map((line) => /^\d+:\w \d+ \w+ \d+ [\d:.]+ # (.*)$/.exec(line)?.[1]).filter((line) => line !== undefined);
  const said = (warnings.length > 0 ? warnings.slice(-2) : lines.slice(-2)).join(' ');
  return said.replace(/[^\x20-\x7e]+/g, '?').slice(0, 300);
}
