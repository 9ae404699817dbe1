import type * as z from 'zod';
import { kindOf } from './field.ts';

/** Zod's words for a value of the wrong kind, in ours; every other message comes from the fields themselves. */
export const wrongKind: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'too_small') return 'is empty; it should have at least one entry';
  if (issue.code !== 'invalid_type') return undefined;
  const right = issue.expected === 'array' ? 'a list' : 'a map of keys';
  if (issue.input === undefined) return `is missing; it should be ${right}`;
  if (issue.input === null) return `is empty; it should be ${right}, or the key left out where it may be`;
  return `should be ${right}, not ${kindOf(issue.input)}`;
};
