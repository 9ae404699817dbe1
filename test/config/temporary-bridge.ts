import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import type { ConfigProblem } from '../../src/config/config-error.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';

/** One EWS system and nothing else: the least that is right. */
export const EXCHANGE = `
  exchange:
    type: exchange-ews
    url: https://ews.corp.example/EWS/Exchange.asmx
    username: CORP\\bridge
    password: secret-of-exchange
    domains: [corp.example]`;
export const MINIMAL = `systems:${EXCHANGE}\n`;

/** A folder with these files, gone after the test. */
export async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

export async function load(yaml: string, env: NodeJS.ProcessEnv = {}, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Config> {
  const folder = await folderWith({ 'bridge.yaml': yaml, ...files });
  return loadConfig(join(folder, 'bridge.yaml'), env);
}

/** The error of a file that must be refused. */
export async function refusal(yaml: string, env: NodeJS.ProcessEnv = {}, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<ConfigError> {
  const outcome: unknown = await load(yaml, env, files).catch((error: unknown) => error);
  if (outcome instanceof ConfigError) return outcome;
  throw new Error('not refused with a ConfigError', { cause: outcome });
}

export async function problemsOf(yaml: string, env?: NodeJS.ProcessEnv, files?: Readonly<Record<string, string | Uint8Array>>): Promise<readonly ConfigProblem[]> {
  return (await refusal(yaml, env, files)).problems;
}

/** `path: message` of each. */
export async function linesOf(yaml: string, env?: NodeJS.ProcessEnv, files?: Readonly<Record<string, string | Uint8Array>>): Promise<readonly string[]> {
  return (await problemsOf(yaml, env, files)).map(({ path, message }) => `${path}: ${message}`);
}
