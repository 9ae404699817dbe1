import { resolve } from 'node:path';
import type { Surroundings } from '../surroundings.ts';
import { text } from './field.ts';
import type { Field } from './field.ts';

/** The path of something, absolute; relative ones are relative to the file. It need not be there. */
export function path(what: string, { directory }: Surroundings): Field<string> {
  return text(`the path of ${what}`, (value) => (value === '' || value.includes('\0') ? undefined : resolve(directory, value)));
}
