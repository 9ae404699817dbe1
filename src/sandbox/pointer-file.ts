import { randomUUID } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a running sandbox can be reached by `freebusy-bridge sandbox add`. */
export interface SandboxPointer {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const FILE_NAME = 'freebusy-bridge-sandbox.json';

/** A directory of this user alone below the system's temporary directory. */
export function defaultPointerDirectory(): string {
  return join(tmpdir(), `freebusy-bridge-${process.getuid?.() ?? 'user'}`);
}

/** Writes the file 0600 in a directory 0700; a later sandbox of the same user replaces it. @throws Error when the directory belongs to somebody else. */
export function writePointer(directory: string, pointer: SandboxPointer): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!isOwn(directory)) throw new Error(`${directory} is not this user's own directory`);
  chmodSync(directory, 0o700);
  const draft = join(directory, `${randomUUID()}.tmp`);
  writeFileSync(draft, JSON.stringify(pointer), { mode: 0o600, flag: 'wx' });
  renameSync(draft, join(directory, FILE_NAME));
}

/** The running sandbox; undefined when there is none. A file left behind by a process that has gone is removed. */
export function readPointer(directory: string = defaultPointerDirectory()): SandboxPointer | undefined {
  const pointer = parse(directory);
  if (pointer === undefined || isAlive(pointer.pid)) return pointer;
  rmSync(join(directory, FILE_NAME), { force: true });
  return undefined;
}

/** Removes the file if it is still this sandbox's own. */
export function removePointer(directory: string, token: string): void {
  if (parse(directory)?.token !== token) return;
  rmSync(join(directory, FILE_NAME), { force: true });
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}

function parse(directory: string): SandboxPointer | undefined {
  let text: string;
  try {
    // Somebody else's directory could point the command, and what is typed into it, anywhere.
    if (!isOwn(directory)) return undefined;
    text = readFileSync(join(directory, FILE_NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const read = parsedJson(text) as Partial<SandboxPointer> | undefined;
  if (typeof read?.url !== 'string' || typeof read.token !== 'string' || !Number.isInteger(read.pid)) return undefined;
  return { url: read.url, token: read.token, pid: read.pid! };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isOwn(directory: string): boolean {
  const found = lstatSync(directory);
  return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but is not ours.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
