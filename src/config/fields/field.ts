import * as z from 'zod';
import { nearest } from '../nearest.ts';
import { quoted } from '../key-path.ts';

/** What a field's reader throws: says what is wrong and what would be right, without the value where that may be a secret. */
export class Mistake extends Error {}

export type Field<T> = z.ZodType<T>;

/** One value of the file. `right` completes "it should be …"; `read` gets whatever stands there and throws Mistake. */
export function field<T>(right: string, read: (value: unknown) => T | Promise<T>): Field<T> {
  return z.unknown().transform(async (value, ctx): Promise<T> => {
    const refuse = (message: string): never => {
      ctx.issues.push({ code: 'custom', message, input: undefined });
      return z.NEVER;
    };
    if (value === undefined) return refuse(`is missing; it should be ${right}`);
    if (value === null) return refuse(`is empty; it should be ${right}, or the key left out where it may be`);
    try {
      return await read(value);
    } catch (error) {
      if (error instanceof Mistake) return refuse(error.message);
      throw error;
    }
  });
}

/** A text. `read` gives undefined for one that is not right. */
export function text<T>(right: string, read: (text: string) => T | undefined | Promise<T | undefined>): Field<T> {
  return field(right, async (value) => {
    if (typeof value === 'string') {
      const result = await read(value);
      if (result === undefined) throw new Mistake(`should be ${right}`);
      return result;
    }
    const hint = typeof value === 'number' || typeof value === 'boolean' ? '; put it in quotes if it is meant as text' : '';
    throw new Mistake(`should be ${right}, not ${kindOf(value)}${hint}`);
  });
}

/** One of some words; those that a later version brings are refused as "not supported yet". */
export function oneOf<const T extends string>(words: readonly T[], later: readonly string[] = []): Field<T> {
  return text(`one of ${words.join(', ')}`, (value) => readWord(value, words, later));
}

/** @throws Mistake that lists what there is */
export function readWord<T extends string>(value: string, words: readonly T[], later: readonly string[] = []): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const there = `there ${words.length === 1 ? 'is' : 'are'}: ${words.join(', ')}`;
  if (later.includes(value)) throw new Mistake(`${value} is not supported yet; ${there}`);
  const near = nearest(value, words);
  throw new Mistake(`${quoted(value)} is not known${near === undefined ? '' : `, did you mean ${near}?`}; ${there}`);
}

/** true or false. */
export function flag(): Field<boolean> {
  return field('true or false', (value) => {
    if (typeof value === 'boolean') return value;
    throw new Mistake(`should be true or false, not ${kindOf(value)}`);
  });
}

/** What a value is, in an administrator's words. */
export function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'number' ? 'a number' : 'true or false';
}
