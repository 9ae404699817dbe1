import { LIMITS } from '../../core/limits.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';

/** A language tag (BCP 47), in its usual spelling: `pt-br` becomes `pt-BR`. */
export function languageTag(): Field<string> {
  const right = 'a language tag, e.g. en, de or pt-BR';
  return text(right, (value) => {
    if (/^[a-z]{2,3}_/i.test(value)) throw new Mistake(`should be ${right}: with -, not _`);
    if (value.length > LIMITS.languageTagCharacters || !/^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i.test(value)) return undefined;
    try {
      return Intl.getCanonicalLocales(value)[0];
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });
}
