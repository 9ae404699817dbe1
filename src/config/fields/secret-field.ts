import { isAbsolute, resolve } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import { Secret } from '../secret.ts';
import type { Surroundings } from '../surroundings.ts';
import { readBoundedFile } from './bounded-file.ts';
import { Mistake, field, kindOf } from './field.ts';
import type { Field } from './field.ts';

const RIGHT = 'a text, {env: NAME} or {file: PATH}';

/** A secret: a text, `{env: NAME}` or `{file: PATH}` (one newline at the end is not part of it). No message shows any of it. */
export function secret(surroundings: Surroundings): Field<Secret> {
  return field(RIGHT, async (value) => new Secret(plausible(await resolveSecret(value, surroundings))));
}

/** The text behind a secret's three spellings. @throws Mistake */
export async function resolveSecret(value: unknown, { env, directory }: Surroundings): Promise<string> {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') {
    throw new Mistake(`should be ${RIGHT}; put it in quotes, YAML takes it for ${kindOf(value)}`);
  }
  const [entry, ...more] = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entry === undefined || more.length > 0) {
    throw new Mistake(`should be ${RIGHT}, not ${more.length > 0 ? 'a map of several keys' : kindOf(value)}`);
  }
  const [key, target] = entry as [string, unknown];
  if (typeof target !== 'string' || target === '') throw new Mistake(`should be ${RIGHT}`);
  switch (key) {
    case 'env':
      return fromEnvironment(target, env);
    case 'file':
      return fromFile(isAbsolute(target) ? target : resolve(directory, target));
    default:
      throw new Mistake(`should be ${RIGHT}`);
  }
}

function fromEnvironment(name: string, env: NodeJS.ProcessEnv): string {
  // Somebody may have put the password itself here: only what looks like a name is shown.
  if (!/^[A-Z_][A-Z0-9_]*$/i.test(name)) throw new Mistake('env should be the name of an environment variable');
  const value = env[name];
  const shown = /^[A-Z_][A-Z0-9_]*$/.test(name) && name.includes('_') ? ` ${name}` : '';
  if (value === undefined) throw new Mistake(`the environment variable${shown} is not set`);
  if (value === '') throw new Mistake(`the environment variable${shown} is empty`);
  return value;
}

async function fromFile(path: string): Promise<string> {
  if (path.includes('\0')) throw new Mistake('file should be a path');
  const value = (await readBoundedFile(path, LIMITS.secretCharacters * 4)).replace(/\r?\n$/, '');
  if (value === '') throw new Mistake(`${path} is empty`);
  return value;
}

function plausible(value: string): string {
  if (value === '') throw new Mistake(`is empty; it should be ${RIGHT}`);
  if (value.length > LIMITS.secretCharacters) throw new Mistake(`is longer than ${LIMITS.secretCharacters} characters`);
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new Mistake('holds a line break or another control character');
  return value;
}
