import { open } from 'node:fs/promises';
import { LIMITS } from '../../core/limits.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import { describe } from './describe.ts';
import { findMessages } from './find-messages.ts';
import { interpret } from './interpret.ts';
import { messageJson } from './json.ts';

export interface DecodeOptions {
  readonly json?: true;
}

/** `decode FILE|-`: prints every free/busy message of a document or a log. 1 when there is none, or something in it cannot be read. */
export async function decode(file: string, options: DecodeOptions, terminal: Terminal, input: AsyncIterable<Uint8Array> = process.stdin): Promise<ExitCode> {
  const name = file === '-' ? 'the standard input' : file;
  let text: string;
  try {
    text = await readText(file === '-' ? input : (await open(file)).createReadStream());
  } catch (error) {
    terminal.complain(`${name} cannot be read: ${error instanceof TooLarge ? `it is larger than ${LIMITS.responseBodyBytes} bytes` : ((error as NodeJS.ErrnoException).code ?? 'unknown')}`);
    return EXIT.failed;
  }
  const found = await findMessages(text);
  const messages = found.flatMap((one) => ('problem' in one ? [] : [interpret(one)]));
  const problems = found.flatMap((one) => ('problem' in one ? [`${one.kind}: ${shown(one.problem)}`] : []));
  if (options.json === true) terminal.print(JSON.stringify(messages.map(messageJson), undefined, 2));
  else {
    for (const [index, message] of messages.entries()) {
      if (index > 0) terminal.print('');
      for (const line of describe(message)) terminal.print(line);
    }
  }
  for (const problem of problems) terminal.complain(problem);
  if (messages.length === 0) terminal.complain(`no free/busy message in ${name}: neither an answer to a PROPFIND, a PROPPATCH, nor an EWS item`);
  if (found.length >= LIMITS.decodedDocuments) terminal.complain(`only the first ${LIMITS.decodedDocuments} documents were read`);
  return messages.length === 0 || problems.length > 0 || found.length >= LIMITS.decodedDocuments ? EXIT.failed : EXIT.done;
}

/** What a dry run would send, as `decode` prints it. */
export async function describeDocument(document: string): Promise<readonly string[]> {
  return (await findMessages(document)).flatMap((one) => ('problem' in one ? [`${one.kind}: ${shown(one.problem)}`] : describe(interpret(one))));
}

class TooLarge extends Error {}

/** By its byte order mark, else UTF-8; what is neither is taken byte by byte, since everything that counts is ASCII. */
async function readText(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > LIMITS.responseBodyBytes) throw new TooLarge();
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // windows-1252 of an old Exchange, or no text at all.
    return bytes.toString('latin1');
  }
}
