import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the project shares beside its checkout: captures and schemas. It may be missing; tests that read it then skip. */
export const SHARED = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'shared');

/** Microsoft's schema of the EWS messages. */
export const EWS_SCHEMA = join(SHARED, 'schemas', 'ews', 'Messages.xsd');

/**
 * Whether bodies can be held against the schema. With REQUIRE_PEERS a missing xmllint is a failure, not a test less.
 */
export const CAN_VALIDATE = existsSync(EWS_SCHEMA) && (process.env['REQUIRE_PEERS'] === '1' || spawnSync('xmllint', ['--version']).error === undefined);
