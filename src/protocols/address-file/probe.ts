import { toBridgeError } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { readWhole } from './file-content.ts';
import { readEntries } from './read-entries.ts';
import type { FileEntries } from './read-entries.ts';

/** Whether the file is there and can be read, how many entries it has, and the first mistakes with their lines. Never throws. */
export async function probeFile(path: string, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  try {
    const content = await readWhole(path, signal);
    const readable: ProbeFinding = { step: 'file', outcome: 'ok', text: `${content.bytes.length} bytes` };
    return [readable, ...entriesFindings(await readEntries(path, content.bytes, signal))];
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    const advice = code === 'BACKEND_BUSY' ? 'try again when it has been written' : code === 'BACKEND_MALFORMED' ? 'write it under another name and rename it when it is whole' : 'look at its path, and at the rights of the user that the bridge runs as';
    return [{ step: 'file', outcome: 'fail', text: signal.aborted ? 'no answer in time' : publicMessage, advice }];
  }
}

function entriesFindings({ format, encoding, entries, mistakes, skipped, cut }: FileEntries): readonly ProbeFinding[] {
  if (mistakes.length > 0) {
    return mistakes.map(({ line, text }) => ({ step: format, outcome: 'fail', text: `line ${line}: ${text}`, advice: 'correct it: until then the file is not taken at all, and what was known before stays' }));
  }
  const found: ProbeFinding[] = [
    entries.length === 0
      ? { step: 'entries', outcome: 'warn', text: `${format} without anybody`, advice: 'everybody whom it held before is gone from the address book' }
      : { step: 'entries', outcome: 'ok', text: `${format} with ${entries.length} entries` },
  ];
  if (encoding === 'windows-1252') found.push({ step: 'encoding', outcome: 'warn', text: 'no UTF-8; read as Windows-1252', advice: 'write it as UTF-8, or names in other alphabets are lost' });
  if (skipped > 0) found.push({ step: 'addresses', outcome: 'warn', text: `${skipped} without an address are left out`, advice: 'give them one, where somebody should find them' });
  if (cut > 0) found.push({ step: 'lengths', outcome: 'warn', text: `${cut} values are longer, or more, than the address book keeps, and are cut`, advice: 'shorten them' });
  return found;
}
