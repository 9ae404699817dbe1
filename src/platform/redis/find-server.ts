import { execFile } from 'node:child_process';
import { LEAST_VERSION, isAtLeast } from './info.ts';

export interface FoundServer {
  readonly command: string;
  readonly version: string;
}

/** In this order: both are the same to us. */
const COMMANDS = ['valkey-server', 'redis-server'] as const;

/** The first server program on PATH that is new enough. */
export async function findServer(): Promise<FoundServer | undefined> {
  for (const command of COMMANDS) {
    const version = await versionOf(command);
    if (version !== undefined && isAtLeast(version, LEAST_VERSION)) return { command, version };
  }
  return undefined;
}

/** `Redis server v=7.0.15 sha=…`, `Valkey server v=8.0.1 …`; undefined where there is no such program, or one that says something else. */
async function versionOf(command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, ['--version'], { timeout: 5_000 }, (error, stdout) => resolve(error === null ? /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined));
  });
}
