import { resolve } from 'node:path';
import { ConfigError, describeProblems } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import type { Terminal } from './terminal.ts';

/** Reads the file that `--config` names; where it is wrong, says all of what is wrong and gives undefined. */
export async function loadConfiguration(file: string, terminal: Terminal): Promise<Config | undefined> {
  try {
    return await loadConfig(resolve(file), processEnvironment());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    terminal.complain(describeProblems(error));
    return undefined;
  }
}
