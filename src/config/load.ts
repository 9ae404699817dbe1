import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { checkAccounts } from './checks/accounts.ts';
import { checkClients } from './checks/clients.ts';
import { checkExchange } from './checks/exchange.ts';
import { checkGal } from './checks/gal.ts';
import { checkIssuers } from './checks/issuers.ts';
import { checkListeners } from './checks/listeners.ts';
import { checkNtlm } from './checks/ntlm.ts';
import { outlineOf } from './checks/outline.ts';
import { checkPresence } from './checks/presence.ts';
import { checkSharedPassword } from './checks/presence-accounts.ts';
import { checkReplication } from './checks/replication.ts';
import { checkSystems } from './checks/systems.ts';
import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';
import { readBoundedFile } from './fields/bounded-file.ts';
import { Mistake } from './fields/field.ts';
import { LIMITS } from '../core/limits.ts';
import { wrongKind } from './fields/wrong-kind.ts';
import { inFileOrder, problemFromIssue } from './problems.ts';
import type { Problem } from './problems.ts';
import { bridge } from './sections/bridge.ts';
import { settledClients } from './sections/clients.ts';
import { settledGal } from './sections/gal.ts';
import { settledPresence } from './sections/presence.ts';
import { settledReplication } from './sections/replication.ts';
import { namedSystems } from './sections/systems.ts';
import { warningsOf } from './warnings.ts';
import { readYaml } from './yaml/tree.ts';

/**
 * Reads bridge.yaml and the files it names, and checks it as a whole.
 *
 * `path` is relative to the working directory; paths in the file are relative to the file. `env` resolves `{env: NAME}`.
 * Nothing is kept between calls: a reload is another call.
 *
 * @throws ConfigError with every mistake in the order of the file
 */
export async function loadConfig(path: string, env: NodeJS.ProcessEnv): Promise<Config> {
  const file = resolve(path);
  const tree = await readTree(file);
  const parsed = await bridge({ env, directory: dirname(file) }).safeParseAsync(tree, { error: wrongKind });
  const outline = outlineOf(tree);
  const problems: readonly Problem[] = [
    ...(parsed.error?.issues ?? []).map(problemFromIssue),
    ...checkListeners(outline),
    ...checkSystems(outline),
    ...checkExchange(outline),
    ...checkClients(outline),
    ...checkIssuers(outline),
    ...checkNtlm(outline),
    ...checkReplication(outline),
    ...checkAccounts(outline),
    ...checkGal(outline),
    ...checkPresence(outline),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(file, inFileOrder(problems, tree));
  const config = settled(file, parsed.data, outline.systems.map(({ name }) => name));
  const late = checkSharedPassword(parsed.data.presence.gateways, config.systems);
  if (late.length > 0) throw new ConfigError(file, inFileOrder(late, tree));
  return { ...config, warnings: warningsOf(config) };
}

/**
 * Only where the file says its dataDir is, absolute: enough to reach the running bridge, which has the secrets' environment
 * that this process may lack. Undefined where even that cannot be read.
 */
export async function dataDirOf(path: string): Promise<string | undefined> {
  const file = resolve(path);
  try {
    const tree = await readTree(file);
    const dataDir: unknown = typeof tree === 'object' && tree !== null ? (tree as Readonly<Record<string, unknown>>)['dataDir'] : undefined;
    return dataDir === undefined || typeof dataDir === 'string' ? resolve(dirname(file), dataDir ?? DEFAULT_DATA_DIR) : undefined;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

const DEFAULT_DATA_DIR = './data';

async function readTree(file: string): Promise<unknown> {
  try {
    const result = readYaml(await readBoundedFile(file, LIMITS.configFileBytes));
    if ('problems' in result) throw new ConfigError(file, result.problems);
    return result.tree;
  } catch (error) {
    if (error instanceof Mistake) throw new ConfigError(file, [{ path: '', message: error.message }]);
    throw error;
  }
}

function settled(file: string, keys: z.output<ReturnType<typeof bridge>>, order: readonly string[]): Omit<Config, 'warnings'> {
  const { deadline, systems: systemKeys, clients, privacy, presence, replication, gal, ...rest } = keys;
  const systems = namedSystems(systemKeys, order);
  return {
    ...rest,
    file,
    deadlineMs: deadline,
    systems,
    clients: settledClients(clients),
    privacy: { exclude: [...new Set(privacy.exclude)] },
    gal: settledGal(gal),
    presence: settledPresence(presence, systems),
    replication: settledReplication(replication, systems),
  };
}
