import * as z from 'zod';
import { username } from '../fields/names.ts';
import { secret } from '../fields/secret-field.ts';
import { section } from '../fields/section.ts';
import { urlTemplate } from '../fields/template.ts';
import type { Surroundings } from '../surroundings.ts';
import { baseShape } from './system-base.ts';

/** A URL that answers VFREEBUSY. */
export function ifb(surroundings: Surroundings) {
  return section({
    type: z.literal('ifb'),
    ...baseShape(surroundings),
    url: urlTemplate(),
    username: username().optional(),
    password: secret(surroundings).optional(),
  });
}
